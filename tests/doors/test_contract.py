"""The contract of the records, run through every door: the same stand-in, the same script, the same expectation."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import agents
import groq
import pytest

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.projection import as_chat
from flywheel_log.standin import Reply, Server
from tests.capture.clients import KEY, MESSAGES, chunk, streaming

from .ways import LATER, WAYS, open_clients, root

# LiteLLM has many warnings; clients that a test leaves to the collector have one each.
pytestmark = pytest.mark.filterwarnings("default")

Start = Callable[..., Server]
CLIENTS = ("openai", "anthropic", "groq", "google", "foreign", "function", "generator")
LIKE_OPENAI = ("openai", "groq", "foreign", "function", "generator")


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    open_clients.close()
    gc.collect()  # What a test leaves open warns here, and not in the next one, where a warning is an error.


def through(case: str, *ways: str, of: Any = WAYS) -> Any:
    """Run the test once for each of *ways*, and count it as showing *case* for their doors."""
    return pytest.mark.parametrize(
        "ask", [pytest.param(of[way][1], id=way, marks=pytest.mark.door(of[way][0], case)) for way in ways]
    )


async def only_call(events: list[Event]) -> Event:
    """The one event of a call, once it is there; an agent's steps come after it."""
    async with asyncio.timeout(90):  # LiteLLM tells from a thread of its own
        while not (found := [event for event in events if event["kind"] == "llm"]):
            gc.collect()
            await asyncio.sleep(0.01)
    (event,) = found
    return event


ALL = [way for way in WAYS if way != "generator"]


@through("request", *ALL)
async def test_the_request_is_recorded_as_it_was_sent(ask: Any, start: Start, events: list[Event]) -> None:
    server = start()
    await asyncio.to_thread(ask, server)
    event = await only_call(events)
    assert event["request"] == server.requests[0].json()


@through("usage", *ALL)
async def test_tokens_are_counted(ask: Any, start: Start, events: list[Event]) -> None:
    await asyncio.to_thread(ask, start())
    event = await only_call(events)
    assert (event["usage_source"], event["input_tokens"] > 0, event["output_tokens"]) == ("api", True, 15)


@through("error", *(way for way in ALL if way != "agents"))
async def test_a_call_that_is_refused_is_an_error_with_its_status(ask: Any, start: Start, events: list[Event]) -> None:
    server = start()
    with pytest.raises(Exception, match="Rate limit"):
        await asyncio.to_thread(ask, server, model="error-429")
    event = await only_call(events)
    assert (event["status"], event["error"]["status_code"], event["training_unsafe"]) == ("error", 429, ["error"])
    assert "Rate limit reached" in event["error"]["message"]


@through("broken", *CLIENTS, "langchain")
async def test_a_stream_that_breaks_keeps_what_was_said(ask: Any, start: Start, events: list[Event]) -> None:
    stream = ask(start(), stream=True, model="error-mid-stream")
    with pytest.raises(Exception, match="break off"):
        list(stream)
    event = await only_call(events)
    (choice,) = as_chat(event)[1]["choices"]
    assert (event["status"], event["training_unsafe"]) == ("error", ["error"])
    assert choice["message"]["content"].startswith("This is")


@through("left", *CLIENTS, "langchain", "litellm")
async def test_a_stream_that_is_left_early_is_one_incomplete_record(
    ask: Any, start: Start, events: list[Event]
) -> None:
    stream = iter(ask(start(), stream=True))
    next(stream)
    next(stream)
    if hasattr(stream, "close"):
        stream.close()
    del stream
    event = await only_call(events)
    assert (event["status"], event["training_unsafe"]) == ("incomplete", ["incomplete"])


@through("unread", "openai", "anthropic", "groq", "foreign", "function", "litellm")
async def test_a_stream_that_nobody_reads_is_one_incomplete_record(ask: Any, start: Start, events: list[Event]) -> None:
    ask(start(), stream=True)
    event = await only_call(events)
    assert (event["status"], event["training_unsafe"]) == ("incomplete", ["incomplete"])


@through("cancelled", *LATER, of=LATER)
async def test_a_call_that_is_cancelled_is_one_incomplete_record(ask: Any, start: Start, events: list[Event]) -> None:
    server = start(latency=60)
    task = asyncio.create_task(ask(server))
    await asyncio.to_thread(server.wait_for, 1, 60.0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    del task
    event = await only_call(events)
    assert (event["status"], event["training_unsafe"]) == ("incomplete", ["incomplete"])
    assert event.get("response") is None


def calling(at: int, arguments: str, **more: Any) -> dict[str, Any]:
    """A chunk with a piece of the call *at* that place."""
    function = {"arguments": arguments, **({"name": more.pop("name")} if "name" in more else {})}
    return chunk({"tool_calls": [{"index": at, "function": function, **more}]})


PIECES = [
    chunk({"role": "assistant", "content": None}),
    calling(0, '{"x"', id="a", type="function", name="f"),
    calling(1, "", id="b", type="function", name="g"),
    calling(0, ": 1}"),
    calling(1, "{}"),
    chunk({}, "tool_calls"),
]
CALLS = [
    {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}},
    {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
]


@through("tools", *LIKE_OPENAI, "langchain", "litellm", "agents")
async def test_tool_calls_in_pieces_are_put_together(ask: Any, start: Start, events: list[Event]) -> None:
    server = start(streaming(*PIECES))
    with contextlib.suppress(agents.ModelBehaviorError):  # The agent has no such tools.
        await asyncio.to_thread(lambda: list(ask(server, stream=True)))
    event = await only_call(events)
    assert event["response"]["choices"][0]["message"]["tool_calls"] == CALLS


@through("choices", *LIKE_OPENAI)
async def test_choices_are_kept_apart(ask: Any, start: Start, events: list[Event]) -> None:
    said = [chunk({"role": "assistant", "content": word}, index=at) for at, word in enumerate(("a", "b"))]
    server = start(streaming(*said, *said, chunk({}, "stop"), chunk({}, "length", 1)))
    list(ask(server, stream=True, n=2))
    event = await only_call(events)
    assert [
        (choice["index"], choice["message"]["content"], choice["finish_reason"])
        for choice in event["response"]["choices"]
    ] == [(0, "aa", "stop"), (1, "bb", "length")]


@through("parts", *LIKE_OPENAI)
async def test_refusals_and_reasoning_survive_a_stream(ask: Any, start: Start, events: list[Event]) -> None:
    pieces = [{"refusal": "I "}, {"refusal": "won't"}, {"reasoning_content": "th"}, {"reasoning_content": "ink"}]
    server = start(streaming(chunk({"role": "assistant"}), *map(chunk, pieces), chunk({}, "stop")))
    list(ask(server, stream=True))
    event = await only_call(events)
    message = event["response"]["choices"][0]["message"]
    assert (message["refusal"], message["reasoning_content"]) == ("I won't", "think")


BROKEN_CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}
UNSAFE: dict[str, tuple[str, dict[str, Any]]] = {
    "length": ("length", {"content": "cut"}),
    "content_filter": ("content_filter", {"content": ""}),
    "refusal": ("stop", {"content": None, "refusal": "No."}),
    "invalid_tool_arguments": ("tool_calls", {"content": None, "tool_calls": [BROKEN_CALL]}),
}


@through("unsafe", "openai", "groq", "foreign", "function", "langchain", "litellm")
@pytest.mark.parametrize("mark", UNSAFE)
async def test_what_no_dataset_should_take_is_marked(mark: str, ask: Any, start: Start, events: list[Event]) -> None:
    reason, message = UNSAFE[mark]
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    body = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    ask(start(lambda _: Reply.json(body)))
    event = await only_call(events)
    assert (event["status"], event["training_unsafe"]) == ("ok", [mark])


@through("unsafe", "anthropic")
@pytest.mark.parametrize(("reason", "mark"), [("max_tokens", "length"), ("refusal", "refusal")])
async def test_what_no_dataset_should_take_of_anthropic_is_marked(
    reason: str, mark: str, ask: Any, start: Start, events: list[Event]
) -> None:
    body = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "x"}], "stop_reason": reason}
    ask(start(lambda _: Reply.json(body)))
    assert [(event["status"], event["training_unsafe"]) for event in events] == [("ok", [mark])]


@through("unsafe", "google")
@pytest.mark.parametrize(("reason", "mark"), [("MAX_TOKENS", "length"), ("SAFETY", "content_filter")])
async def test_what_no_dataset_should_take_of_google_is_marked(
    reason: str, mark: str, ask: Any, start: Start, events: list[Event]
) -> None:
    candidate = {"content": {"role": "model", "parts": [{"text": "x"}]}, "finishReason": reason}
    ask(start(lambda _: Reply.json({"candidates": [candidate]})))
    assert [(event["status"], event["training_unsafe"]) for event in events] == [("ok", [mark])]


PAUSE = 0.6


def late(received: Any) -> Reply:
    """A stream that says nothing, then nothing for a while, and then a word, in the words of who asks."""
    if received.path.endswith("messages"):
        block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}}
        opening = {"type": "message_start", "message": {"role": "assistant", "content": []}}
        told = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in (opening, block, delta)]
        return Reply.events([*told[:2], PAUSE, told[2], b'event: message_stop\ndata: {"type": "message_stop"}\n\n'])
    if "streamGenerateContent" in received.path:
        texts = [{"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]} for text in ("", "x")]
        return Reply.events([texts[0], PAUSE, texts[1]])
    said = (chunk({"role": "assistant", "content": ""}), PAUSE, chunk({"content": "x"}), chunk({}, "stop"))
    reply: Reply = streaming(*said)(received)
    return reply


@through("first", "openai", "anthropic", "groq", "google", "foreign", "function", "langchain")
async def test_the_first_token_is_the_first_that_says_something(ask: Any, start: Start, events: list[Event]) -> None:
    server = start(late)
    list(ask(server, stream=True))
    event = await only_call(events)
    # The time that the SDK takes over the first chunk is its own, and may be a part of the pause.
    assert PAUSE * 500 <= event["time_to_first_token_ms"] <= event["latency_ms"]


@through("consumer", "openai", "anthropic", "groq", "google", "foreign", "function")
async def test_the_time_the_consumer_takes_is_not_the_models(ask: Any, start: Start, events: list[Event]) -> None:
    server, elsewhere = start(), start(lambda _: Reply(200, {}, b"", delay=PAUSE))
    begun = time.perf_counter()
    for _ in itertools.islice(ask(server, stream=True), 3):
        urllib.request.urlopen(elsewhere.url).close()  # noqa: ASYNC210 - the stream is a synchronous one
    elapsed = (time.perf_counter() - begun) * 1000
    event = await only_call(events)
    assert event["latency_ms"] <= elapsed - 3 * PAUSE * 1000


@pytest.mark.door("groq", "retries")
def test_retries_of_groq_are_counted(start: Start, events: list[Event]) -> None:
    def busy_at_first(received: Any) -> Reply | None:
        return Reply.json({}, 503, {"retry-after-ms": "1"}) if received.number < 3 else None

    with groq.Groq(base_url=root(start(busy_at_first)), api_key=KEY, max_retries=3) as client:
        flywheel_log.instrument(client).chat.completions.create(model="m", messages=MESSAGES)
    assert [(event["status"], event["retries"]) for event in events] == [("ok", 2)]
