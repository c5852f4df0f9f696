"""The middleware: every call made for a request says who asked, streams and background tasks included."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import flywheel_log
from flywheel_log.asgi import FlywheelMiddleware
from flywheel_log.event import Event
from flywheel_log.health import health


@flywheel_log.logged_llm(workload_id="answer")
def answer(text: str) -> str:
    return text


def who(connection: Any) -> dict[str, str]:
    headers = dict(connection["headers"])
    return {"user_id": headers[b"x-user"].decode(), "session_id": headers[b"x-session"].decode()}


TRACEPARENT = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


async def request(app: Any, headers: dict[str, str] | None = None, *, kind: str = "http", path: str = "/ask") -> Any:
    """Send one request to *app*; return what it sent."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    named = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    await app({"type": kind, "method": "GET", "path": path, "headers": named}, receive, send)
    return sent


async def app(_: Any, __: Any, send: Any) -> None:
    """Stream two pieces, each from a call, and make one more call in the background."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for piece in ("one", "two"):
        body = await asyncio.to_thread(answer, piece)
        await send({"type": "http.response.body", "body": body.encode(), "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    answer("background")


async def test_calls_in_streams_and_background_tasks_say_who_asked(events: list[Event]) -> None:
    wrapped = FlywheelMiddleware(app, who, tags=["web"])
    users = [f"u{number}" for number in range(5)]
    await asyncio.gather(*(request(wrapped, {"x-user": user, "x-session": f"s-{user}"}) for user in users))
    answer("outside")
    *inside, outside = events
    told = sorted((event["user_id"], event["session_id"], tuple(event["tags"])) for event in inside)
    assert told == [(user, f"s-{user}", ("web",)) for user in users for _ in range(3)]
    assert "user_id" not in outside


async def test_who_asks_may_be_found_out_by_a_coroutine(events: list[Event]) -> None:
    async def look_up(connection: Any) -> dict[str, str]:
        await asyncio.sleep(0)
        return who(connection)

    await request(FlywheelMiddleware(app, look_up), {"x-user": "u1", "x-session": "s1"})
    assert {event["user_id"] for event in events} == {"u1"}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"user": 1}, "user is not a field"),
        (KeyError("no user"), "(fail: KeyError)"),
        ("u1", "{'user_id': …}, or None; got str"),
    ],
)
async def test_a_request_goes_on_when_nobody_can_tell_who_asks(
    events: list[Event], caplog: pytest.LogCaptureFixture, found: Any, told: str
) -> None:
    def fail(_: Any) -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    sent = await request(FlywheelMiddleware(app, fail))
    assert (len(sent), len(events), health.dropped()) == (4, 3, {"identify": 1})
    assert told in caplog.text


async def test_a_request_may_be_a_trace_that_goes_on_from_the_callers(events: list[Event]) -> None:
    await request(FlywheelMiddleware(app, traces=True), TRACEPARENT)
    *calls, step = events
    assert (step["name"], step["trace_id"], step["parent_id"]) == (
        "GET /ask",
        "0af7651916cd43dd8448eb211c80319c",
        "b7ad6b7169203331",
    )
    assert {event["parent_id"] for event in calls} == {step["span_id"]}


async def test_an_application_mounted_in_another_is_a_step_of_its_request(events: list[Event]) -> None:
    mounted = FlywheelMiddleware(app, traces=True)
    await request(FlywheelMiddleware(mounted, traces=True), TRACEPARENT, path="/sub/ask")
    *_, inner, outer = events
    assert {event["trace_id"] for event in events} == {"0af7651916cd43dd8448eb211c80319c"}
    assert (inner["parent_id"], outer["parent_id"]) == (outer["span_id"], "b7ad6b7169203331")


async def test_what_is_no_request_passes_through_and_errors_are_the_applications(events: list[Event]) -> None:
    seen = []

    async def broken(connection: Any, *_: Any) -> None:
        seen.append(connection["type"])
        raise LookupError(connection["type"])

    for kind in ("lifespan", "http"):
        with pytest.raises(LookupError, match=kind):
            await request(FlywheelMiddleware(broken, lambda _: None), kind=kind)
    assert (seen, health.dropped()) == (["lifespan", "http"], {})


def test_a_wrong_field_is_an_error_at_once() -> None:
    with pytest.raises(TypeError, match="colour is not a field of an event"):
        FlywheelMiddleware(app, colour="red")


def test_an_application_of_the_other_kind_is_an_error_at_once() -> None:
    def wsgi(environ: Any, start_response: Any) -> None: ...

    wrong: Any = wsgi
    with pytest.raises(TypeError, match=r"called with scope and receive and send, .* flywheel_log.wsgi for Flask"):
        FlywheelMiddleware(wrong)
