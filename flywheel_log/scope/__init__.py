"""Who calls, and for what: fields stamped on every call made inside a `with context(...)` block, and `suppress`."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any, Self, TypeVar

from .. import w3c
from ..around import Around, around
from ..health import guarded
from . import frames
from .fields import fields_of
from .place import opened, stamped

Decorated = TypeVar("Decorated")
Result = TypeVar("Result")
Fields = frames.Fields

current = frames.current

_suppressed: ContextVar[int] = ContextVar("flywheel_log.suppressed", default=0)


class Block(ABC):
    """Fields in force between `with`, or `async with`, and its end, or around each run of what it decorates."""

    @guarded("context", default=lambda self: self)
    def __enter__(self) -> Self:
        frames.enter(self, self._inside())
        return self

    @guarded("context")
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        frames.leave(self)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: Decorated) -> Decorated:
        """Decorate a function of any kind: its calls run inside the block."""
        return around(function, self._run)

    @guarded("context", default=lambda *_: Around())
    def _run(self, *_: Any) -> Around:
        return Inside(frames.FieldsSet(self._inside()))

    @abstractmethod
    def _inside(self) -> Fields:
        """What is in force inside."""


class context(Block):  # noqa: N801 - reads as a statement: `with context(...)`
    """Stamp who calls, and for what, on every call made inside: `with context(...)`, `async with`, or a decorator.

    Blocks nest: an inner field overrides an outer one, tags are added, metadata is merged. The fields follow into
    tasks, `asyncio.to_thread` and thread pools; a decorated generator has them only while its body runs.

    Args:
        workload_id: the task or node, stable over time (not a session); datasets are made from it.
        user_id: the person.
        session_id: the conversation.
        tags: words to find the calls by.
        metadata: any JSON object.
        client_id: the application, if one process serves several.
        **others: further top-level keys of the event, such as `prompt` and `trace_id`; see the record's reference.

    Raises:
        TypeError: there is no such field, or a value has the wrong type. Names and ids are converted to text.
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
    """A run inside *block*, which is entered again whenever the body runs."""

    def __init__(self, block: AbstractContextManager[Any]) -> None:
        self._block = block

    @guarded("context", default=lambda _: nullcontext())
    def running(self) -> AbstractContextManager[Any]:
        """Enter it."""
        return self._block

    @guarded("context")
    def raised(self, error: BaseException) -> None:
        """Leave it again: the handler of a signal may have raised where it began or ended."""
        self._block.__exit__(type(error), error, None)


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


def at_call(defaults: Fields = frames.NOTHING) -> Fields:
    """What is stamped on a call that begins here: the fields in force, its own ids in a trace, what was retrieved.

    Where it says nothing, *defaults* do.
    """
    if frames.none() and w3c.TRACING not in sys.modules:
        return defaults
    return merge(defaults, stamped(current()))


class suppress:  # noqa: N801
    """Record nothing that is called inside: `with suppress()`, `async with`, or a decorator of any callable.

    This also covers the tasks and thread pools that are used inside. A `threading.Thread` needs a block of its own.
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
        return around(function, lambda *_: Inside(_Silence()))


class _Silence:
    """A block of `suppress` around one run: left where it was entered, once."""

    _before: int | None = None

    def __enter__(self) -> None:
        self._before = before = _suppressed.get()
        _suppressed.set(before + 1)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            # In another context than it was entered in, it may have nothing to undo.
            _suppressed.set(min(self._before, _suppressed.get()))
            self._before = None  # Last: whoever interrupts the lines above has it left again.


def silently(function: Callable[..., Result], *args: object) -> Result:
    """Call *function* with *args*, and record nothing that is called inside.

    A block of `suppress` does so, too, but the handler of a signal may raise where it begins or ends, and nothing that
    is called here would be recorded any more.
    """
    before = _suppressed.get()
    try:
        _suppressed.set(before + 1)
        return function(*args)
    finally:
        _suppressed.set(before)


suppressed: Callable[[], int] = _suppressed.get
"""How many `suppress()` blocks are in force here."""
