"""The record: one `Event` from creation to disk, and its projections for Elasticsearch and for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NotRequired, TypedDict, cast

from . import projection
from .projection.texts import answer_text, prompt_text

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
    usage_source: NotRequired[Literal["api", "requested", "estimated", "missing"]]
    cost_usd: NotRequired[float]
    sample_rate: NotRequired[float]
    latency_ms: NotRequired[float]
    time_to_first_token_ms: NotRequired[float]
    retries: NotRequired[int]
    server_ms: NotRequired[float]
    queue_ms: NotRequired[float]
    rate_limits: NotRequired[JSON]
    streamed: NotRequired[bool]
    name: NotRequired[str]
    duration_ms: NotRequired[float]
    target: NotRequired[str]
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


_NAMES = ("timestamp", "client_id", "workload_id")
FLYWHEEL_KEYS = ("request", "response", *_NAMES)
_NESTED = "flywheel_log"
_LONGEST_TEXT = 32_000
_DERIVED = ("prompt_text", "output_text")
Path = list[str | int]


def to_document(event: Event) -> JSON:
    """Project *event* to the flywheel document: the five keys the blueprint's strict index accepts, all else nested.

    Everything that is not one of the five goes to `response.flywheel_log`, where the texts of prompt and output stand
    once more to be searched. Bodies of other APIs are projected to those of a chat completion, and stand there as
    `original`. What makes the blueprint's reader stumble is mended: no null request, response, choices, message or
    tools, no null beside an answer's content, a content in every message of the history. The places are noted there
    too, so that `from_document` is the exact inverse. *event* is left as it is.

    Raises:
        TypeError, AttributeError: the request or the response is neither an object nor null.
    """
    return into_document(_loosened(event))


def into_document(event: JSON) -> JSON:
    """Make the document that `to_document` describes of *event* itself, which is used up; for one that was just parsed.

    Raises:
        TypeError, AttributeError: the request or the response is neither an object nor null.
    """
    nulls: list[Path] = []
    absent: list[Path] = []
    document: JSON = {}
    for key in ("request", "response"):
        if (body := event.get(key)) is None:
            (nulls if key in event else absent).append([key])
        document[key] = {} if body is None else body
        event.pop(key, None)
    original = {} if "choices" in document["response"] else _projected(event, document)
    request, response = document["request"], document["response"]
    for key in _NAMES:
        if key in event:
            document[key] = event.pop(key)
    if prompt := prompt_text(request):
        event["prompt_text"] = prompt[:_LONGEST_TEXT]
    if output := answer_text(response):
        event["output_text"] = output[:_LONGEST_TEXT]
    _mend_request(request, nulls, absent)
    _mend_response(response, nulls)
    if original:
        event["original"] = original
    if nulls:
        event["nulls"] = nulls
    if absent:
        event["absent"] = absent
    response[_NESTED] = event
    return document


def from_document(document: JSON) -> Event:
    """Rebuild the `Event` of a flywheel document made by `to_document` (or by another logger: only the five keys)."""
    response = dict(document.get("response") or {})
    rest = {key: value for key, value in (response.pop(_NESTED, None) or {}).items() if key not in _DERIVED}
    nulls, absent = rest.pop("nulls", ()), rest.pop("absent", ())
    event: JSON = {**document, "response": response, **rest.pop("original", {})}
    for path in nulls:
        event = _changed(event, path, lambda parent, key: parent.__setitem__(key, None))
    for path in absent:
        event = _changed(event, path, lambda parent, key: parent.__delitem__(key))
    event.update(rest)
    event.setdefault("kind", "llm")
    return cast(Event, event)


def _loosened(event: Mapping[str, Any]) -> JSON:
    """Copy *event* as deep as a document is mended."""
    loose = dict(event)
    for key, inner in (("request", "messages"), ("response", "choices")):
        if isinstance(body := loose.get(key), dict):
            loose[key] = body = dict(body)
            if isinstance(items := body.get(inner), list):
                body[inner] = [_copied(item) for item in items]
    return loose


def _copied(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {**item, "message": dict(item["message"])} if isinstance(item.get("message"), dict) else dict(item)


def _projected(event: JSON, document: JSON) -> JSON:
    """Put what *document* holds of another API in the shape of a chat completion, and return it as it was."""
    made = dict(zip(("request", "response"), projection.projected(event | document), strict=True))
    original = {key: document[key] for key, body in made.items() if body is not None}
    document.update(_loosened({key: made[key] for key in original}))  # Parts of the original may be in what was made.
    return original


def _mend_request(request: JSON, nulls: list[Path], absent: list[Path]) -> None:
    for key in ("tools", "messages"):
        if request.get(key, "") is None:
            del request[key]
            nulls.append(["request", key])
    messages = request.get("messages")
    for at, message in enumerate(messages) if isinstance(messages, list) else ():
        if isinstance(message, dict) and "content" not in message:
            message["content"] = None
            absent.append(["request", "messages", at, "content"])


def _mend_response(response: JSON, nulls: list[Path]) -> None:
    choices = response.get("choices", ())
    if choices is None:
        del response["choices"]
        nulls.append(["response", "choices"])
    for at, choice in enumerate(choices) if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            _mend_choice(choice, at, nulls)


def _mend_choice(choice: JSON, at: int, nulls: list[Path]) -> None:
    """Training copies a message as it is, so nothing but its content may be null."""
    message = choice.get("message", "")
    if message is None:
        del choice["message"]
        nulls.append(["response", "choices", at, "message"])
    elif isinstance(message, dict) and None in message.values():
        for key in [key for key, value in message.items() if value is None and key != "content"]:
            del message[key]
            nulls.append(["response", "choices", at, "message", key])


def _changed(value: Any, path: Path, change: Callable[[Any, Any], None]) -> Any:
    """Copy *value* along *path* and *change* its end; a path that somebody's edit has cut off changes nothing."""
    key, *rest = path
    try:
        copy: Any = value.copy()
        change(copy, key) if not rest else copy.__setitem__(key, _changed(copy[key], rest, change))
    except (LookupError, TypeError, AttributeError):
        return value
    return copy


def to_flat(event: Event) -> JSON:
    """Project *event* to the ten fields of a plain LLM log record, always all of them; what is unknown is None.

    `prompt` is the text of the last user message (or of a completion's prompt, an embedding's input), `response` the
    text of the first choice, `retrieval_docs` the ids.
    """
    request, response = projection.as_chat(event)
    return {
        "timestamp": event.get("timestamp"),
        "user_id": event.get("user_id"),
        "model": event.get("model"),
        "prompt": prompt_text(request),
        "response": answer_text(response),
        "input_tokens": event.get("input_tokens"),
        "output_tokens": event.get("output_tokens"),
        "latency_ms": event.get("latency_ms"),
        "retrieval_docs": [doc.get("id") for doc in event["retrieval_docs"]] if "retrieval_docs" in event else None,
        "hallucination_flag": event.get("hallucination_flag"),
    }
