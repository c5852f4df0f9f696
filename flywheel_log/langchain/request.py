"""What LangChain is about to ask a model, as the body of a request in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from langchain_core.messages import BaseMessage, convert_to_openai_messages
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool

from ..event import JSON
from ..health import guarded
from ..serialise import dumps, loads

# What LangChain tells LangSmith of every model, whatever its own parameters are called.
_STANDARD = {
    "model": "ls_model_name",
    "temperature": "ls_temperature",
    "max_tokens": "ls_max_tokens",
    "stop": "ls_stop",
}
# Parts of an answer that OpenAI's message says beside its content, or not at all.
_NO_CONTENT = frozenset({"function_call", "reasoning", "redacted_thinking", "thinking", "tool_call", "tool_use"})


@guarded("langchain", default=lambda *_: {})
def chat(messages: Sequence[BaseMessage], params: Mapping[str, Any], metadata: Mapping[str, Any]) -> JSON:
    """The body for a conversation.

    Args:
        messages: what is said so far.
        params: LangChain's `invocation_params`, which are the model's own; those that OpenAI has are taken.
        metadata: of the run; LangChain's standard `ls_…` parameters stand in for what *params* do not say.
    """
    named = _named(params, _chat_parameters())
    body: JSON = _standard(metadata)
    if "max_completion_tokens" in named:
        body.pop("max_tokens", None)
    return _as_now(body | {"messages": [message(one) for one in messages]} | named)


@guarded("langchain", default=lambda *_: {})
def completion(prompt: str, params: Mapping[str, Any], metadata: Mapping[str, Any]) -> JSON:
    """The body for a text to be gone on with. Takes what `chat` takes."""
    return _as_now(_standard(metadata) | {"prompt": prompt} | _named(params, _completion_parameters()))


def message(one: BaseMessage) -> JSON:
    """*one* message in OpenAI's shape, with its content, which is null where there are tool calls only."""
    said: JSON = convert_to_openai_messages(one)
    content = said.get("content")
    if said.get("role") == "assistant":
        parts = [part for part in content if not _is_aside(part)] if isinstance(content, list) else content
        texts = all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in parts or ())
        if isinstance(parts, list) and texts:  # Pieces of one answer: where it was cut says nothing.
            parts = "".join(part["text"] for part in parts)
        said["content"] = parts or (None if said.get("tool_calls") else "")
    return said


def _is_aside(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in _NO_CONTENT


def _standard(metadata: Mapping[str, Any]) -> JSON:
    return {key: metadata[name] for key, name in _STANDARD.items() if metadata.get(name) is not None}


def _named(params: Mapping[str, Any], names: frozenset[str]) -> JSON:
    """Those of *params* that are called one of *names*; unset ones are left out, as on the wire."""
    named: JSON = {key: value for key, value in params.items() if key in names and value is not None}
    if "tools" in named:
        named["tools"] = [_tool(one) for one in named["tools"]]
    if "response_format" in named:
        named["response_format"] = _response_format(named["response_format"])
    extra = params.get("extra_body")
    return named | (dict(extra) if isinstance(extra, Mapping) else {})


@guarded("langchain", default=lambda tool: tool)
def _tool(tool: Any) -> Any:
    """*tool*, of whatever vendor's shape, in OpenAI's."""
    return convert_to_openai_tool(tool)


def _response_format(wanted: Any) -> Any:
    if not isinstance(wanted, type):
        return wanted
    schema = {"name": wanted.__name__, "schema": convert_to_json_schema(wanted)}
    return {"type": "json_schema", "json_schema": schema}


def _as_now(body: JSON) -> JSON:
    """*body* as it is now: messages and tools are the program's, which may change them while a stream is read."""
    snapshot: JSON = loads(dumps(body))
    return snapshot


@cache
def _chat_parameters() -> frozenset[str]:
    """What a request may say, as the SDK that is installed declares it."""
    from openai.types.chat import completion_create_params as declared

    # LangChain tells these of other vendors' models, and of the Responses API.
    return frozenset(declared.CompletionCreateParamsBase.__annotations__) | {"reasoning", "stream", "thinking", "top_k"}


@cache
def _completion_parameters() -> frozenset[str]:
    from openai.types import completion_create_params as declared

    return frozenset(declared.CompletionCreateParamsBase.__annotations__) | {"stream", "top_k"}
