"""What an SDK's HTTP response, result or exception says about a call, read without disturbing it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from .. import scope
from ..event import JSON, Error, Wire
from ..health import guarded
from ..serialise import dumps, loads

ERROR = b'"error"'
_SOME_ERROR = re.compile(rb'"error"\s*:\s*[{"]')
_RETRY_COUNT = "x-stainless-retry-count"
_SHORTEST_SECRET = 12  # A shorter one is a placeholder such as "none" or "test", and a word of the prompts.
_AUTHENTICATION = ("authorization", "api-key", "x-api-key")
_OPENS, _CLOSES = b"{}"
_NOT_GIVEN = ("NotGiven", "Omit")
_REQUEST_IDS = ("x-request-id", "request-id", "apim-request-id")


def body(raw: bytes) -> JSON:
    """A response body as a JSON object; what is none is kept as `{"body": …}`, text for what is not even JSON."""
    try:
        parsed = loads(raw)
    except ValueError:
        parsed = raw.decode(errors="replace")
    return parsed if isinstance(parsed, dict) else {"body": parsed}


def event(payload: bytes) -> JSON | None:
    """The JSON object of one event; None for `[DONE]`, and for an event that was cut off with its connection."""
    try:
        parsed = loads(payload)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def may_report(raw: bytes) -> bool:
    """Whether an error may be reported in *raw*: a tool's schema, or what a filter says, may have the word as well."""
    return ERROR in raw and _SOME_ERROR.search(raw) is not None


def reports(event: JSON) -> bool:
    """Whether *event* of a stream reports its failure, at its top: what a tool or a filter says inside is none."""
    return bool(event.get("error")) or event.get("type") == "error"


def request_body(http: Any) -> Wire | None:
    """The JSON body that really went out with *http* (a request or a response), or None where it is not at hand."""
    request = getattr(http, "request", http)
    try:
        raw = request.content
    except Exception:  # noqa: BLE001 - the request was streamed (RequestNotRead of httpx or httpx2)
        return None
    return as_sent(raw) if isinstance(raw, bytes) else None


def written_body(http: Any) -> JSON | None:
    """The body that the program wrote itself, past the SDK's arguments, as far as it is at hand; it may be no JSON."""
    raw = content_of(getattr(http, "request", http))
    return body(raw) if raw else None


def written_object(http: Any) -> JSON:
    """As `written_body`, where it is a JSON object; empty for everything else."""
    return event(content_of(getattr(http, "request", http))) or {}


def as_sent(raw: bytes) -> Wire | None:
    """A body that somebody has parsed, as it came; None for what is no JSON object in UTF-8."""
    if not (raw and raw[0] == _OPENS and raw[-1] == _CLOSES):
        raw = raw.strip()
        if not (raw.startswith(b"{") and raw.endswith(b"}")):
            return None
    return Wire(raw)


def given(body: Mapping[str, Any]) -> JSON:
    """*body* as the SDK was given it, without the objects by which an SDK says that an argument was not given."""
    return {key: value for key, value in body.items() if type(value).__name__ not in _NOT_GIVEN}


def retries(http: Any) -> int | None:
    """How often the SDK had tried before, as it tells the server in a header of its own."""
    headers = getattr(getattr(http, "request", http), "headers", {})
    count = headers.get(_RETRY_COUNT, "")
    return int(count) if count.isdigit() else None


def http_response(result: Any) -> Any:
    """The HTTP response behind an SDK's raw response or stream object, or None."""
    return getattr(result, "http_response", None) or getattr(result, "response", None)


def http_of(error: BaseException) -> Any:
    """The HTTP response that *error* was made from, else the request that got none, or None."""
    try:
        return getattr(error, "response", None) or getattr(error, "request", None)
    except RuntimeError:  # httpx's errors have a property for it, which raises where nobody has set it
        return None


def content_of(http: Any) -> bytes:
    """The body of a response that was read; empty where it was not, or where it is no HTTP response."""
    try:
        content = http.content
    except Exception:  # noqa: BLE001 - not read (ResponseNotRead of httpx or httpx2), or somebody else's object
        return b""
    return content if isinstance(content, bytes) else b""


def plain(value: Any, *, given: bool = False) -> Any:
    """An SDK's object as the JSON it was parsed from, a fake's namespaces as objects; anything else as it is.

    One that the caller made, and has *given*, says more than was set: the role of a `UserMessage` is its default.
    """
    if hasattr(type(value), "model_dump"):
        dump = partial(value.model_dump, mode="json", warnings=False)
        # It may compute its fields, by a decorated function of which it is an argument.
        said = scope.silently(partial(dump, exclude_unset=True))
        return _filled(said, scope.silently(partial(dump, exclude_none=True))) if given else said
    if isinstance(value, SimpleNamespace):
        return {key: plain(item, given=given) for key, item in vars(value).items()}
    if isinstance(value, list):  # Of models, perhaps; lists in lists are left alone, as they may hold themselves.
        return [item if isinstance(item, list) else plain(item, given=given) for item in value]
    return value


def _filled(said: Any, defaults: Any) -> Any:
    """*said*, at every depth, with what *defaults* has in place of nothing."""
    if isinstance(said, dict) and isinstance(defaults, dict):
        return {**defaults, **{key: _filled(item, defaults.get(key)) for key, item in said.items()}}
    if isinstance(said, list) and isinstance(defaults, list) and len(said) == len(defaults):
        return [_filled(*both) for both in zip(said, defaults, strict=True)]
    return defaults if said is None else said


def written(value: JSON) -> bytes:
    """*value*, whatever is in it, as JSON. Nothing is recorded of what its objects do for that."""
    return scope.silently(dumps, value)


def copied(value: JSON) -> JSON:
    """*value*, whatever is in it, as the JSON that it is now."""
    found: JSON = loads(written(value))
    return found


def error_of(error: BaseException) -> Error:
    """What is known of a failed call: class, message and the provider's identifiers."""
    found: Error = {"type": type(error).__name__, "message": _words_of(error)}
    if isinstance(status := getattr(error, "status_code", None), int):
        found["status_code"] = status
    if isinstance(code := getattr(error, "code", None), str):
        found["code"] = code
    if request_id := getattr(error, "request_id", None) or _request_id(getattr(error, "response", None)):
        found["request_id"] = request_id
    return found


@guarded("capture", default=lambda _: "")
def _words_of(error: BaseException) -> str:
    return str(error)


def error_in(payload: JSON, http: Any) -> Error:
    """The error that a provider sent inside a stream, or as the body of a response."""
    said = payload["error"] if isinstance(payload.get("error"), dict) else payload
    message = said.get("message") or payload.get("error") or "the provider reported an error"
    found: Error = {"type": str(said.get("type") or "error"), "message": str(message)}
    if isinstance(code := said.get("code"), str):
        found["code"] = code
    if request_id := _request_id(http):
        found["request_id"] = request_id
    return found


def _request_id(http: Any) -> str | None:
    headers = getattr(http, "headers", {})
    return next((headers[name] for name in _REQUEST_IDS if headers.get(name)), None)


def secrets_of(client: Any) -> tuple[str, ...]:
    """What *client* authenticates with; none of it may reach a record."""
    found = (getattr(client, name, None) for name in ("api_key", "auth_token"))
    return tuple(secret for secret in found if isinstance(secret, str) and len(secret) >= _SHORTEST_SECRET)


def credentials(http: Any) -> tuple[str, ...]:
    """What went out in the headers of *http* (a request or a response) to authenticate it, whoever put it there."""
    headers = getattr(getattr(http, "request", http), "headers", None) or {}
    found = (str(headers.get(name) or "").rpartition(" ")[2] for name in _AUTHENTICATION)
    return tuple(secret for secret in found if len(secret) >= _SHORTEST_SECRET)


def scrubbed(value: Any, secrets: tuple[str, ...]) -> Any:
    """*value*, any JSON, without *secrets*."""
    if isinstance(value, Wire):
        raw = value.raw
        for secret in secrets:
            raw = raw.replace(secret.encode(), b"[redacted]")
        return Wire(raw)
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "[redacted]")
        return value
    if isinstance(value, dict):
        return {key: scrubbed(item, secrets) for key, item in value.items()}
    return [scrubbed(item, secrets) for item in value] if isinstance(value, list) else value
