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
        around: the one outside it.
    """

    def __init__(self) -> None:
        self.called = False
        self._over = False
        self.around = outer()

    def tell(self) -> None:
        """A call was made inside."""
        self.called = True
        if self.around is not None:
            self.around.tell()

    def hold(self, fields: scope.Fields) -> None:
        """From here until its `end`, calls carry *fields* and are told to it, in every context these have reached."""
        scope.Held(fields, self.in_force)
        _outer.set(self)

    def in_force(self) -> bool:
        """Whether what is called here is called inside."""
        return not self._over

    def end(self) -> None:
        """Nothing is called inside any more, wherever it is still known."""
        self._over = True


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


def outer() -> Outer | None:
    """The decorated function or the run that is under way here."""
    told = _outer.get()
    while told is not None and not told.in_force():
        told = told.around
    return told
