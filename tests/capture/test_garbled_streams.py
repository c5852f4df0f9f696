"""Streams with an event that is no JSON, as of a proxy that garbles it: the SDK raises, and the record says so."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from flywheel_log.event import Event
from flywheel_log.health import health
from flywheel_log.standin import HANG_UP, Reply, Server
from tests.capture.clients import HELLO, bare, chat, chunk, recorded, seen

ONE = f"data: {json.dumps(chunk({'content': 'one'}))}\n\n".encode()
TWO = f"data: {json.dumps(chunk({'content': 'two'}))}\n\n".encode()
FIRST = {"type": "response.output_text.delta", "delta": "one", "output_index": 0, "content_index": 0}
GARBLED: dict[str, bytes] = {
    "cut off": b'data: {"id": "c1", "cho\n\n',
    "run together": b'data: {"id": "c1", "cho' + TWO,
    "over two lines": b'data: {"id": "c1", "cho\n' + TWO,
    "no UTF-8": b'data: {"id": "\xff"}\n\n',
    "a page": b"event: error\r\ndata: <html>bad gateway</html>\r\n\r\n",
}


def plain(client: Any) -> Any:
    return client.chat.completions.create(**HELLO, stream=True)


def raw(client: Any) -> Any:
    return client.chat.completions.with_raw_response.create(**HELLO, stream=True).parse()


def parsed(client: Any) -> Any:
    with client.chat.completions.with_streaming_response.create(**HELLO, stream=True) as response:
        yield from response.parse()


def helped(client: Any) -> Any:
    with chat(client).stream(**HELLO) as events:
        yield from events


def responses(client: Any) -> Any:
    asked = {"model": "m", "input": "hi", "stream": True}
    return client.post("/responses", body=asked, cast_to=object, stream=True, stream_cls=openai.Stream[object])


WAYS = {way.__name__: way for way in (plain, raw, parsed, helped, responses)}


def script(garbled: bytes, *more: Any) -> Any:
    def reply(received: Any) -> Reply:
        first = f"data: {json.dumps(FIRST)}\n\n".encode() if received.path.endswith("/responses") else ONE
        return Reply.events([first, garbled, *more])

    return reply


def raised(way: Callable[[Any], Any], client: Any) -> Any:
    with pytest.raises(ValueError, match=r"line 1|codec") as caught:
        list(way(client))
    found = seen(caught.value)
    del caught
    gc.collect()  # The first releases do not close their stream.
    return found


@pytest.mark.parametrize("garbled", GARBLED)
@pytest.mark.parametrize("way", WAYS)
def test_the_error_that_the_caller_gets_is_recorded(
    way: str, garbled: str, start: Callable[..., Server], events: list[Event]
) -> None:
    answer = script(GARBLED[garbled], TWO, "[DONE]")
    with bare(start(answer)) as one, recorded(start(answer)) as other:
        expected = raised(WAYS[way], one)
        assert raised(WAYS[way], other) == expected
    (event,) = events
    assert (event["status"], event["error"]["type"]) == ("error", expected[0].__name__)
    assert (event["training_unsafe"], json.dumps(event["response"]).count("one")) == (["error"], 1)
    assert health.dropped() == {}


@pytest.mark.parametrize(
    ("garbled", "kept"),
    [(b"a\tb", "a\tb"), (b"\xff", "\ufffd"), (rb"\q \n\\q \u12", "\\q \n\\q \\u12"), (rb"\"\x41", '"\\x41')],
)
def test_what_json_does_not_allow_in_a_text_takes_nothing_of_the_text_before_with_it(
    garbled: bytes, kept: str, start: Callable[..., Server], events: list[Event]
) -> None:
    with recorded(start(script(ONE * 20 + ONE.replace(b"one", garbled)))) as client:
        raised(plain, client)
    (event,) = events
    assert event["response"]["choices"][0]["message"]["content"] == "one" * 21 + kept


BEGUN = {"id": "r1", "object": "response", "status": "in_progress", "output": []}
CREATED = f"data: {json.dumps({'type': 'response.created', 'response': BEGUN})}\n\n".encode()
SAID = f"data: {json.dumps(FIRST)}\n\n".encode()
LAST = b'data: {"type": "response.completed", "response": {"id": "r1", "sta'


@pytest.mark.parametrize(
    ("end", "status"), [([], "incomplete"), ([HANG_UP], "error"), ([b"\n\n"], "error")], ids=["over", "dead", "garbled"]
)
def test_a_last_event_that_would_sum_up_the_others_does_not_take_them_with_it(
    end: list[Any], status: str, start: Callable[..., Server], events: list[Event]
) -> None:
    def read(client: Any) -> Any:
        try:
            return list(responses(client))
        except Exception as error:  # noqa: BLE001 - it is compared
            return seen(error)

    def script(_: Any) -> Reply:
        return Reply.events([CREATED, SAID, SAID, LAST, *end])

    with bare(start(script)) as one, recorded(start(script)) as other:
        assert read(other) == read(one)
    gc.collect()  # The first releases do not close their stream.
    (event,) = events
    (item,) = event["response"].pop("output")
    assert (event["status"], item["content"][0]["text"]) == (status, "oneone")
    assert (event["response"]["id"], event["response"]["status"]) == ("r1", "in_progress")


async def test_the_error_that_an_asynchronous_caller_gets_is_recorded(
    start: Callable[..., Server], events: list[Event]
) -> None:
    async with recorded(start(script(GARBLED["cut off"])), openai.AsyncOpenAI) as client:
        with pytest.raises(json.JSONDecodeError) as caught:
            async for _ in await client.chat.completions.create(**HELLO, stream=True):
                pass
        message = str(caught.value)
        del caught
        async with asyncio.timeout(30):  # The first releases do not close their stream, and leave that to the loop.
            while not events:
                gc.collect()
                await asyncio.sleep(0.01)
        told = [(event["status"], event["error"]) for event in events]
    assert told == [("error", {"type": "JSONDecodeError", "message": message})]


def test_an_event_that_is_no_json_is_an_error_behind_the_end_of_the_text_too(
    start: Callable[..., Server], events: list[Event]
) -> None:
    end = f"data: {json.dumps(chunk({}, 'stop'))}\n\n".encode()
    with recorded(start(script(end, GARBLED["cut off"]))) as client:
        raised(plain, client)
    assert [(event["status"], event["error"]["type"]) for event in events] == [("error", "JSONDecodeError")]


def test_an_exception_of_the_callers_own_is_no_error_of_the_stream(
    start: Callable[..., Server], events: list[Event]
) -> None:
    def read(client: Any) -> None:
        with plain(client) as stream:
            for one in stream:
                json.loads(one.choices[0].delta.content)

    with recorded(start(script(TWO, GARBLED["cut off"]))) as client, pytest.raises(json.JSONDecodeError):
        read(client)
    assert [(event["status"], "error" in event) for event in events] == [("incomplete", False)]


def test_an_event_that_its_reader_has_not_come_to_the_end_of_is_no_error(
    start: Callable[..., Server], events: list[Event]
) -> None:
    with recorded(start(script(b'data: {"id": "c1"', 0.05, b"}\n\n"))) as client:
        open_response = client.chat.completions.with_streaming_response.create(**HELLO, stream=True)
        with open_response as response:
            pieces = response.iter_bytes()
            assert b"".join([next(pieces), next(pieces)]) == ONE + b'data: {"id": "c1"'
    assert [(event["status"], "error" in event) for event in events] == [("incomplete", False)]


def test_an_event_that_is_too_deep_for_the_sdk_takes_nothing_of_the_text_before_with_it(
    start: Callable[..., Server], events: list[Event]
) -> None:
    deep = b'data: {"x": %b%b}\n\n' % (b"[" * 200_000, b"]" * 200_000)
    with recorded(start(script(deep))) as client, pytest.raises(RecursionError):
        list(plain(client))
    gc.collect()  # The first releases do not close their stream.
    (event,) = events
    assert (event["status"], event["error"]["type"]) == ("error", "RecursionError")
    assert event["response"]["choices"][0]["message"]["content"] == "one"
