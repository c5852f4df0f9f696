"""What our index looks like, and what is wrong with one that was there before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]

KEYWORD: JSON = {"type": "keyword", "ignore_above": 1024}
LONG: JSON = {"type": "long"}
FLOAT: JSON = {"type": "float"}
BOOLEAN: JSON = {"type": "boolean"}
TEXT: JSON = {"type": "text"}
FLATTENED: JSON = {"type": "flattened", "depth_limit": 20, "ignore_above": 8191}

FIELDS: JSON = {
    **dict.fromkeys(
        ("id", "kind", "surface", "provider", "status", "model", "user_id", "session_id", "tags", "usage_source",
         "trace_id", "span_id", "parent_id", "name", "target", "training_unsafe", "refused"),
        KEYWORD,
    ),
    **dict.fromkeys(("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "retries"), LONG),
    **dict.fromkeys(("cost_usd", "latency_ms", "duration_ms", "time_to_first_token_ms"), FLOAT),
    **dict.fromkeys(("streamed", "hallucination_flag"), BOOLEAN),
    **dict.fromkeys(("prompt_text", "output_text"), TEXT),
    "error": {"properties": {"type": KEYWORD, "code": KEYWORD, "status_code": LONG, "message": TEXT}},
    "prompt": {"properties": {"name": KEYWORD, "version": KEYWORD, "template_hash": KEYWORD}},
    "retrieval_docs": {"properties": {"id": KEYWORD, "source": KEYWORD, "score": FLOAT}},
    "metadata": FLATTENED,
}  # fmt: skip

MAPPINGS: JSON = {
    "dynamic": "strict",
    "properties": {
        "timestamp": {"type": "date"},
        "client_id": KEYWORD,
        "workload_id": KEYWORD,
        "request": {"type": "object", "enabled": False},
        "response": {"dynamic": False, "properties": {"flywheel_log": {"dynamic": False, "properties": FIELDS}}},
    },
}

INDEX: JSON = {
    "settings": {"index": {"mapping": {"ignore_malformed": True}, "auto_expand_replicas": "0-1"}},
    "mappings": MAPPINGS,
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an index.

    Attributes:
        what: the fact, naming what is there and what must be.
        spoils: whether documents must wait, because storing them so would refuse or spoil them.
    """

    what: str
    spoils: bool


def problems(index: str, mappings: JSON) -> list[Problem]:
    """Check the *mappings* that the server has for *index*; empty when our documents and the blueprint's search fit."""
    dynamic = str(mappings.get("dynamic", True)).lower()
    properties = mappings.get("properties", {})
    found = [*_ids(properties, dynamic), *_timestamp(properties, dynamic)]
    for name in ("request", "response"):
        found += _object(name, properties.get(name), dynamic)
    return [Problem(f"index {index}: {problem.what}", problem.spoils) for problem in found]


def _ids(properties: JSON, dynamic: str) -> Iterator[Problem]:
    for name in ("client_id", "workload_id"):
        kind = _kind(properties.get(name), dynamic, "text")
        if kind == "text":
            yield Problem(
                f"{name} is text, must be keyword: a search for acme-prod would find acme-dev too", spoils=True
            )
        elif kind not in ("keyword", "constant_keyword", "wildcard"):
            yield Problem(f"{name} is {kind}, must be keyword", spoils=True)


def _timestamp(properties: JSON, dynamic: str) -> Iterator[Problem]:
    known = properties.get("timestamp")
    kind = _kind(known, dynamic, "date")
    if kind not in ("date", "date_nanos"):
        yield Problem(f"timestamp is {kind}, must be date", spoils=True)
    form = (known or {}).get("format", "date_optional_time")
    if not any(name in form for name in ("date_optional_time", "date_time", "iso8601")):
        yield Problem(f"timestamp has the format {form}, must take ISO 8601 (strict_date_optional_time)", spoils=True)


def _object(name: str, known: JSON | None, dynamic: str) -> Iterator[Problem]:
    kind = _kind(known, dynamic, "object")
    if kind != "object":
        yield Problem(f"{name} is {kind}, must be object", spoils=True)
        return
    known = known or {}
    inner = str(known.get("dynamic", dynamic)).lower()
    if not known.get("enabled", True) or inner == "false":
        return
    if inner == "strict":
        yield Problem(f"{name} is strict, must have dynamic: false: it would refuse our fields", spoils=True)
    else:
        yield Problem(
            f"{name} maps every key it meets, should have dynamic: false: mixed types are refused", spoils=False
        )


def _kind(known: JSON | None, dynamic: str, guessed: str) -> str:
    """The type a field has, or would get with the first document."""
    if known is None:
        return {"true": guessed, "runtime": "a runtime field"}.get(dynamic, "missing")
    return str(known.get("type", "object"))
