"""POST /chat/completions."""

from __future__ import annotations

import re

from ...event import JSON, Kind
from . import arguments
from .delta import by_choice, merge_logprobs, merge_message, tool_call_whole

NAME = "chat.completions"
PATH = "/chat/completions"
KIND: Kind = "llm"
TEXT = re.compile(rb'"(?:content|reasoning\w*|arguments)"\s*:\s*"')
FIRST_TEXT = re.compile(rb'"(?:content|reasoning\w*|refusal|arguments|transcript|name|text)"\s*:\s*"[^"]')
SUMS_UP = None
SAYS = frozenset({"chat.completion", "chat.completion.chunk"})

_UNSAFE_FINISH = {"length": "length", "max_tokens": "length", "content_filter": "content_filter", "refusal": "refusal"}
"""How answers end that are not whole; some servers name it in the words of Anthropic's."""


def assemble(events: list[JSON]) -> JSON:
    """Fold chunks into a `chat.completion`; choices are kept apart by their index."""
    response, choices = by_choice(events, _merge_choice)
    whole = [_whole(index, choice) for index, choice in choices]
    return response | {"object": "chat.completion", "choices": whole}


def _merge_choice(choice: JSON, delta: JSON) -> None:
    merge_message(choice.setdefault("message", {}), delta.get("delta") or {})
    for key, value in delta.items():
        if key == "logprobs" and value:
            merge_logprobs(choice.setdefault("logprobs", {}), value)
        elif key not in ("delta", "index") and (value is not None or key not in choice):
            choice[key] = value


def _whole(index: int, choice: JSON) -> JSON:
    message = choice.pop("message")
    calls = [tool_call_whole(call) for call in message.pop("tool_calls", [])]
    message = {"role": "assistant", "content": None} | message | ({"tool_calls": calls} if calls else {})
    return {"index": index, "message": message, "finish_reason": None} | choice


def tokens(response: JSON) -> JSON:
    """Token counts of a `usage` object as chat completions, legacy completions and embeddings have it.

    Groq sends it unasked, in a field of its own, with the seconds that the call stood in its queue:
    https://console.groq.com/docs/api-reference
    """
    usage = response.get("usage") or (response.get("x_groq") or {}).get("usage")
    if not isinstance(usage, dict):
        return {}
    get = usage.get
    found = {"input_tokens": get("prompt_tokens"), "output_tokens": get("completion_tokens")}
    if prompt := get("prompt_tokens_details"):
        found["cached_tokens"] = prompt.get("cached_tokens")
    if completion := get("completion_tokens_details"):
        found["reasoning_tokens"] = completion.get("reasoning_tokens")
    if isinstance(queued := get("queue_time"), float):
        found["queue_ms"] = round(queued * 1000, 2)
    return {key: value for key, value in found.items() if value is not None} if None in found.values() else found


def finished(response: JSON, request: JSON) -> bool:
    """Whether every choice that was asked for has its finish reason."""
    choices = response.get("choices") or []
    return len(choices) >= (request.get("n") or 1) and all(choice.get("finish_reason") for choice in choices)


def marks(response: JSON) -> list[str]:
    """Reasons of the choices, and `no_choices` where there is none."""
    choices = response.get("choices")
    if not isinstance(choices, list) or not choices:
        return ["no_choices"]
    found: list[str] = []
    for choice in choices:
        if isinstance(choice, dict) and (seen := _choice_marks(choice)):
            found += seen
    return sorted(set(found)) if found else found


def _is_citation(note: object) -> bool:
    return isinstance(note, dict) and note.get("type") == "url_citation"


def _choice_marks(choice: JSON) -> list[str]:
    message = choice.get("message")
    if not isinstance(message, dict):
        return ["no_message"]
    get = message.get
    found = [_UNSAFE_FINISH[finish]] if (finish := choice.get("finish_reason")) in _UNSAFE_FINISH else []
    if get("refusal"):
        found.append("refusal")
    if (notes := get("annotations")) and any(map(_is_citation, notes)):
        found.append("hosted_tool")
    calls = get("tool_calls")
    written = [(call.get("function") or {}).get("arguments") for call in calls] if calls else []
    if function := get("function_call"):
        written.append(function.get("arguments"))
    if written and not all(map(arguments.valid, written)):
        found.append("invalid_tool_arguments")
    return found
