"""The function or run that is under way: the calls made inside are told to it, so that none is recorded twice."""

from __future__ import annotations

from contextvars import ContextVar
from types import TracebackType
from typing import Self

from .. import scope
from ..health import guarded

_outer: ContextVar[Outer | None] = ContextVar("flywheel_log.outer", default=None)


class Outer:
    """A function or run that is under way: told of every call inside, so that it records none of its own then.

    Attributes:
        called: whether a call was made inside.
        over: whether it has ended; what is called from then on is not told to it, wherever it is still known.
        around: the one outside it.
    """

    def __init__(self) -> None:
        self.called = False
        self.over = False
        self.around = outer()

    def tell(self) -> None:
        """A call was made inside."""
        self.called = True
        if self.around is not None:
            self.around.tell()


class Within:
    """Inside the block, calls carry *fields* and are told to *told*; it may be entered again and again."""

    def __init__(self, told: Outer | None, fields: scope.Fields) -> None:
        self._told = told
        self._fields = scope.FieldsSet(fields)
        self._before: Outer | None = None

    @guarded("context", default=lambda self: self)
    def __enter__(self) -> Self:
        self._fields.__enter__()
        self._before = _outer.get()
        _outer.set(self._told)
        return self

    @guarded("context")
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fields.__exit__(kind, error, trace)
        if _outer.get() is self._told:
            _outer.set(self._before)


class Held:
    """From its making until `release`, calls carry *fields* and are told to *told*, in every context these reach."""

    def __init__(self, told: Outer, fields: scope.Fields) -> None:
        self._told = told
        self._fields = scope.Held(fields)
        _outer.set(told)

    def release(self) -> None:
        """Calls are none of *told*'s any more."""
        self._told.over = True
        self._fields.release()


def outer() -> Outer | None:
    """The decorated function or the run that is under way here."""
    told = _outer.get()
    while told is not None and told.over:
        told = told.around
    return told
