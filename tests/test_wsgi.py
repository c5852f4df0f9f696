"""The middleware for WSGI: every call made for a request says who asked, streams included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.health import health
from flywheel_log.testing import recording
from flywheel_log.wsgi import FlywheelMiddleware


@flywheel_log.logged_llm(workload_id="answer")
def answer(text: str) -> bytes:
    return text.encode()


def who(environ: Any) -> dict[str, str]:
    return {"user_id": environ["HTTP_X_USER"]}


def environ_of(user: str = "u1", **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/ask", "HTTP_X_USER": user}
    return given | more


def start_response(*_: Any) -> None:
    pass


class Body:
    """A streamed answer: each piece is a call, and so is its end."""

    def __init__(self, pieces: list[str]) -> None:
        self.pieces = pieces
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return map(answer, self.pieces)

    def close(self) -> None:
        self.closed += 1
        answer("closed")


def streaming(_: Any, start: Any) -> Body:
    start("200 OK", [])
    answer("at once")
    return Body(["one", "two"])


def test_calls_at_once_in_a_stream_and_at_its_end_say_who_asked(events: list[Event]) -> None:
    app = FlywheelMiddleware(streaming, who, tags=["web"])
    bodies: list[Any] = [app(environ_of(user), start_response) for user in ("u1", "u2")]
    taken = [*zip(*bodies, strict=True)]
    answer("outside")
    for body in bodies:
        body.close()
    assert taken == [(b"one", b"one"), (b"two", b"two")]
    assert [event.get("user_id") for event in events] == ["u1", "u2", "u1", "u2", "u1", "u2", None, "u1", "u2"]
    assert [event.get("tags") for event in events if event.get("user_id")] == [["web"]] * 8


@pytest.mark.parametrize("body", [[b"whole"], (b"whole",), FileWrapper(BytesIO(b"whole"))])
def test_a_body_that_is_there_already_is_handed_on_as_it_is(body: Any) -> None:
    app = FlywheelMiddleware(lambda *_: body, traces=True)
    with recording() as events:
        assert app(environ_of(**{"wsgi.file_wrapper": FileWrapper}), start_response) is body
    assert [event["status"] for event in events] == ["ok"]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"user": 1}, "user is not a field"),
        (KeyError("no user"), "(fail: KeyError)"),
        ("u1", "{'user_id': …}, or None; got str"),
    ],
)
def test_a_request_goes_on_when_nobody_can_tell_who_asks(
    events: list[Event], caplog: pytest.LogCaptureFixture, found: Any, told: str
) -> None:
    def fail(_: Any) -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    body = FlywheelMiddleware(streaming, fail)(environ_of(), start_response)
    assert ([*body], len(events), health.dropped()) == ([b"one", b"two"], 3, {"identify": 1})
    assert told in caplog.text


@pytest.mark.parametrize("nobody", [None, False, "", {}])
def test_whoever_asks_without_a_name_is_no_fault(nobody: Any) -> None:
    body = FlywheelMiddleware(streaming, lambda _: nobody)(environ_of(), start_response)
    assert ([*body], health.dropped()) == ([b"one", b"two"], {})


def test_a_middleware_around_the_application_that_asks_it_says_what_to_wrap() -> None:
    class Flask:
        wsgi_app: Any

        def __call__(self, environ: Any, start_response: Any) -> Any:
            return self.wsgi_app(environ, start_response)

    app = Flask()
    app.wsgi_app = FlywheelMiddleware(app)
    with pytest.raises(TypeError, match=r"write app.wsgi_app = FlywheelMiddleware\(app.wsgi_app\)$"):
        app(environ_of(), start_response)


def test_a_request_may_be_a_trace_that_lasts_until_its_body_is_closed(events: list[Event]) -> None:
    header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    mounted = FlywheelMiddleware(streaming, traces=True)
    body: Any = FlywheelMiddleware(mounted, traces=True)(
        environ_of(SCRIPT_NAME="/api", HTTP_TRACEPARENT=header), start_response
    )
    assert (list(body), [event["kind"] for event in events]) == ([b"one", b"two"], ["llm"] * 3)
    body.close()
    *calls, inner, outer = events
    assert (outer["name"], outer["status"], outer["parent_id"]) == ("GET /api/ask", "ok", "b7ad6b7169203331")
    assert (inner["parent_id"], {event["parent_id"] for event in calls}) == (outer["span_id"], {inner["span_id"]})
    assert {event["trace_id"] for event in events} == {"0af7651916cd43dd8448eb211c80319c"}


def test_errors_are_the_applications(events: list[Event]) -> None:
    def broken(environ: Any, start: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/":
            raise LookupError("at once")
        start("200 OK", [])
        return map(int, ["no number"])  # type: ignore[arg-type]

    app = FlywheelMiddleware(broken, traces=True)
    with pytest.raises(LookupError, match="at once"):
        app(environ_of(PATH_INFO="/"), start_response)
    with pytest.raises(ValueError, match="no number"):
        list(app(environ_of(), start_response))
    assert [(event["name"], event["status"]) for event in events] == [("GET /", "error"), ("GET /ask", "error")]


def test_it_keeps_to_the_standard_between_a_server_and_an_application(events: list[Event]) -> None:
    def app(_: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        yield answer("one")

    checked: Any = validator(FlywheelMiddleware(validator(app), user_id="u1"))
    environ: dict[str, Any] = {"QUERY_STRING": ""}
    setup_testing_defaults(environ)
    body = checked(environ, lambda *_: lambda _: None)
    assert b"".join(body) == b"one"
    body.close()
    assert [event["user_id"] for event in events] == ["u1"]


def test_a_wrong_field_is_an_error_at_once() -> None:
    with pytest.raises(TypeError, match="colour is not a field of an event"):
        FlywheelMiddleware(streaming, colour="red")


def test_an_application_of_the_other_kind_and_what_is_no_function_are_errors_at_once() -> None:
    def asgi(scope: Any, receive: Any, send: Any) -> None: ...

    wrong: Any = asgi
    with pytest.raises(TypeError, match=r"called with environ and start_response, .* flywheel_log.asgi is for FastAPI"):
        FlywheelMiddleware(wrong)
    with pytest.raises(TypeError, match=r"^identify is a function of one argument, the connection; got dict$"):
        FlywheelMiddleware(streaming, identify=who(environ_of()))  # type: ignore[arg-type]
