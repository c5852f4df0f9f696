"""The decorated function that is running: the calls made inside are told to it, so that none is recorded twice."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Self

from .. import scope
from ..health import guarded

_outer: ContextVar[Outer | None] = ContextVar("flywheel_log.outer", default=None)


class Outer:
    """A decorated function that is running: told of every call inside, so that it records none of its own then."""

    def __init__(self) -> None:
        self.called = False
        self._outer = _outer.get()

    def tell(self) -> None:
        """A call was made inside."""
        self.called = True
        if self._outer is not None:
            self._outer.tell()


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


outer: Callable[[], Outer | None] = _outer.get
"""The decorated function that is running here."""
