"""Streams: what is kept of them however they end, how they are timed, and what they cost."""

from __future__ import annotations

import collections
import gc
import gzip
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

import flywheel_log
from flywheel_log.capture.streams.tap import Tap
from flywheel_log.capture.streams.tape import COMPACT_ABOVE, Tape
from flywheel_log.capture.surfaces import surface_named
from flywheel_log.event import Event
from flywheel_log.standin import Reply, Server, frame
from tests.capture.clients import HELLO, SAID, bare, chunk, content, recorded, seen, streaming

CHAT = surface_named("chat.completions")


@pytest.mark.door("openai", "choices")
def test_the_choices_of_a_stream_are_kept_apart(client: openai.OpenAI, events: list[Event]) -> None:
    list(client.chat.completions.create(**HELLO, stream=True, n=2))
    (event,) = events
    assert [choice["message"]["content"] for choice in event["response"]["choices"]] == [SAID, f"{SAID} (choice 1)"]
    assert [choice["finish_reason"] for choice in event["response"]["choices"]] == ["stop", "stop"]
    assert event["time_to_first_token_ms"] <= event["latency_ms"]


def leave_by_break(stream: Any) -> None:
    for _ in stream:
        break


def leave_by_close(stream: Any) -> None:
    next(stream)
    stream.close()


def leave_the_block(stream: Any) -> None:
    with stream:
        next(stream)


def close_the_response(stream: Any) -> None:
    next(stream)
    stream.response.close()


LEAVING = {"break": leave_by_break, "close": leave_by_close, "block": leave_the_block, "response": close_the_response}


@pytest.mark.door("openai", "left")
@pytest.mark.parametrize("way", LEAVING)
def test_a_stream_left_early_is_incomplete(way: str, start: Callable[..., Server], events: list[Event]) -> None:
    server = start(streaming(*(chunk({"content": word}) for word in ("one", "two", "three")), chunk({}, "stop")))
    with recorded(server) as client:
        LEAVING[way](client.chat.completions.create(**HELLO, stream=True))
        gc.collect()
    assert [(event["status"], content(event), event["training_unsafe"]) for event in events] == [
        ("incomplete", "one", ["incomplete"])
    ]


@pytest.mark.door("openai", "unread")
def test_a_stream_nobody_reads_is_recorded_when_it_is_dropped(client: openai.OpenAI, events: list[Event]) -> None:
    stream = client.chat.completions.create(**HELLO, stream=True)
    assert events == []
    stream.response.close()
    del stream
    gc.collect()
    assert [(event["status"], "response" in event) for event in events] == [("incomplete", False)]


@pytest.mark.door("openai", "left")
async def test_an_async_stream_left_early_is_incomplete(aclient: openai.AsyncOpenAI, events: list[Event]) -> None:
    stream = await aclient.chat.completions.create(**HELLO, stream=True)
    await anext(stream)
    await anext(stream)
    await stream.close()
    assert [(event["status"], content(event)) for event in events] == [("incomplete", "This")]


async def test_an_async_stream_in_a_block_is_incomplete_when_left(
    aclient: openai.AsyncOpenAI, events: list[Event]
) -> None:
    async with await aclient.chat.completions.create(**HELLO, stream=True) as stream:
        async for one in stream:
            if one.choices[0].delta.content:
                break
    assert [(event["status"], content(event)) for event in events] == [("incomplete", "This")]


OPEN_AT_EXIT = """
import flywheel_log, openai, sys
client = openai.OpenAI(max_retries=0)
if sys.argv[1:]: flywheel_log.instrument(client)
stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True)
next(stream), next(stream)
"""


def test_a_stream_still_open_at_exit_is_recorded(openai_environment: Server) -> None:
    # CPython 3.12 starts no thread at its end, so that the next program delivers what was recorded there. At the end of
    # this one, 3.13.0 crashes and the SDK has a traceback on 3.14, also where nothing is recorded.
    command = [sys.executable, "-c", OPEN_AT_EXIT]
    bare = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    done = subprocess.run([*command, "recorded"], capture_output=True, text=True, timeout=60, check=False)
    subprocess.run([sys.executable, "-m", "flywheel_log", "drain"], capture_output=True, timeout=60, check=True)
    (event,) = map(json.loads, Path("genai.log").read_text(encoding="utf-8").splitlines())
    assert done.stderr.count("Traceback") == bare.stderr.count("Traceback")
    assert (event["status"], content(event)) == ("incomplete", "This")


def test_what_came_after_the_finish_reason_is_no_matter_of_completeness(
    start: Callable[..., Server], events: list[Event]
) -> None:
    server = start(streaming(chunk({"content": "one"}), chunk({}, "stop"), done=False))
    with recorded(server) as client:
        list(client.chat.completions.create(**HELLO, stream=True))
    assert [(event["status"], content(event)) for event in events] == [("ok", "one")]


class Answer:
    """An HTTP response of *chunks*, as far as a tap can see; *clock* ticks ten seconds for each chunk."""

    def __init__(self, chunks: Iterable[bytes], kind: str = "text/event-stream", tick: Callable[[], Any] = int) -> None:
        self.headers = {"content-type": kind}
        self.chunks, self.tick = chunks, tick
        self.closed = 0

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        for piece in self.chunks:
            self.tick()
            yield piece

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        for piece in Answer.iter_bytes(self):
            yield piece

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.door("openai", "consumer", "first")
def test_the_time_the_consumer_takes_is_not_the_models() -> None:
    clock = Clock()
    tape = Tape(CHAT, 5.0, clock)
    frames = [frame(chunk({"role": "assistant", "content": ""})), *[frame(chunk({"content": "x"}))] * 2]
    answer = Answer(frames, tick=lambda: clock.pass_by(1.0))
    Tap(answer, tape, lambda _: None)
    for _ in answer.iter_bytes():
        clock.pass_by(100.0)
    assert (tape.waited, tape.first) == (8.0, 7.0)


@pytest.mark.door("openai", "consumer")
async def test_the_time_the_consumer_takes_is_not_the_models_in_async_code() -> None:
    clock = Clock()
    tape = Tape(CHAT, 5.0, clock)
    answer = Answer([frame(chunk({"content": "x"}))] * 2, tick=lambda: clock.pass_by(1.0))
    Tap(answer, tape, lambda _: None)
    async for _ in answer.aiter_bytes():
        clock.pass_by(100.0)
    assert (tape.waited, tape.first) == (7.0, 6.0)


def test_a_response_is_left_as_it_was_when_its_stream_is_over() -> None:
    answer = Answer([frame(chunk({"content": "x"}))])
    before = set(vars(answer))
    ended: list[Any] = []
    tap = Tap(answer, Tape(CHAT, 0.0), ended.append)
    list(answer.iter_bytes())
    del tap
    gc.collect()
    assert (set(vars(answer)), ended) == (before, [None])


def passed(count: int) -> tuple[Tape, int, float]:
    """A tape of *count* chunks, the peak of the memory it took in bytes, and the processor's time in seconds."""
    tape = Tape(CHAT, 0.0)
    answer = Answer([])
    one = memoryview(frame(chunk({"content": "text "})))
    answer.chunks = (bytes(one) for _ in range(count))
    Tap(answer, tape, lambda _: None)
    started = time.thread_time()
    tracemalloc.start()
    try:
        collections.deque(answer.iter_bytes(), 0)
        return tape, tracemalloc.get_traced_memory()[1], time.thread_time() - started
    finally:
        tracemalloc.stop()


@pytest.mark.door("openai", "long")
def test_fifty_thousand_chunks_take_bounded_memory_and_linear_time() -> None:
    _, _, short = passed(12_500)
    tape, peak, long = passed(50_000)
    assert (peak < 2 * COMPACT_ABOVE, long < 12 * short) == (True, True)
    (choice,) = CHAT.assemble([json.loads(payload) for payload in tape.payloads()])["choices"]
    assert (choice["message"]["content"], len(tape.payloads()) < 50) == ("text " * 50_000, True)


def test_a_stream_beyond_all_bounds_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from flywheel_log.capture.streams import tape as module

    monkeypatch.setattr(module, "KEEP_AT_MOST", 2 << 20)
    tape = Tape(CHAT, 0.0)
    answer = Answer([frame(chunk({"tool_calls": [{"index": 0, "function": {"arguments": "x" * 9000}}]}))] * 500)
    Tap(answer, tape, lambda _: None)
    for _ in answer.iter_bytes():
        pass
    assert (tape.cut, sum(map(len, tape.payloads())) < 4 << 20) == (True, True)


def test_a_body_is_kept_to_the_byte_whatever_is_in_it() -> None:
    body = b'{"text": "' + b"a\n\n" * 700_000 + b'"}'
    tape = Tape(CHAT, 0.0, events=False)
    answer = Answer([body[at : at + 65_536] for at in range(0, len(body), 65_536)], "application/json")
    Tap(answer, tape, lambda _: None)
    assert (b"".join(answer.iter_bytes()), tape.body()) == (body, body)


@pytest.mark.parametrize("stream", [False, True])
def test_compressed_answers_are_read(stream: bool, start: Callable[..., Server], events: list[Event]) -> None:
    def script(received: Any) -> Reply:
        if stream:
            plain = b"".join([frame(chunk({"content": "zip"})), frame(chunk({}, "stop")), frame("[DONE]")])
            kind = "text/event-stream"
        else:
            plain = json.dumps({"choices": [{"message": {"content": "zip"}}]}).encode()
            kind = "application/json"
        return Reply(200, {"content-encoding": "gzip", "content-type": kind}, gzip.compress(plain))

    alone, watched = start(script), start(script)
    options = {"stream": True} if stream else {}
    with bare(alone) as one, recorded(watched) as other:
        results = [client.chat.completions.create(**HELLO, **options) for client in (one, other)]
        assert seen(list(results[1])) == seen(list(results[0]))
    assert [content(event) for event in events] == ["zip"]


def test_a_compressed_body_left_to_the_caller_is_whole(start: Callable[..., Server], events: list[Event]) -> None:
    body = gzip.compress(json.dumps({"choices": [{"message": {"content": "zip" * 5000}}]}).encode())
    server = start(lambda _: Reply(200, {"content-encoding": "gzip", "content-type": "application/json"}, body))
    with (
        recorded(server) as client,
        client.chat.completions.with_streaming_response.create(**HELLO) as response,
    ):
        response.read()
    assert [(event["status"], content(event)) for event in events] == [("ok", "zip" * 5000)]


def test_a_body_the_caller_did_not_read_is_incomplete(client: openai.OpenAI, events: list[Event]) -> None:
    with client.chat.completions.with_streaming_response.create(**HELLO):
        pass
    assert [(event["status"], "response" in event) for event in events] == [("incomplete", False)]


FORKED = """
import os, sys
import flywheel_log
from openai import OpenAI

client = flywheel_log.instrument(OpenAI())
stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True)
next(stream)
child = os.fork()
if child == 0:
    sys.exit()
os.waitpid(child, 0)
for _ in stream:
    pass
"""


def test_a_stream_that_is_open_at_a_fork_is_the_parents_to_record(openai_environment: Server, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], check=True, timeout=100)
    (event,) = flywheel_log.read("genai.log")
    assert event["status"] == "ok"


UNTYPED: dict[str, dict[str, str]] = {
    "nothing": {"content-type": ""},
    "text": {"content-type": "text/plain"},
    "JSON": {"content-type": "application/json"},
}


@pytest.mark.parametrize("called", UNTYPED)
def test_a_stream_is_one_whatever_its_server_calls_it(
    called: str, start: Callable[..., Server], events: list[Event]
) -> None:
    chunks = [chunk({"content": text}) for text in ("my key is sk-proj-4fT9", "aQ2xLr8ZkW1vB7nM", "!")]
    body = b"".join(map(frame, [*chunks, chunk({}, "stop"), "[DONE]"]))
    server = start(lambda _: Reply(200, UNTYPED[called], body))
    assert len(list(recorded(server).chat.completions.create(**HELLO, stream=True))) == 4
    (event,) = events
    assert (content(event), event["status"]) == ("my key is [openai_key]!", "ok")


def test_a_large_body_that_was_to_be_a_stream_is_kept_whole() -> None:
    tape = Tape(surface_named("chat.completions"), 0.0)
    pieces = [b'{"choices": [\n\n' + b" " * COMPACT_ABOVE, b"\n\n", b"]}"]
    for piece in pieces:
        tape.keep(piece)
        tape.compact()
    assert (tape.payloads(), tape.body()) == ([], b"".join(pieces))


def test_events_are_not_squashed_into_a_last_one_that_cannot_be_read() -> None:
    tape = Tape(surface_named("responses"), 0.0)
    said = [frame({"type": "response.output_text.delta", "delta": text}) for text in ("one", "two")]
    last = b'data: {"type": "response.completed", "response": {"output": "' + b"x" * COMPACT_ABOVE + b"\n\n"
    for piece in (*said, last):
        tape.keep(piece)
    tape.compact()
    assert b"".join(tape.payloads(summed_up=False)).count(b"delta") > 0


def test_a_server_that_does_not_stream_is_recorded_as_it_answers(
    start: Callable[..., Server], events: list[Event]
) -> None:
    body = {"id": "c", "choices": [{"index": 0, "message": {"content": "all\n\nat once"}, "finish_reason": "stop"}]}
    spaced = json.dumps(body, indent=1).replace("\n", "\n\n").encode()
    server = start(lambda _: Reply(200, {"content-type": "application/json"}, spaced))
    assert list(recorded(server).chat.completions.create(**HELLO, stream=True)) == []
    (event,) = events
    assert (event["response"], event["status"]) == (body, "ok")
