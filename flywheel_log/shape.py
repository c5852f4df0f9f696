"""The types of the values in a record: readers skip a record with other types, and nothing of ours writes one."""

from __future__ import annotations

from typing import Any

NUMBER = (int, float)
TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("request", "response", "error", "metadata", "prompt", "safety", "quality", "redactions"), dict),
    **dict.fromkeys(("tags", "retrieval_docs", "training_unsafe"), list),
    **dict.fromkeys(("id", "timestamp", "kind", "status", "client_id", "workload_id", "model", "surface"), str),
    **dict.fromkeys(("trace_id", "span_id", "parent_id", "name", "target"), str),
    **dict.fromkeys(("input_tokens", "output_tokens", "cached_tokens", "cost_usd"), NUMBER),
    **dict.fromkeys(("latency_ms", "time_to_first_token_ms", "duration_ms"), NUMBER),
}


def fits(key: str, value: Any) -> bool:
    """Tell whether *value* is one that readers understand as a record's *key*; null passes for unknown."""
    return value is None or isinstance(value, TYPES.get(key, object))
