"""LiteLLM's answers in OpenAI's shape."""

from __future__ import annotations

from typing import Any

from ..capture import wire
from ..event import JSON

_MAY_BE_NULL = frozenset({"content", "finish_reason"})
_OFTEN_EMPTY = frozenset({"annotations", "provider_specific_fields"})
_OF_RESPONSES = {
    "prompt_tokens": "input_tokens",
    "prompt_tokens_details": "input_tokens_details",
    "completion_tokens": "output_tokens",
    "completion_tokens_details": "output_tokens_details",
}


def without_nulls(response: Any) -> JSON:
    """LiteLLM's *response* without the nulls that it puts where a vendor says nothing; a message keeps its content."""
    said = wire.plain(response)
    if not isinstance(said, dict):
        return {"body": said}
    if said.get("object") == "response":
        said = {**said, "usage": _usage_of(response)}
    return {key: _bare(value) for key, value in said.items() if value is not None}


def _usage_of(response: Any) -> Any:
    """The counts of the Responses API under its own names: LiteLLM has put those of chats in their place by now."""
    counts = wire.plain(response.get("usage") if isinstance(response, dict) else getattr(response, "usage", None))
    return {_OF_RESPONSES.get(key, key): count for key, count in counts.items()} if isinstance(counts, dict) else None


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: bare for key, one in value.items() if _is_said(key, bare := _bare(one))}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _is_said(key: str, value: Any) -> bool:
    if value is None:
        return key in _MAY_BE_NULL
    return bool(value) or key not in _OFTEN_EMPTY
