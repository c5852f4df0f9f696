"""How a call ended: its response, its error, and whether the response is whole, read from what came back."""

from __future__ import annotations

import json
import re
from typing import Any

from ..event import JSON, Error, Status, Wire
from ..health import guarded
from ..serialise import dumps
from . import wire
from .streams import amazon, sse
from .streams.tap import is_event_stream
from .streams.tape import Tape
from .surfaces import Surface

_ESCAPE = re.compile(r"""(\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))|\\""")  # one of JSON's, else a backslash alone
_UNREAD = (ValueError, RecursionError)


class Outcome:
    """What `Call` makes its event from.

    Attributes:
        response: None where nothing came back, bytes where nobody looks inside.
        error: what somebody reported, or raised.
        whole: whether the response came to its end.
        status: `error` where there is one, `incomplete` where the answer was left or cut off, else `ok`.
    """

    __slots__ = ("error", "response", "status", "whole")

    def __init__(self, response: JSON | Wire | None, error: Error | None = None, *, whole: bool = True) -> None:
        self.response = response
        self.error = error
        self.whole = whole
        self.status: Status = "error" if error is not None else "ok" if whole else "incomplete"


def of_result(result: Any) -> Outcome:
    """From the SDK's object alone, where its HTTP response is out of reach."""
    response = wire.plain(result)
    return Outcome(response if isinstance(response, dict) else {"body": response})


def of_body(raw: bytes, http: Any, *, parsed: bool = False) -> Outcome:
    """From a body that was read to its end; one that the SDK has *parsed* need not be parsed here too."""
    if parsed and not wire.may_report(raw) and (sent := wire.as_sent(raw)) is not None:
        return Outcome(sent)
    response = wire.body(raw)
    reported = response.get("error") and "choices" not in response
    return Outcome(response, wire.error_in(response, http) if reported else None)


def of_partial_body(tape: Tape, http: Any, error: BaseException | None) -> Outcome:
    """From a body the caller was left to read (`with_streaming_response`), and may not have read to its end."""
    raw = tape.body()
    length = http.headers.get("content-length", "")
    left = error is not None or not raw or (length.isdigit() and http.num_bytes_downloaded < int(length))
    if left or tape.cut:
        return Outcome({"body": raw.decode(errors="replace")} if raw else None, _unless_left(error), whole=False)
    return of_body(raw, http)


def of_stream(surface: Surface, tape: Tape, request: JSON, http: Any, error: BaseException | None) -> Outcome | None:
    """From the events of a stream as far as the caller took them; *error* is what ended it before its end.

    None where it is a body without events, as of a server that does not stream.
    """
    payloads = _payloads(tape, http)
    if not payloads and not is_event_stream(http) and not amazon.is_stream(http):
        return None
    if done := bool(payloads) and payloads[-1].startswith(sse.DONE):
        payloads.pop()
    events = _events(payloads)
    if len(events) < len(payloads) and surface.SUMS_UP is not None:  # What sums up the others did not come whole.
        events = _events(tape.payloads(summed_up=False))
    failure = next(filter(wire.reports, events), None)
    response = _assembled(surface, [event for event in events if event is not failure])
    if failure is None and response.get("error"):
        failure = response
    reported = wire.error_in(failure, http) if failure is not None else _unless_left(error)
    if reported is None and tape.events and not done and (error is None or isinstance(error, GeneratorExit)):
        reported = _garbled(tape)
    whole = (done or _finished(surface, response, request)) and not tape.cut
    # As bytes, like an answer that came in one piece: whoever delivers it looks inside.
    said = response if reported is not None else Wire(dumps(response))
    return Outcome(said if events else None, reported, whole=whole)


def _events(payloads: list[bytes]) -> list[JSON]:
    return [event for payload in payloads if (event := wire.event(payload) or _legible(payload)) is not None]


def _legible(payload: bytes) -> JSON | None:
    """What can be read of an event with characters or escapes that JSON lacks; a whole run may end with one."""
    text = _ESCAPE.sub(lambda found: found[1] or "\\\\", payload.decode(errors="replace"))
    try:
        parsed = json.loads(text, strict=False)
    except _UNREAD:
        return None
    return parsed if isinstance(parsed, dict) else None


def _garbled(tape: Tape) -> Error | None:
    """What is wrong with the event at which the stream was left: where it is no JSON, the SDK has raised that."""
    try:
        json.loads(tape.left_at().decode() or "{}")
    except _UNREAD as error:
        return wire.error_of(error)
    return None


def _payloads(tape: Tape, http: Any) -> list[bytes]:
    if amazon.is_stream(http):
        return amazon.payloads(tape.body())
    return tape.payloads() if tape.events else []


@guarded("surface", default=lambda _, events: {"unassembled": len(events)})
def _assembled(surface: Surface, events: list[JSON]) -> JSON:
    """The response that *events* amount to; where a server sends what nobody expects, how many there were.

    Not the events themselves: in their pieces of text no secret can be recognised.
    """
    return surface.assemble(events)


@guarded("surface", default=lambda *_: False)
def _finished(surface: Surface, response: JSON, request: JSON) -> bool:
    return surface.finished(response, request)


def of_error(error: BaseException, http: Any = None) -> Outcome:
    """From what the SDK raised instead of an answer, or of the answer in *http*, which it could not read."""
    reported = _unless_left(error)
    if reported is None:
        return Outcome(None, whole=False)
    if getattr(http, "is_success", False) and (raw := wire.content_of(http)):
        return Outcome(wire.body(raw), reported)
    said = wire.body(wire.content_of(getattr(error, "response", None)))
    return Outcome({"error": said.get("error") or dict(reported)}, reported)


def _unless_left(error: BaseException | None) -> Error | None:
    # What takes a caller away is no `Exception`, by convention: a cancelled task of asyncio or trio, an interrupt.
    return wire.error_of(error) if isinstance(error, Exception) else None
