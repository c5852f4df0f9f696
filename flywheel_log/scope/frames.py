"""Which fields are in force where: nested frames, which may end in any order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from ..health import guarded

Fields = Mapping[str, Any]

NOTHING: Fields = MappingProxyType({})


@dataclass(slots=True)
class _Frame:
    """What is in force inside *block*, and the frame around it: left by looking for the block, not by a token.

    A token is bound to its context, but a block may be left in another one (a fixture, a web framework's dependency, an
    abandoned coroutine), and one block object may be entered by many threads at once.
    """

    fields: Fields
    block: object
    around: _Frame | None

    def in_force(self) -> bool:
        """Whether the fields hold, in whatever context the frame is seen."""
        return True


@dataclass(slots=True)
class _Ground(_Frame):
    """The frame on which the body of a run stands; *outside* is what was in force where it went on last."""

    outside: _Frame | None


_frame: ContextVar[_Frame | None] = ContextVar("flywheel_log.frame", default=None)


def current() -> Fields:
    """The fields in force where this is called. Read only."""
    frame = _in_force()
    return frame.fields if frame is not None else NOTHING


def none() -> bool:
    """Whether there has been no block here."""
    return _frame.get() is None


def enter(block: object, fields: Fields) -> None:
    """Have *fields* in force until *block* is left."""
    _frame.set(_Frame(fields, block, _in_force()))


def leave(block: object) -> Fields:
    """Leave *block*, as it was entered last, and what was entered since; return the fields it had put in force."""
    frame = _frame.get()
    while frame is not None and frame.block is not block:
        frame = frame.around
    if frame is None:
        return NOTHING
    _frame.set(frame.around)
    return frame.fields


class FieldsSet:
    """Have exactly *fields* in force inside the block; what was entered inside and not left is there again next time.

    So the blocks of a generator are in force while its body runs, and not while its consumer has its turn.
    """

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._unleft: list[tuple[_Ground, _Frame]] = []

    @guarded("context", default=lambda self: self)
    def __enter__(self) -> Self:
        outside = _in_force()
        try:
            ground, top = self._unleft.pop()
        except IndexError:
            ground = top = _Ground(self._fields, self, outside, outside)
        ground.outside = outside
        _frame.set(top)
        return self

    @guarded("context")
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        top = ground = _frame.get()
        while ground is not None and ground.block is not self:
            ground = ground.around
        if top is None or not isinstance(ground, _Ground):
            return
        _frame.set(ground.outside)
        if top is not ground:
            self._unleft.append((ground, top))


class Held(_Frame):
    """Have exactly *fields* in force from here on wherever *holds* says so, in every context they have reached.

    For what is told of a beginning and an end, but does not stand around what happens between them: callbacks.
    """

    def __init__(self, fields: Fields, holds: Callable[[], bool]) -> None:
        super().__init__(fields, self, _in_force())
        self._holds = holds
        _frame.set(self)

    def in_force(self) -> bool:
        """What *holds* says."""
        return self._holds()


def _in_force() -> _Frame | None:
    frame = _frame.get()
    while frame is not None and not frame.in_force():
        frame = frame.around
    return frame
