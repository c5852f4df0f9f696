"""LiteLLM's answers in OpenAI's shape."""

from __future__ import annotations

from typing import Any

from ..event import JSON

_MAY_BE_NULL = frozenset({"content", "finish_reason"})
_OFTEN_EMPTY = frozenset({"annotations", "provider_specific_fields"})


def told(response: Any) -> JSON:
    """LiteLLM's *response* without the nulls that it puts where a vendor says nothing; a message keeps its content."""
    if not isinstance(response, dict):
        return {"body": response}
    return {key: _bare(value) for key, value in response.items() if value is not None}


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items() if _is_said(key, one)}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _is_said(key: str, value: Any) -> bool:
    if value is None:
        return key in _MAY_BE_NULL
    return bool(value) or key not in _OFTEN_EMPTY
