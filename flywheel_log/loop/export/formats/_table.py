"""Examples as rows of a table: one value a column, what has structure as JSON."""

from __future__ import annotations

from typing import Any

from ...conversation import text_of
from ..example import Example
from ._lines import line

COLUMNS: dict[str, type] = {
    **dict.fromkeys(("id", "timestamp", "client_id", "workload_id", "user_id", "session_id", "model", "provider"), str),
    **dict.fromkeys(("prompt_name", "prompt_version", "question", "answer", "messages", "tools", "tool"), str),
    **dict.fromkeys(("input_tokens", "output_tokens"), int),
    **dict.fromkeys(("latency_ms", "cost_usd", "score"), float),
    "verdict": str,
}
"""The columns and what is in them; any of them may be unknown."""

_TOO_LARGE = 2**63


def row(one: Example) -> dict[str, Any]:
    """Return *one* as the values of `COLUMNS`, None for what is unknown."""
    event: dict[str, Any] = dict(one.event)
    prompt = event.get("prompt") or {}
    asked = [message for message in one.messages if message.get("role") == "user"]
    known = event | {
        "id": one.id,
        "prompt_name": prompt.get("name"),
        "prompt_version": prompt.get("version"),
        "question": text_of(asked[-1].get("content")) if asked else None,
        "answer": text_of((one.answer or {}).get("content")),
        "messages": line({"messages": [*one.messages, one.answer]}).decode().strip(),
        "tools": line({"tools": one.tools}).decode().strip() if one.tools else None,
        "tool": one.tool or None,
        "score": one.feedback.score,
        "verdict": one.feedback.verdict,
    }
    return {name: _as(kind, known.get(name)) for name, kind in COLUMNS.items()}


def _as(kind: type, value: Any) -> Any:
    try:
        made = None if value is None else kind(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if isinstance(made, int) and abs(made) >= _TOO_LARGE else made
