"""The record: one `Event` from birth to disk, and its projections for Elasticsearch and for eyes."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict, cast

JSON = dict[str, Any]

Kind = Literal["llm", "embedding", "moderation", "step", "retrieval", "feedback", "loss_report"]
Status = Literal["ok", "error", "incomplete"]


class Error(TypedDict, total=False):
    """What went wrong, without secrets: the SDK's error class, its message and the provider's own identifiers."""

    type: str
    message: str
    status_code: int
    code: str
    request_id: str


class Event(TypedDict):
    """One call (or step, retrieval, feedback …) as one line of genai.log.

    Absent means unknown; `null` is only written where the provider sent null. Units are in the names. The five keys
    `timestamp`, `client_id`, `workload_id`, `request` and `response` are those of NVIDIA's Data Flywheel blueprint.
    """

    id: NotRequired[str]
    timestamp: str
    kind: Kind
    client_id: NotRequired[str]
    workload_id: NotRequired[str]
    request: NotRequired[JSON]
    response: NotRequired[JSON]
    surface: NotRequired[str]
    provider: NotRequired[str]
    status: NotRequired[Status]
    error: NotRequired[Error]
    model: NotRequired[str]
    user_id: NotRequired[str]
    session_id: NotRequired[str]
    tags: NotRequired[list[str]]
    metadata: NotRequired[JSON]
    input_tokens: NotRequired[int]
    output_tokens: NotRequired[int]
    cached_tokens: NotRequired[int]
    reasoning_tokens: NotRequired[int]
    usage_source: NotRequired[Literal["api", "requested", "missing"]]
    cost_usd: NotRequired[float]
    latency_ms: NotRequired[float]
    time_to_first_token_ms: NotRequired[float]
    retries: NotRequired[int]
    streamed: NotRequired[bool]
    trace_id: NotRequired[str]
    span_id: NotRequired[str]
    parent_id: NotRequired[str]
    prompt: NotRequired[JSON]
    retrieval_docs: NotRequired[list[JSON]]
    hallucination_flag: NotRequired[bool]
    safety: NotRequired[JSON]
    quality: NotRequired[JSON]
    training_unsafe: NotRequired[list[str]]
    infrastructure: NotRequired[JSON]
    redactions: NotRequired[dict[str, int]]


class Wire:
    """JSON exactly as it went over the wire, kept by reference; parsed only when somebody looks inside."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw


FLYWHEEL_KEYS = ("request", "response", "timestamp", "client_id", "workload_id")
_NESTED = "flywheel_log"


def to_document(event: Event) -> JSON:
    """Project *event* to the flywheel document: the five keys the blueprint's strict index accepts, all else nested.

    Everything that is not one of the five goes to `response.flywheel_log`; `from_document` is the exact inverse.
    """
    fields = cast(JSON, event)
    document = {key: fields[key] for key in FLYWHEEL_KEYS if key in fields}
    rest = {key: value for key, value in fields.items() if key not in FLYWHEEL_KEYS}
    if "response" not in fields:
        rest["no_response"] = True
    document["response"] = {**fields.get("response", {}), _NESTED: rest}
    return document


def from_document(document: JSON) -> Event:
    """Rebuild the `Event` of a flywheel document made by `to_document` (or by another logger: then only the five keys)."""
    response = dict(document.get("response") or {})
    rest = dict(response.pop(_NESTED, {}))
    event = {key: value for key, value in document.items() if key != "response"}
    if not rest.pop("no_response", False):
        event["response"] = response
    event.update(rest)
    event.setdefault("kind", "llm")
    return cast(Event, event)
