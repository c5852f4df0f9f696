"""LangChain's runs in progress: a tree of chains, tools and calls, which become the steps of a trace."""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any, cast
from uuid import UUID
from weakref import ref

from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers.context import register_configure_hook

from .. import scope
from ..capture.enclosing import Enclosing, MeetingPoint, meeting_point
from ..capture.reported import ReportedCall
from ..clock import milliseconds
from ..event import JSON
from ..health import guarded
from ..scope import frames
from ..signals.retrieval import log_retrieval
from ..signals.spans import Span

# LangGraph leaves a graph, to ask a person or to go on elsewhere, by exceptions of this class.
_BUBBLES_UP = "GraphBubbleUp"
# Tags and metadata that LangChain and LangGraph set for themselves.
_OWN_TAGS = re.compile(r"(?:seq|graph|map|condition|branch|langsmith):.*")
_OWN_METADATA = re.compile(r"(?:ls_|lc_|langgraph_(?!node$)|checkpoint_|__).*")
_SESSIONS = ("session_id", "thread_id", "conversation_id")


class Node(ABC):
    """A run under way.

    Args:
        fields: what is in force for what is called inside.
        parent: the run that this one is part of.

    Attributes:
        named_by: the handlers whose fields it carries, by their id.
        busy: whether it is worth a step.
    """

    def __init__(self, fields: scope.Fields, parent: Node | None) -> None:
        self.fields = fields
        self.parent = parent
        self.named_by: frozenset[int] = parent.named_by if parent else frozenset()
        self.busy = False

    def note(self) -> None:
        """Something worth a record happens here, so the runs around it are worth a step."""
        node = self.parent
        while node is not None and not node.busy:
            node.busy = True
            node = node.parent

    @abstractmethod
    def rename(self, fields: scope.Fields) -> None:
        """Carry *fields*, too, over those there were."""

    @abstractmethod
    def abandon(self) -> None:
        """Nobody will tell of an end any more."""


class Step(Node):
    """A chain, a tool or a retriever: a step of the trace if anything worth a record has happened inside."""

    def __init__(self, name: str, fields: scope.Fields, parent: Node | None, *, busy: bool = False) -> None:
        self._span = Span(name, fields, None)
        super().__init__(self._span.fields, parent)
        self.busy = busy
        self._enclosing = _EnclosingStep(self)
        self._enclosing.hold(self.fields)

    def rename(self, fields: scope.Fields) -> None:
        """Carry *fields*, too."""
        self._span.rename(fields)

    def end(self, error: BaseException | None = None) -> None:
        """The run is over; *error* has ended it."""
        self._enclosing.end()
        if error is not None and any(cls.__name__ == _BUBBLES_UP for cls in type(error).__mro__):
            error = None
        if self.busy or error is not None:
            self.note()
            self._span.end(error)

    def abandon(self) -> None:
        """End here."""
        self.end(GeneratorExit() if self.busy else None)


class _EnclosingStep(Enclosing):
    """Learns of what is called inside *step*, by LangChain or not."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        self._step = step
        self._config = var_child_runnable_config.get()

    def in_force(self) -> bool:
        # What runs inside has a context in which LangChain has set this anew; what consumes a stream has not.
        return super().in_force() and var_child_runnable_config.get() is not self._config

    def tell(self) -> None:
        self._step.busy = True
        self._step.note()
        super().tell()


class Search(Step):
    """A retriever: what it has found is an event of its own, and a failure is a step."""

    def __init__(self, query: str, name: str, fields: scope.Fields, parent: Node | None) -> None:
        self._query = query
        self._outside = fields
        self._began = time.perf_counter()
        super().__init__(name, fields, parent)

    def found(self, documents: Sequence[Any]) -> None:
        """The search is over."""
        self._enclosing.end()
        self.note()
        took = milliseconds(time.perf_counter() - self._began)
        with frames.FieldsSet(self._outside):
            log_retrieval(documents, query=self._query, latency_ms=took)


class Asking(Node):
    """A call of a model."""

    def __init__(self, call: ReportedCall, fields: scope.Fields, parent: Node | None) -> None:
        super().__init__(fields, parent)
        self.call = call
        self.note()

    def rename(self, fields: scope.Fields) -> None:
        """Carry *fields*, too."""
        self.call.rename(fields)

    def abandon(self) -> None:
        """Be incomplete."""
        self.call.ended(None)


class _Hook:
    """Is asked for a further handler where LangChain is about to call, and has none, but makes a meeting point there.

    The coroutines of LangChain's models of texts tell of a start in tasks beside them.
    """

    @guarded("langchain")
    def get(self) -> None:
        MeetingPoint(__name__)


register_configure_hook(cast(ContextVar[Any], _Hook()), inheritable=False)


def meeting_point_of_text() -> MeetingPoint | None:
    """Where the model of texts calls of whose start a task is told."""
    return meeting_point(__name__)


_under_way: dict[int, tuple[Node, Any]] = {}


def begin(run_id: UUID, node: Node) -> None:
    """*node* is under way as the run *run_id* from now on, until `end`, or until nobody knows its id any more.

    LangChain tells of no end where a call is cancelled, but then lets go of the id.
    """
    key = run_id.int
    _under_way[key] = node, ref(run_id, lambda _: _abandon(key))


def find(run_id: UUID | None) -> Node | None:
    """The run *run_id*, if it is under way."""
    return _under_way.get(run_id.int, (None, None))[0] if run_id is not None else None


def end(run_id: UUID) -> Node | None:
    """Take the run *run_id* as ended; None where another handler has done so, or it was never begun."""
    return _under_way.pop(run_id.int, (None, None))[0]


@guarded("langchain")
def _abandon(key: int) -> None:
    node, _ = _under_way.pop(key, (None, None))
    if node is not None:
        node.abandon()


def fields_in(parent: Node | None) -> scope.Fields:
    """What is in force for a run inside *parent*: what is in force here, if here is inside it, too."""
    here = scope.current()
    if parent is None or here.get("trace_id") == parent.fields.get("trace_id"):
        return here
    return scope.merge(here, parent.fields)


def told(tags: Sequence[str] | None, metadata: Mapping[str, Any] | None) -> scope.Fields:
    """What a run's configuration says, as fields of events: its own tags and metadata, the user, the session.

    LangGraph's thread is a session; its node stays in the metadata.
    """
    rest = {key: value for key, value in (metadata or {}).items() if not _OWN_METADATA.fullmatch(key)}
    fields: JSON = {}
    if isinstance(user := rest.get("user_id"), str):
        fields["user_id"] = user
        del rest["user_id"]
    sessions = [key for key in _SESSIONS if isinstance(rest.get(key), str)]
    if sessions:
        fields["session_id"] = rest.pop(sessions[0])
    if words := [tag for tag in tags or () if not _OWN_TAGS.fullmatch(tag)]:
        fields["tags"] = words
    if rest:
        fields["metadata"] = rest
    return fields
