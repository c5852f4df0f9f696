"""Who calls, and for what: fields stamped on every call made inside a `with context(...)` block, and `suppress`."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar

from . import w3c
from .around import Around, around
from .fields import fields_of
from .health import guarded
from .place import opened, stamped

Decorated = TypeVar("Decorated")
Fields = Mapping[str, Any]

_NOTHING: Fields = MappingProxyType({})


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


_frame: ContextVar[_Frame | None] = ContextVar("flywheel_log.frame", default=None)
_suppressed: ContextVar[int] = ContextVar("flywheel_log.suppressed", default=0)


class Block(ABC):
    """Fields in force between `with`, or `async with`, and its end, or around each run of what it decorates."""

    @guarded("context", default=lambda self: self)
    def __enter__(self) -> Self:
        _frame.set(_Frame(self._inside(), self, _in_force()))
        return self

    @guarded("context")
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        leave(self)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: Decorated) -> Decorated:
        """Decorate a function of any kind: its calls run inside the block."""
        return around(function, self._run)

    @guarded("context", default=lambda *_: Around())
    def _run(self, *_: Any) -> Around:
        return Inside(partial(FieldsSet, self._inside()))

    @abstractmethod
    def _inside(self) -> Fields:
        """What is in force inside."""


class context(Block):  # noqa: N801 - reads as a statement: `with context(...)`
    """Stamp who calls, and for what, on every call made inside: `with context(...)`, `async with`, or a decorator.

    Blocks nest: an inner field wins over an outer one, tags are added to, metadata is merged. The fields follow
    into tasks, `asyncio.to_thread` and thread pools; a decorated generator has them while its body runs and only then.

    Args:
        workload_id: the task or node, stable over time (not a session): what datasets are made by.
        user_id: the person.
        session_id: the conversation.
        tags: words to find the calls by.
        metadata: any JSON object.
        client_id: the application, where one process serves several.
        **others: further top-level keys of the event; `prompt`, `trace_id` … as the record's reference lists them.

    Raises:
        TypeError: there is no such field, or a value is of the wrong type. Of names and ids, the text counts.
    """

    def __init__(
        self,
        *,
        workload_id: str | None = None,
        user_id: str | None = None,
        session_id: str | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        client_id: str | None = None,
        **others: Any,
    ) -> None:
        self._own = fields_of(
            workload_id=workload_id,
            user_id=user_id,
            session_id=session_id,
            tags=tags,
            metadata=metadata,
            client_id=client_id,
            **others,
        )

    def _inside(self) -> Fields:
        return opened(merge(current(), self._own))


class Inside(Around):
    """A run inside a block, which is entered anew whenever the body runs.

    Args:
        block: makes it.
    """

    def __init__(self, block: Callable[[], AbstractContextManager[Any]]) -> None:
        self._block = block

    @guarded("context", default=lambda _: nullcontext())
    def running(self) -> AbstractContextManager[Any]:
        """Enter it."""
        return self._block()


def merge(outer: Fields, inner: Fields) -> Fields:
    """Put *inner* over *outer*: tags are added to, metadata is merged, everything else is replaced."""
    if not outer or not inner:
        return outer or inner
    merged = {**outer, **inner}
    if "tags" in outer and "tags" in inner:
        merged["tags"] = [*outer["tags"], *(tag for tag in inner["tags"] if tag not in outer["tags"])]
    if "metadata" in outer and "metadata" in inner:
        merged["metadata"] = {**outer["metadata"], **inner["metadata"]}
    return merged


def current() -> Fields:
    """The fields in force where this is called. Read only."""
    frame = _in_force()
    return frame.fields if frame is not None else _NOTHING


def _in_force() -> _Frame | None:
    frame = _frame.get()
    while frame is not None and not frame.in_force():
        frame = frame.around
    return frame


def at_call(defaults: Fields = _NOTHING) -> Fields:
    """What is stamped on a call that begins here: the fields in force, its own ids in a trace, what was retrieved.

    Where it says nothing, *defaults* do.
    """
    if _frame.get() is None and w3c.TRACING not in sys.modules:
        return defaults
    return merge(defaults, stamped(current()))


class FieldsSet(Block):
    """Have exactly *fields* in force inside the block."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def _inside(self) -> Fields:
        return self._fields


def leave(block: object) -> Fields:
    """Leave *block*, as it was entered last, and what was entered since; return the fields it had put in force."""
    frame = _frame.get()
    while frame is not None and frame.block is not block:
        frame = frame.around
    if frame is None:
        return _NOTHING
    _frame.set(frame.around)
    return frame.fields


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


class suppress:  # noqa: N801
    """Record nothing that is called inside: `with suppress()`, `async with`, or a decorator of any callable.

    Nor in the tasks and thread pools it is handed to. A `threading.Thread` has a block of its own, or records.
    """

    def __enter__(self) -> None:
        _suppressed.set(_suppressed.get() + 1)

    def __exit__(self, *_: object) -> None:
        # Left in another context than it was entered in, it has nothing to undo there.
        _suppressed.set(max(_suppressed.get() - 1, 0))

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    def __call__(self, function: Decorated) -> Decorated:
        """Decorate a function of any kind: its calls run inside the block."""
        return around(function, lambda *_: Inside(suppress))


suppressed: Callable[[], int] = _suppressed.get
"""How many `suppress()` blocks are in force here."""
