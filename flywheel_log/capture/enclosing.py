"""The function or run in progress: the calls made inside are reported to it, so that none is recorded twice."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Self

from .. import scope
from ..health import guarded
from ..scope import frames

_enclosing: ContextVar[Enclosing | None] = ContextVar("flywheel_log.enclosing", default=None)
_meeting_point: ContextVar[MeetingPoint | None] = ContextVar("flywheel_log.meeting_point", default=None)


class Enclosing:
    """A function or run that is under way: told of every call inside, so that it records none of its own then.

    Attributes:
        called: whether a call was made inside.
        around: the one outside it.
    """

    def __init__(self) -> None:
        self.called = False
        self._over = False
        around = enclosing()
        self.around: Enclosing | None = around.around if isinstance(around, MeetingPoint) else around

    def tell(self) -> None:
        """A call was made inside."""
        self.called = True
        if self.around is not None:
            self.around.tell()

    def hold(self, fields: scope.Fields) -> None:
        """From here until its `end`, calls carry *fields* and are told to it, in every context these have reached."""
        frames.Held(fields, self.in_force)
        _enclosing.set(self)

    def in_force(self) -> bool:
        """Whether what is called here is called inside."""
        return not self._over

    def end(self) -> None:
        """Nothing is called inside any more, wherever it is still known."""
        self._over = True


class MeetingPoint(Enclosing):
    """Where runs whose beginning is told elsewhere, in another thread or in a task beside it, meet the calls they make.

    It is made before, where the calls will be made; `meeting_point` finds it in every context that comes from there.

    Args:
        name: of whom it is for.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._runs: list[Enclosing] = []
        self._held = frames.Held({}, self.in_force)
        _enclosing.set(self)
        _meeting_point.set(self)

    def take(self, run: Enclosing, fields: scope.Fields) -> None:
        """From now until its end, what is called here is called inside *run*, and carries *fields*."""
        self._runs.append(run)
        self._held.fields = fields

    def tell(self) -> None:
        """A call was made here."""
        for run in self._runs:
            run.tell()

    def in_force(self) -> bool:
        """Whether a run that has taken it is under way."""
        return any(run.in_force() for run in self._runs)

    def end(self) -> None:
        """Nothing is called here any more."""
        for run in self._runs:
            run.end()


class Within:
    """Inside the block, calls carry *fields* and are told to *told*; it may be entered again and again."""

    def __init__(self, told: Enclosing | None, fields: scope.Fields) -> None:
        self._told = told
        self._fields = frames.FieldsSet(fields)
        self._before: Enclosing | None = None

    @guarded("context", default=lambda self: self)
    def __enter__(self) -> Self:
        self._fields.__enter__()
        self._before = _enclosing.get()
        _enclosing.set(self._told)
        return self

    @guarded("context")
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._fields.__exit__(kind, error, trace)
        if _enclosing.get() is self._told:
            _enclosing.set(self._before)


def meeting_point(name: str) -> MeetingPoint | None:
    """The meeting point that was made last for runs that begin here, if it is that of *name*."""
    found = _meeting_point.get()
    return found if found is not None and found.name == name else None


def enclosing() -> Enclosing | None:
    """The decorated function or the run that is under way here."""
    told = _enclosing.get()
    while told is not None and not told.in_force():
        told = told.around
    return told
