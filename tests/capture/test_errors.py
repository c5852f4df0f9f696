"""What goes wrong: the caller sees what the bare client shows, and the record says what happened."""

from __future__ import annotations

import asyncio
import json
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pydantic
import pytest

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.health import health
from flywheel_log.standin import HANG_UP, Reply, Server, serve
from flywheel_log.testing import recording
from tests.capture.clients import HELLO, KEY, bare, chat, chunk, recorded, seen, sent, streaming

Script = Callable[[Any], Any]


def outcome(client: Any, **options: Any) -> Any:
    try:
        result = client.chat.completions.create(**HELLO, **options)
        return seen(list(result) if options.get("stream") else result)
    except Exception as error:  # noqa: BLE001 - errors are what is compared
        return seen(error)


def status(code: int, body: bytes = b'{"error": {"message": "no", "type": "t", "code": "c"}}') -> Script:
    return lambda _: Reply(code, {"content-type": "application/json", "retry-after-ms": "1"}, body)


BROKEN: dict[str, Script] = {
    **{str(code): status(code) for code in (400, 401, 403, 404, 409, 422, 429, 500, 503)},
    "502 with a page": lambda _: Reply(502, {"content-type": "text/html"}, b"<html>bad gateway</html>"),
    "hang up": lambda _: HANG_UP,
    "half a body": lambda _: Reply(200, {"content-length": "99", "content-type": "application/json"}, [b"{", HANG_UP]),
    "no JSON": status(200, b"not json"),
    "empty": status(200, b""),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("broken", BROKEN)
def test_an_error_is_the_bare_clients_and_is_recorded_once(
    broken: str, stream: bool, start: Callable[..., Server], events: list[Event]
) -> None:
    alone, watched = start(BROKEN[broken]), start(BROKEN[broken])
    options = {"stream": True} if stream else {}
    with bare(alone, max_retries=1) as one, recorded(watched, max_retries=1) as other:
        assert outcome(other, **options) == outcome(one, **options)
    assert sent(watched) == sent(alone)
    (event,) = events
    assert ("training_unsafe" in event, event["request"], health.dropped()) == (True, HELLO | options, {})


@pytest.mark.door("openai", "error", "retries")
@pytest.mark.parametrize("code", [400, 429, 500])
def test_a_refused_call_is_told_as_the_server_told_it(
    code: int, start: Callable[..., Server], events: list[Event]
) -> None:
    with recorded(start(status(code)), max_retries=2) as client:
        outcome(client)
    (event,) = events
    kinds = {400: "BadRequestError", 429: "RateLimitError", 500: "InternalServerError"}
    tries = 1 if code == 400 else 3
    error = dict(event["error"])
    assert error.pop("message").startswith(f"Error code: {code}")
    assert error == {
        "type": kinds[code],
        "status_code": code,
        "code": "c",
        "request_id": f"req_standin_{tries}",
    }
    assert event["response"] == {"error": {"message": "no", "type": "t", "code": "c"}}
    assert (event["training_unsafe"], event.get("retries", tries - 1)) == (["error"], tries - 1)


@pytest.mark.door("openai", "retries")
def test_retries_that_succeed_are_counted(start: Callable[..., Server], events: list[Event]) -> None:
    server = start(lambda received: status(500)(received) if received.number < 3 else None)
    with recorded(server, max_retries=2) as client:
        client.chat.completions.create(**HELLO)
    assert [(event["status"], event["retries"]) for event in events] == [("ok", 2)]


ODD = {
    "choices null": (b'{"object": "chat.completion", "choices": null}', "ok", ["no_choices"]),
    "no choices": (b'{"object": "chat.completion", "choices": []}', "ok", ["no_choices"]),
    "usage null": (b'{"choices": [{"index": 0, "message": {"content": "x"}}], "usage": null}', "ok", None),
    "usage odd": (b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens_details": 3}}', "ok", None),
    "message null": (b'{"choices": [{"index": 0, "message": null}]}', "ok", ["no_message"]),
    "an error": (b'{"error": {"message": "overloaded", "type": "busy", "code": "x"}}', "error", ["error"]),
    "an error in words": (b'{"error": "overloaded"}', "error", ["error"]),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_answer_comes_through_and_is_kept_as_it_is(
    odd: str, start: Callable[..., Server], events: list[Event]
) -> None:
    body, expected, marks = ODD[odd]
    alone, watched = start(status(200, body)), start(status(200, body))
    with bare(alone) as one, recorded(watched) as other:
        assert outcome(other) == outcome(one)
    (event,) = events
    assert (event["status"], event["response"], event.get("training_unsafe")) == (expected, json.loads(body), marks)


def test_text_in_place_of_json_is_kept(start: Callable[..., Server], events: list[Event]) -> None:
    def script(_: Any) -> Reply:
        return Reply(200, {"content-type": "text/plain"}, b"hello")

    alone, watched = start(script), start(script)
    with bare(alone) as one, recorded(watched) as other:
        assert outcome(other) == outcome(one)
    assert [event["response"] for event in events] == [{"body": "hello"}]


@pytest.mark.door("openai", "error")
def test_a_timeout_is_an_error_with_its_request(start: Callable[..., Server], events: list[Event]) -> None:
    def slow(_: Any) -> Reply:
        return Reply(200, {}, b"{}", delay=5.0)

    alone, watched = start(slow), start(slow)
    with bare(alone, timeout=0.05) as one, recorded(watched, timeout=0.05) as other:
        kinds = [outcome(client)[0] for client in (one, other)]
    assert kinds == [openai.APITimeoutError] * 2
    assert [(event["status"], event["error"]["type"], event["request"]) for event in events] == [
        ("error", "APITimeoutError", HELLO)
    ]


MID_STREAM: dict[str, Script] = {
    "an error event": streaming(
        chunk({"content": "one"}), {"error": {"message": "broke", "type": "server_error"}}, done=False
    ),
    "a dropped connection": streaming(chunk({"content": "one"}), HANG_UP, done=False),
    "half an event": streaming(chunk({"content": "one"}), b'data: {"choices": [', HANG_UP, done=False),
}


@pytest.mark.door("openai", "broken")
@pytest.mark.parametrize("broken", MID_STREAM)
def test_an_error_in_mid_stream_keeps_the_partial_text(
    broken: str, start: Callable[..., Server], events: list[Event]
) -> None:
    alone, watched = start(MID_STREAM[broken]), start(MID_STREAM[broken])
    taken: list[list[Any]] = []

    def take(client: Any) -> Any:
        taken.append([])
        try:
            for one in client.chat.completions.create(**HELLO, stream=True):
                taken[-1].append(seen(one))
        except Exception as error:  # noqa: BLE001 - errors are what is compared
            return seen(error)

    with bare(alone) as one, recorded(watched) as other:
        assert take(other) == take(one)
    assert taken[0] == taken[1]
    (event,) = events
    assert (event["status"], event["response"]["choices"][0]["message"]["content"], event["training_unsafe"]) == (
        "error",
        "one",
        ["error"],
    )
    assert event["error"]["message"] != ""
    assert health.dropped() == {}


@pytest.fixture
def stuck(start: Callable[..., Server]) -> Iterator[Server]:
    """A server that sends one chunk and then nothing; `stuck-at-once` sends nothing at all."""
    free = threading.Event()

    def items() -> Iterator[Any]:
        yield chunk({"content": "one"})
        free.wait(60)

    def script(received: Any) -> Reply:
        if received.json()["model"] == "stuck-at-once":
            free.wait(60)
        return Reply.events(items())

    server = start(script)
    yield server
    free.set()


@pytest.mark.door("openai", "cancelled")
async def test_a_call_cancelled_before_its_answer_is_incomplete(stuck: Server, events: list[Event]) -> None:
    async with recorded(stuck, openai.AsyncOpenAI) as client:
        task = asyncio.create_task(client.chat.completions.create(**HELLO | {"model": "stuck-at-once"}))
        await asyncio.to_thread(stuck.wait_for, 1, 60.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [(event["status"], event["request"]["messages"], "error" in event) for event in events] == [
        ("incomplete", HELLO["messages"], False)
    ]


@pytest.mark.door("openai", "left")
async def test_a_stream_cancelled_in_the_middle_is_incomplete(stuck: Server, events: list[Event]) -> None:
    first = asyncio.Event()

    async def read(client: Any) -> None:
        async for _ in await client.chat.completions.create(**HELLO, stream=True):
            first.set()

    async with recorded(stuck, openai.AsyncOpenAI) as client:
        task = asyncio.create_task(read(client))
        await first.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [(event["status"], event["response"]["choices"][0]["message"]["content"]) for event in events] == [
        ("incomplete", "one")
    ]


def test_an_interrupt_passes_through(server: Server, events: list[Event]) -> None:
    def interrupt(_: Any) -> None:
        raise KeyboardInterrupt

    http = openai.DefaultHttpxClient(verify=False, event_hooks={"request": [interrupt]})
    with recorded(server) as client, pytest.raises(KeyboardInterrupt):
        client.with_options(http_client=http).chat.completions.create(**HELLO)
    http.close()
    assert [(event["status"], event["request"]) for event in events] == [("incomplete", HELLO)]


@pytest.mark.parametrize("stream", [False, True])
def test_no_secret_reaches_the_record(stream: bool, start: Callable[..., Server], events: list[Event]) -> None:
    other_key = "sk-another-0123456789"

    def echo(received: Any) -> Reply:
        told = received.headers["authorization"]
        return Reply.json({"error": {"message": f"wrong key: {told}, {KEY}", "type": "t"}}, 401)

    with recorded(start(echo)) as client:
        outcome(client, stream=stream, extra_headers={"Authorization": f"Bearer {other_key}"})
    text = str(events)
    assert [secret for secret in (KEY, other_key) if secret in text] == []
    assert events[0]["response"]["error"]["message"] == "wrong key: Bearer [redacted], [redacted]"


def test_an_error_in_mid_stream_is_recorded_while_its_exception_is_still_held() -> None:
    script = Reply.events([{"choices": [{"index": 0, "delta": {"content": "He"}}]}, {"error": {"message": "broken"}}])
    with serve(script=lambda _: script) as server, recording() as events:
        client = flywheel_log.instrument(openai.OpenAI(base_url=server.url, api_key="k", max_retries=0))
        with pytest.raises(openai.APIError) as held:
            list(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True))
        assert [(event["status"], event["error"]["message"]) for event in events] == [("error", "broken")]
        assert held.value is not None


class Told(pydantic.BaseModel):
    answer: str


@pytest.mark.parametrize(
    ("content", "finish", "error"),
    [('{"ans', "length", "LengthFinishReasonError"), ('{"other": 1}', "stop", "ValidationError")],
)
def test_an_answer_that_the_sdk_cannot_parse_is_kept_beside_its_error(
    content: str, finish: str, error: str, start: Callable[..., Server], events: list[Event]
) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    head = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4.1-mini"}
    body = json.dumps(head | {"choices": [choice], "usage": usage}).encode()
    raised = []
    for client in (bare(start(status(200, body))), recorded(start(status(200, body)))):
        with client, pytest.raises(Exception, match=r"length limit|validation error") as caught:
            chat(client).parse(**HELLO, response_format=Told)
        raised.append(seen(caught.value))
    (event,) = events
    # The first releases that parse do so when the call has come back already, as a success.
    inside = "request" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert raised[1] == raised[0]
    assert (event["input_tokens"], event["output_tokens"], event["response"]) == (3, 2, json.loads(body))
    if inside:
        assert (event["status"], event["error"]["type"], event["training_unsafe"][0]) == ("error", error, "error")
    else:
        assert (event["status"], "error" in event) == ("ok", False)


NOT_FILTERED = {"content_filter_results": {"error": {"code": "content_filter_error", "message": "not filtered"}}}
FILTERING = [chunk({"content": "one "}), chunk({"content": "two"}), chunk({}, "stop")]
FILTERING[0]["choices"][0] |= NOT_FILTERED  # As Azure says that its filter was out of order.


def test_what_a_filter_says_of_an_error_is_none_of_the_stream(
    start: Callable[..., Server], events: list[Event]
) -> None:
    with recorded(start(streaming(*FILTERING))) as client:
        list(client.chat.completions.create(**HELLO, stream=True))
    ((answer,),) = [event["response"]["choices"] for event in events]
    assert (events[0]["status"], answer["message"]["content"], answer["finish_reason"]) == ("ok", "one two", "stop")


FAILING = {"type": "object", "properties": {"error": {"type": "string"}}}
BEGUN = {"id": "r1", "object": "response", "status": "in_progress", "output": [], "error": None}
BEGUN |= {"tools": [{"type": "function", "name": "report", "parameters": FAILING}]}
FAILED = {"id": "t1", "type": "mcp_call", "name": "look_up", "arguments": "{}", "error": "no connection"}
ENDED = {**BEGUN, "status": "completed", "output": [FAILED], "usage": {"input_tokens": 3, "output_tokens": 2}}
TOLD = [
    {"type": "response.created", "response": BEGUN},  # The service repeats the tools that it was given.
    {"type": "response.output_item.done", "output_index": 0, "item": FAILED},
    {"type": "response.completed", "response": ENDED},
]


def test_an_error_that_a_tool_has_or_may_have_is_none_of_the_stream(
    start: Callable[..., Server], events: list[Event]
) -> None:
    with recorded(start(streaming(*TOLD, done=False))) as client:
        asked = {"model": "m", "input": "hi", "stream": True}
        list(client.post("/responses", body=asked, cast_to=object, stream=True, stream_cls=openai.Stream[object]))
    (event,) = events
    assert (event["status"], event["response"], event["output_tokens"]) == ("ok", ENDED, 2)


def test_what_a_filter_says_of_an_error_is_no_end_of_a_body_left_to_the_caller(
    start: Callable[..., Server], events: list[Event]
) -> None:
    message = {"role": "assistant", "content": "one two"}
    answer = {"choices": [{"index": 0, **NOT_FILTERED, "message": message, "finish_reason": "stop"}]}
    whole = json.dumps(answer).encode()
    halves = [whole[:-20], 0.05, whole[-20:]]
    server = start(lambda _: Reply(200, {"content-type": "application/json"}, halves))
    with recorded(server) as client, client.chat.completions.with_streaming_response.create(**HELLO) as response:
        assert b"".join(response.iter_bytes()) == whole
    assert [(event["status"], event["response"]) for event in events] == [("ok", answer)]
