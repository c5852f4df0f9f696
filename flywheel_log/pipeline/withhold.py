"""Withhold what was said: no prompts, no outputs, only numbers, names and outcomes (`content="off"`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ..event import JSON, Event
from ..projection.chat import objects
from .parse import parse

if TYPE_CHECKING:
    from .redact import Redactor

_REQUEST = ("model", "stream", "n", "temperature", "top_p", "max_tokens", "max_completion_tokens", "seed")
_RESPONSE = (
    *("id", "object", "created", "created_at", "model", "status", "usage", "service_tier", "system_fingerprint"),
    *("type", "role", "stop_reason"),  # Anthropic's
    *("responseId", "modelVersion", "usageMetadata"),  # Google's
)
_ENDS = {"choices": ("index", "finish_reason"), "candidates": ("index", "finishReason")}
_MADE_BY_US = frozenset(
    {
        *("id", "timestamp", "kind", "client_id", "workload_id", "surface", "provider", "status", "model", "streamed"),
        *("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "usage_source", "retries"),
        *("latency_ms", "time_to_first_token_ms", "trace_id", "span_id", "parent_id", "sample_rate"),
    }
)
_PROMPT = ("name", "version", "template_hash")
_GROUPED_BY = ("label", "method", "scale", "thumbs")


def withhold(logger: Any, method: str, event: Event) -> Event:
    """Keep of *event* what counts and names, and nothing that was said by or to the model."""
    fields = cast(JSON, parse(logger, method, event))
    fields.pop("retrieval_docs", None)
    for key, keep in _KEPT.items():
        if kept := keep(fields.pop(key, None)):
            fields[key] = kept
    if isinstance(request := fields.get("request"), dict):
        fields["request"] = {key: request[key] for key in _REQUEST if key in request}
    if isinstance(response := fields.get("response"), dict):
        fields["response"] = {key: response[key] for key in _RESPONSE if key in response} | _finishes(response)
    if isinstance(error := fields.get("error"), dict):
        fields["error"] = {key: value for key, value in error.items() if key != "message"}
    return event


def bare(event: Mapping[str, Any], redactor: Redactor | None, names: Mapping[str, str]) -> Event:
    """Return of *event* what no user wrote: times, counts, identifiers and the outcome, marked `unredacted`.

    For events that could not be cleaned: their texts, tags, metadata and persons are as doubtful as their content. What
    names them (by default *names*) goes through *redactor* once more; if it is that which fails, *names* are all of it.
    """
    kept = cast(Event, {key: value for key, value in {**names, **event}.items() if key in _MADE_BY_US})
    kept["training_unsafe"] = ["unredacted"]
    try:
        return (redactor and redactor.event(kept)) or kept
    except Exception:  # noqa: BLE001 - the event is told of as one that was dropped
        return cast(Event, {**kept, **names})


def _finishes(response: JSON) -> JSON:
    """How each answer ended, and nothing of what it says."""
    return {
        name: [{key: one[key] for key in kept if key in one} for one in objects(response[name])]
        for name, kept in _ENDS.items()
        if isinstance(response.get(name), list)
    }


def _names(prompt: Any) -> JSON:
    """Which wording it is of which prompt, and nothing of what was put into it."""
    return {key: prompt[key] for key in _PROMPT if key in prompt} if isinstance(prompt, dict) else {}


def _figures(found: Any) -> JSON:
    """What *found* says in numbers, at any depth, and in words to count by; not in comments and corrections."""
    if not isinstance(found, dict):
        return {}
    kept = {key: _figures(one) if isinstance(one, dict) else one for key, one in found.items()}
    return {key: one for key, one in kept.items() if (one and key in _GROUPED_BY) or _counts(one)}


def _counts(value: Any) -> bool:
    return isinstance(value, (int, float)) or (isinstance(value, dict) and bool(value))


_KEPT = {"prompt": _names, "quality": _figures, "safety": _figures}
