"""The mapping of our index, and what is wrong with that of an existing one."""

from __future__ import annotations

from collections.abc import Iterator

from flywheel_log.event import JSON

KEYWORD: JSON = {"type": "keyword", "ignore_above": 1024}
LONG: JSON = {"type": "long"}
FLOAT: JSON = {"type": "float"}
BOOLEAN: JSON = {"type": "boolean"}
TEXT: JSON = {"type": "text"}
FLATTENED: JSON = {"type": "flattened", "depth_limit": 20, "ignore_above": 8191}
KEPT: JSON = {"type": "object", "enabled": False}

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
    "retrieval_docs": {"properties": {"id": KEYWORD, "source": KEYWORD, "score": FLOAT, "distance": FLOAT}},
    "metadata": FLATTENED,
}  # fmt: skip


def _mappings(fields: JSON) -> JSON:
    return {
        "dynamic": "strict",
        "properties": {
            "timestamp": {"type": "date"},
            "client_id": KEYWORD,
            "workload_id": KEYWORD,
            "request": KEPT,
            "response": {"dynamic": False, "properties": {"flywheel_log": {"dynamic": False, "properties": fields}}},
        },
    }


INDEX: JSON = {
    "settings": {"index": {"mapping": {"ignore_malformed": True}, "auto_expand_replicas": "0-1"}},
    "mappings": _mappings(FIELDS),
}

OFFERS: tuple[JSON, ...] = (
    INDEX,
    # "Settings [...] are not available when running in serverless mode" is a 400 of Elastic Cloud Serverless.
    {"mappings": INDEX["mappings"]},
    # "No handler for type [flattened]" is one of OpenSearch: metadata is kept there, but cannot be searched.
    {**INDEX, "mappings": _mappings({**FIELDS, "metadata": KEPT})},
)
"""What an index of ours is made of; the first of these that a server takes is the best it can do."""


# What serves as well as the type that we would give a field: it refuses nothing, and counts and sorts the same.
_AS_GOOD = {
    "boolean": {"boolean"},
    "flattened": {"flattened"},
    "float": {"float", "double", "half_float", "scaled_float"},
    "keyword": {"keyword", "constant_keyword", "wildcard"},
    "long": {"long", "integer", "unsigned_long", "double"},
    "object": {"object", "nested"},
    "text": {"text", "match_only_text"},
}

# The formats of dates that take our timestamps; date_time_no_millis, for one, does not.
_ISO_8601 = {"iso8601", "date_optional_time", "date_time"}
_ISO_8601 |= {f"strict_{name}" for name in ("date_optional_time", "date_optional_time_nanos", "date_time")}

# What is a text in one call and a list or an object in the next.
_MIXED = {"request": ("messages.content", "input", "tool_choice"), "response": ("choices.message.content",)}


def problems(index: str, mappings: JSON) -> list[str]:
    """Say why our documents would be refused or spoiled by the *mappings* that the server has for *index*.

    Each text names what is there and what must be; none when our documents and the blueprint's search fit.
    """
    dynamic = str(mappings.get("dynamic", True)).lower()
    properties = mappings.get("properties", {})
    found = [*_ids(properties, dynamic), *_timestamp(properties, dynamic)]
    for name, mixed in _MIXED.items():
        known = properties.get(name)
        found += [*_object(name, known, dynamic), *_content(name, known, mixed)]
    ours = _at(properties, "response.flywheel_log")
    if ours is not None:
        found += [*_object("response.flywheel_log", ours, "false"), *_fields("response.flywheel_log", ours, FIELDS)]
    return [f"index {index}: {problem}" for problem in found]


def _ids(properties: JSON, dynamic: str) -> Iterator[str]:
    for name in ("client_id", "workload_id"):
        kind = _kind(properties.get(name), dynamic, "text")
        if kind == "text":
            yield f"{name} is text, must be keyword: a search for acme-prod would find acme-dev too"
        elif kind not in _AS_GOOD["keyword"]:
            yield f"{name} is {kind}, must be keyword"


def _timestamp(properties: JSON, dynamic: str) -> Iterator[str]:
    known = properties.get("timestamp")
    kind = _kind(known, dynamic, "date")
    if kind not in ("date", "date_nanos"):
        yield f"timestamp is {kind}, must be date"
    form = (known or {}).get("format", "date_optional_time")
    if _ISO_8601.isdisjoint(form.split("||")):
        yield f"timestamp has the format {form}, must take ISO 8601 (strict_date_optional_time)"


def _object(name: str, known: JSON | None, dynamic: str) -> Iterator[str]:
    kind = _kind(known, dynamic, "object")
    if kind != "object":
        yield f"{name} is {kind}, must be object"
        return
    known = known or {}
    inner = str(known.get("dynamic", dynamic)).lower()
    if not known.get("enabled", True) or inner == "false":
        return
    if inner == "strict":
        yield f"{name} is strict, must have dynamic: false: it would refuse our fields"
    else:
        yield f"{name} maps every key it meets, must have dynamic: false: mixed types are refused"


def _content(name: str, known: JSON | None, mixed: tuple[str, ...]) -> Iterator[str]:
    for path in mixed:
        there = _at((known or {}).get("properties", {}), path)
        if there is not None and (kind := _kind(there, "", "")) not in _AS_GOOD["object"]:
            yield f"{name}.{path} is {kind}, must not be mapped: it may be a list of objects, which would be refused"


def _fields(name: str, known: JSON, wanted: JSON) -> Iterator[str]:
    """Compare what is mapped under *name* with what we *wanted* there; what is not mapped is kept all the same."""
    for key, there in known.get("properties", {}).items():
        right = wanted.get(key)
        if right is None:
            continue
        kind, must = _kind(there, "", ""), _kind(right, "", "")
        inert = must == "flattened" and kind == "object" and not there.get("properties")
        if kind not in _AS_GOOD[must] and not inert:
            yield f"{name}.{key} is {kind}, must be {must}"
        elif must == "object":
            yield from _fields(f"{name}.{key}", there, right["properties"])


def _at(properties: JSON, path: str) -> JSON | None:
    """The mapping of the field at *path*, or None if it is not mapped."""
    key, _, rest = path.partition(".")
    known: JSON | None = properties.get(key)
    return _at(known.get("properties", {}), rest) if rest and known is not None else known


def _kind(known: JSON | None, dynamic: str, guessed: str) -> str:
    """The type a field has, or would get with the first document."""
    if known is None:
        return {"true": guessed, "runtime": "a runtime field"}.get(dynamic, "missing")
    return str(known.get("type", "object"))
