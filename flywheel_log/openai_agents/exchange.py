"""A span of the Agents SDK as the request and the answer of the API that was called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..capture import wire
from ..event import JSON
from ..projection import projected
from ..projection.chat import objects

# What OpenAI's Responses API repeats of the request in its answer.
_ECHOED = (
    *("model", "instructions", "temperature", "top_p", "max_output_tokens", "tools", "tool_choice", "text"),
    *("parallel_tool_calls", "previous_response_id", "reasoning", "truncation", "service_tier"),
)
_CHAT = ("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty", "tool_choice")


def responses(data: Any) -> tuple[JSON, JSON | None]:
    """The request and the answer of the Responses API, which repeats most of the request in its answer."""
    if data.response is None:  # The call failed, or the SDK was told to leave out what is sensitive.
        # The id has no other name, and is not there in every release; 0.20 tells of the counts alone.
        told = {"id": getattr(data, "_response_id", None), "usage": getattr(data, "usage", None)}
        return {}, {key: value for key, value in told.items() if value} if told["usage"] else None
    answer = cast(JSON, wire.plain(data.response))
    asked = {key: answer[key] for key in _ECHOED if answer.get(key) is not None}
    return {**asked, "input": data.input}, answer


def chat(data: Any) -> tuple[JSON, JSON | None]:
    """The request and the answer of a chat completion, as far as the SDK tells them."""
    config = data.model_config or {}
    asked = {"model": data.model, "messages": data.input}
    asked |= {key: config[key] for key in _CHAT if config.get(key) is not None}
    said = [dict(one) for one in data.output or ()]
    usage = _usage(data.usage or {})
    if not said and not usage:
        return asked, None
    answer: JSON = {"object": "chat.completion", "model": data.model}
    answer["choices"] = [{"index": place, "message": _message(one)} for place, one in enumerate(said)]
    return asked, answer | ({"usage": usage} if usage else {})


def _message(said: JSON) -> JSON:
    """The assistant's message; of a stream the SDK makes a response of the Responses API, whatever it came from."""
    if _is_streamed(said):
        _, made = projected({"surface": "responses", "response": said})
        thought = "".join(_thoughts(said["output"])) or None
        said = made["choices"][0]["message"] if made is not None else {"role": "assistant", "content": None}
        said = {**said, "reasoning_content": thought}
    return {key: value for key, value in said.items() if value is not None or key == "content"}


def _thoughts(items: Any) -> Iterator[str]:
    for item in objects(items):
        if item.get("type") == "reasoning":
            parts = [*objects(item.get("summary")), *objects(item.get("content"))]
            yield from (part["text"] for part in parts if isinstance(part.get("text"), str))


def _is_streamed(said: Mapping[str, Any]) -> bool:
    return "output" in said


def _usage(usage: JSON) -> JSON:
    """The counts under a chat's names; none where all are zero, as the SDK has them for a stream that told none."""
    if not (usage.get("input_tokens") or usage.get("output_tokens")):
        return {}
    names = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "total_tokens": "total_tokens"}
    names |= {f"{chat}_details": f"{own}_details" for chat, own in names.items() if chat != own}
    return {chat: usage[own] for chat, own in names.items() if usage.get(own) is not None}


def is_stream(data: Any) -> bool:
    """Whether it was a stream, as far as the SDK tells: of the Responses API it does not."""
    return any(_is_streamed(one) for one in getattr(data, "output", None) or ())
