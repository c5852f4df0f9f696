"""Flat records, as `file:…?format=flat` and many a plain logger write them, back into events as far as that goes."""

from __future__ import annotations

from typing import cast

from flywheel_log.event import JSON, Event

_SAME = ("timestamp", "user_id", "model", "input_tokens", "output_tokens", "latency_ms", "hallucination_flag")


def is_flat(record: JSON) -> bool:
    """Tell whether *record* has its prompt, and perhaps its response, as plain strings."""
    return isinstance(record.get("prompt"), str) and isinstance(record.get("response"), str | None)


def from_flat(record: JSON) -> Event:
    """Rebuild the event of a flat record: one question, one answer, and the numbers that are known."""
    event: JSON = {name: record[name] for name in _SAME if record.get(name) is not None}
    model = {"model": record["model"]} if record.get("model") is not None else {}
    event |= {"kind": "llm", "request": model | {"messages": [{"role": "user", "content": record["prompt"]}]}}
    if record.get("response") is not None:
        message = {"role": "assistant", "content": record["response"]}
        event["response"] = {"choices": [{"index": 0, "message": message}]}
    if isinstance(record.get("retrieval_docs"), list):
        event["retrieval_docs"] = [{"id": identity} for identity in record["retrieval_docs"]]
    return cast(Event, event)
