"""LangChain's and LangGraph's calls on record: a callback handler, by our name and by those of NVIDIA's guide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

try:
    from langchain_core.callbacks import BaseCallbackHandler

    from . import answer, request, runs
except ImportError:
    raise ImportError("LangChain is missing or too old; `pip install -U 'flywheel-log[langchain]'` helps") from None

from .. import recorder, scope
from ..capture import wire
from ..capture.reported import ReportedCall
from ..capture.surfaces import surface_named
from ..event import JSON
from ..health import guarded, health
from ..scope.fields import fields_of
from ..scope.place import opened
from ..semconv import provider_of

if TYPE_CHECKING:
    from uuid import UUID

    from langchain_core.outputs import LLMResult

__all__ = ["ElasticsearchLogHandler", "FlywheelLogHandler", "GenericLogHandler", "create_langchain_callbacks"]


class FlywheelLogHandler(BaseCallbackHandler):
    """Record every call of a model made under it, sync and async: give it to LangChain or LangGraph in `callbacks`.

    A call becomes an event in the shape of a chat completion, whoever the vendor is, with what LangChain knows of it.
    Where an instrumented client makes the call, that client's record is the only one: it has what went over the wire,
    and the handler's fields. Chains, graphs, tools and retrievers in which calls happen become the steps of a trace.
    The tags and metadata of a run's configuration are stamped, too: `user_id`, `session_id` and LangGraph's `thread_id`
    as the user and the session.

    Args:
        workload_id: the task or node, stable over time (not a session): what datasets are made by.
        **fields: what `context` takes.

    Raises:
        TypeError: a field is none of an event's.
    """

    # In the caller's own context and order, not in a thread or a task beside it. Nothing in here waits.
    run_inline = True

    def __init__(self, workload_id: str | None = None, **fields: Any) -> None:
        self._own = fields_of(workload_id=workload_id, **fields)

    @guarded("langchain")
    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[Any]], *, run_id: UUID, **about: Any
    ) -> None:
        """A model is about to be asked to go on with a conversation."""
        self._begin(run_id, about, partial(_asking, partial(request.chat, messages[0]), about))

    @guarded("langchain")
    def on_llm_start(self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **about: Any) -> None:
        """A model is about to be asked to go on with a text."""
        self._begin(run_id, about, partial(_asking, partial(request.completion, prompts[0]), about))

    @guarded("langchain")
    def on_llm_new_token(self, token: Any, *, chunk: Any = None, run_id: UUID, **_: Any) -> None:
        """A piece of an answer has come."""
        _hear(run_id, text=answer.says_something(token, chunk))

    @guarded("langchain")
    def on_stream_event(self, event: Any, *, run_id: UUID, **_: Any) -> None:
        """A piece of an answer has come, in the third version of LangChain's streams."""
        _hear(run_id, text=event.get("event") == "content-block-delta")

    @guarded("langchain")
    def on_retry(self, retry_state: Any, *, run_id: UUID, **_: Any) -> None:
        """A call has failed, and is about to be made again."""
        if isinstance(node := runs.find(run_id), runs.Asking):
            node.call.retries = retry_state.attempt_number

    @guarded("langchain")
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        """A model has answered."""
        if isinstance(node := runs.end(run_id), runs.Asking):
            if answer.is_cached(response):
                node.call.unmade()
            elif found := answer.outcome(response):
                node.call.over(found)
            else:
                node.call.unread()

    @guarded("langchain")
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **about: Any) -> None:
        """A call has failed, was cancelled, or its stream was left."""
        if isinstance(node := runs.end(run_id), runs.Asking):
            node.call.over(answer.failure(error, about.get("response")), wire.http_of(error))

    @guarded("langchain")
    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **about: Any) -> None:
        """A chain, a graph or one of its nodes begins."""
        self._begin(run_id, about, partial(runs.Step, _name(serialized, about, "chain")))

    @guarded("langchain")
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:
        """A chain is over."""
        _end(run_id)

    @guarded("langchain")
    def on_tool_start(self, serialized: Any, input_str: str, *, run_id: UUID, **about: Any) -> None:
        """A tool begins."""
        self._begin(run_id, about, partial(runs.Step, _name(serialized, about, "tool"), busy=True))

    @guarded("langchain")
    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        """A tool is done."""
        _end(run_id)

    @guarded("langchain")
    def on_retriever_start(self, serialized: Any, query: str, *, run_id: UUID, **about: Any) -> None:
        """Documents are about to be looked for."""
        self._begin(run_id, about, partial(runs.Search, query, _name(serialized, about, "retriever")))

    @guarded("langchain")
    def on_retriever_end(self, documents: Sequence[Any], *, run_id: UUID, **_: Any) -> None:
        """Documents were found: they are recorded, and named on the calls that follow."""
        if isinstance(node := runs.end(run_id), runs.Search):
            node.found(documents)

    @guarded("langchain")
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """A chain has failed, a tool, or a search for documents."""
        _end(run_id, error)

    on_tool_error = on_retriever_error = on_chain_error

    def _begin(
        self, run_id: UUID, about: Mapping[str, Any], make: Callable[[scope.Fields, runs.Node | None], runs.Node]
    ) -> None:
        """Take *run_id* as begun; where another handler has done so, it is named by this one, too."""
        if scope.suppressed():
            return
        node = runs.find(run_id)
        if node is None:
            parent = runs.find(about.get("parent_run_id"))
            fields = runs.fields_in(parent)
            if parent is None or id(self) not in parent.named_by:
                fields = scope.merge(fields, self._own)
            node = make(scope.merge(fields, runs.told(about.get("tags"), about.get("metadata"))), parent)
            runs.begin(run_id, node)
        elif id(self) not in node.named_by:
            node.rename(self._own)
        node.named_by |= {id(self)}


GenericLogHandler = FlywheelLogHandler
"""The name that NVIDIA's guide to data logging has for it."""

ElasticsearchLogHandler = FlywheelLogHandler
"""The name in that guide's example; where records go is a matter of the settings here."""


async def create_langchain_callbacks(workload_id: str | None = None, **fields: Any) -> list[BaseCallbackHandler]:
    """Return the callbacks that record what is called with them: one handler, or none where there is no backend.

    Without any configuration there is one: `genai.log`. There is none where recording is `disabled`, where `sinks` is
    empty, and where the settings are wrong, which is said once in the log.

    Args:
        workload_id: the task or node.
        **fields: what `context` takes.

    Raises:
        TypeError: a field is none of an event's.
    """
    handler = FlywheelLogHandler(workload_id, **fields)
    try:
        settings = recorder.current().settings
    except ValueError as error:
        health.explain(str(error))
        return []
    return [handler] if settings.sinks and not settings.disabled else []


def _asking(
    body: Callable[[Mapping[str, Any], Mapping[str, Any]], JSON],
    about: Mapping[str, Any],
    fields: scope.Fields,
    parent: runs.Node | None,
) -> runs.Asking:
    metadata = about.get("metadata") or {}
    asked = body(about.get("invocation_params") or {}, metadata)
    texts = "prompt" in asked
    surface = surface_named("completions" if texts else "chat.completions")
    fields, at = opened(fields), runs.meeting_point_of_text() if texts else None
    provider = provider_of(str(metadata.get("ls_provider") or "unknown"))
    call = ReportedCall(surface, provider, asked, fields, recorder.record, at=at)
    return runs.Asking(call, fields, parent)


def _hear(run_id: UUID, *, text: bool) -> None:
    if isinstance(node := runs.find(run_id), runs.Asking):
        node.call.heard(text=text)


def _end(run_id: UUID, error: BaseException | None = None) -> None:
    if isinstance(node := runs.end(run_id), runs.Step):
        node.end(error)


def _name(serialized: Any, about: Mapping[str, Any], kind: str) -> str:
    known = serialized if isinstance(serialized, Mapping) else {}
    return str(about.get("name") or known.get("name") or next(iter(known.get("id", ())[-1:]), kind))
