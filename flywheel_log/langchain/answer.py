"""A model's answer, as LangChain reports it, as an outcome in the shape of a chat completion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk, LLMResult

from ..capture.outcome import Outcome, of_error
from ..event import JSON
from ..health import guarded
from ..projection.chat import objects
from .request import message

# How the vendors say why a model has stopped, where LangChain passes that on, and OpenAI's words for it.
_REASONS = ("finish_reason", "stop_reason", "done_reason", "stopReason", "finishReason")
_FINISHED = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "tool_use": "tool_calls",
    "safety": "content_filter",
    "refusal": "content_filter",
    "guardrail_intervened": "content_filter",
}
_PIECES = (ChatGenerationChunk, GenerationChunk)


@guarded("langchain", default=lambda *_: None)
def outcome(result: LLMResult) -> Outcome | None:
    """The outcome of a run that has ended well, or None where *result* cannot be read."""
    return Outcome(_response(result))


@guarded("langchain", default=lambda error, _: of_error(error))
def failure(error: BaseException, result: LLMResult | None) -> Outcome:
    """The outcome of a run that *error* has ended, with what had come until then, as far as *result* has it."""
    found = of_error(error)
    pieces: list[Any] = [
        one for choices in (result.generations if result else ()) for one in choices if isinstance(one, _PIECES)
    ]
    if not pieces:
        return found
    return Outcome(_response(LLMResult(generations=[pieces])), found.error, whole=False)


@guarded("langchain", default=lambda *_: False)
def is_cached(result: LLMResult) -> bool:
    """Whether LangChain had the answer in its cache: then nobody was called. It says so by a cost of zero."""
    said = [getattr(one, "message", None) for choices in result.generations for one in choices]
    costs = [dict(one.usage_metadata or {}).get("total_cost") for one in said if isinstance(one, AIMessage)]
    return bool(costs) and all(cost == 0 for cost in costs)


@guarded("langchain", default=lambda *_: False)
def says_something(token: Any, chunk: Any) -> bool:
    """Whether a piece of a stream says anything: text, a part of a tool call, or of what the model thinks."""
    said = getattr(chunk, "message", None)
    if said is None:
        return bool(token)
    return bool(said.content or getattr(said, "tool_call_chunks", None) or said.additional_kwargs)


def _response(result: LLMResult) -> JSON:
    """The answer as a `chat.completion`, or as a `text_completion` where no messages were exchanged."""
    choices = result.generations[0] if result.generations else []
    output = result.llm_output or {}
    said = [one.message for one in choices if isinstance(one, ChatGeneration)]
    about = said[0].response_metadata if said else {}
    response: JSON = {
        "id": output.get("id") or about.get("id") or next((one.id for one in said), None),
        "object": "chat.completion" if said or not choices else "text_completion",
        "model": about.get("model_name") or output.get("model_name") or about.get("model"),
        "choices": [_choice(index, one) for index, one in enumerate(choices)],
        "system_fingerprint": about.get("system_fingerprint") or output.get("system_fingerprint"),
        "service_tier": about.get("service_tier") or output.get("service_tier"),
        "usage": _usage(next((one for one in said if isinstance(one, AIMessage)), None)) or output.get("token_usage"),
    }
    return {key: value for key, value in response.items() if value or key == "choices"}


def _choice(index: int, one: Generation) -> JSON:
    about = dict(one.generation_info or {})
    if not isinstance(one, ChatGeneration):
        choice: JSON = {"index": index, "text": one.text}
    else:
        about = {**one.message.response_metadata, **about}
        choice = {"index": index, "message": _message(one)}
    choice["finish_reason"] = _finish_reason(about, called=bool((choice.get("message") or {}).get("tool_calls")))
    if about.get("logprobs"):
        choice["logprobs"] = about["logprobs"]
    return choice


def _message(one: ChatGeneration) -> JSON:
    """The assistant's message, with the tool calls whose arguments LangChain could not read, and what goes beside."""
    said = message(one.message)
    broken = getattr(one.message, "invalid_tool_calls", None) or ()
    calls = [*said.get("tool_calls", ()), *(_broken_call(call) for call in broken)]
    if calls:
        said["tool_calls"] = calls
        said["content"] = said["content"] or None
    more = one.message.additional_kwargs
    for key in ("refusal", "audio", "function_call"):
        if more.get(key):
            said[key] = more[key]
    if thought := _reasoning(one.message):
        said["reasoning_content"] = thought
    return said


def _broken_call(call: Mapping[str, Any]) -> JSON:
    function = {"name": call.get("name"), "arguments": call.get("args") or ""}
    return {"id": call.get("id"), "type": "function", "function": function}


def _reasoning(said: Any) -> str:
    """What the model thought, where LangChain passes it on: in a field of its own or among the parts of the content."""
    if isinstance(thought := said.additional_kwargs.get("reasoning_content"), str):
        return thought
    return "".join(map(_thought, objects(said.content)))


def _thought(block: Mapping[str, Any]) -> str:
    if block.get("type") == "thinking":
        return str(block.get("thinking") or "")
    if block.get("type") != "reasoning":
        return ""
    parts = [one.get("text") for one in objects(block.get("summary"))]
    return str(block.get("reasoning") or "".join(part for part in parts if part))


def _finish_reason(about: Mapping[str, Any], *, called: bool) -> str | None:
    """OpenAI's word for why the model has stopped; None where nobody says it."""
    cut = about.get("incomplete_details")
    said = cut.get("reason") if isinstance(cut, Mapping) else None
    done = "completed" if about.get("status") == "completed" else None
    reason = said or next((about[key] for key in _REASONS if about.get(key)), done)
    if reason is None:
        return None
    word = _FINISHED.get(str(reason).lower(), str(reason).lower())
    return "tool_calls" if called and word == "stop" else word


def _usage(said: AIMessage | None) -> JSON | None:
    """LangChain's `UsageMetadata` under OpenAI's names."""
    usage = dict((said.usage_metadata if said else None) or {})
    if not usage.get("total_tokens"):
        return None
    found: JSON = {
        "prompt_tokens": usage.get("input_tokens"),
        "completion_tokens": usage.get("output_tokens"),
        "total_tokens": usage["total_tokens"],
    }
    cached = _detail(usage.get("input_token_details"), "cache_read")
    reasoned = _detail(usage.get("output_token_details"), "reasoning")
    if cached is not None:
        found["prompt_tokens_details"] = {"cached_tokens": cached}
    if reasoned is not None:
        found["completion_tokens_details"] = {"reasoning_tokens": reasoned}
    return found


def _detail(details: Any, name: str) -> int | None:
    """The figure called *name*, also where LangChain puts the service's tier in front of it."""
    return next((value for key, value in (details or {}).items() if key.endswith(name)), None)
