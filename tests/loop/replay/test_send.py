"""Requests sent again, by the real client to a real server."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from openai import OpenAI

import flywheel_log
from flywheel_log import standin
from flywheel_log.loop.replay.change import Change
from flywheel_log.loop.replay.fit import request_of
from flywheel_log.loop.replay.origin import stamp
from flywheel_log.loop.replay.pace import Pace
from flywheel_log.loop.replay.send import Sent, send, speaks
from flywheel_log.testing import recording

from .events import call

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


def client(server: standin.Server, **options: Any) -> OpenAI:
    return flywheel_log.instrument(OpenAI(base_url=server.url, api_key="stand-in", max_retries=0, **options))


def jobs(events: list[Any], change: Change = Change()) -> list[Any]:  # noqa: B008  it is immutable
    return [(event, request_of(event, change, anywhere=True)) for event in events]


def fields(event: Any) -> dict[str, Any]:
    return stamp(event, "run")


def test_the_body_goes_out_as_it_was_logged_and_its_answer_is_recorded():
    event = call(workload_id="support", user_id="u1", input_tokens=5)
    event["request"] |= {"tools": [TOOL], "some_extra": {"of": "another server"}, "temperature": 0}
    with standin.serve() as server, recording() as events:
        sent = send(jobs([event], Change("new")), client(server), fields)
        assert server.requests[0].json() == event["request"] | {"model": "new"}
    assert sent == Sent(answered=1)
    (new,) = events
    assert new["metadata"] == {"replay": {"of": "r-1", "run": "run"}}
    assert (new["workload_id"], new["user_id"], new["model"], new["status"]) == ("support.replay", "u1", "new", "ok")


def test_a_stream_is_read_to_its_end():
    event = call()
    event["request"]["stream"] = True
    with standin.serve() as server, recording() as events:
        send(jobs([event]), client(server), fields)
    assert (events[0]["streamed"], events[0]["status"], "time_to_first_token_ms" in events[0]) == (True, "ok", True)


def test_a_response_goes_its_own_way():
    event = call(surface="responses")
    event["request"] = {"model": "gpt-4.1", "input": "Where is my order?", "max_output_tokens": 3}
    with standin.serve() as server, recording() as events:
        sent = send(jobs([event]), client(server), fields)
        assert (server.requests[0].route, server.requests[0].json()) == ("/v1/responses", event["request"])
    assert (sent.answered, events[0]["surface"]) == (1, "responses")


def test_failures_are_the_requests_own():
    events = [call(f"r-{number}") for number in range(4)]
    events[2]["request"]["model"] = "error-400"
    with standin.serve() as server, recording() as records:
        sent = send(jobs(events), client(server), fields, concurrency=1)
    assert (sent.answered, dict(sent.failed), sent.stopped) == (3, {"BadRequestError": 1}, "")
    assert [record["status"] for record in records] == ["ok", "ok", "error", "ok"]


def test_where_everything_fails_it_stops():
    events = [call(f"r-{number}") for number in range(50)]
    with standin.serve() as server, recording():
        sent = send(jobs(events, Change("error-401")), client(server), fields, concurrency=2)
        assert 5 <= len(server.requests) <= 6
    assert (sent.answered, sent.stopped) == (0, "the first 5 requests all failed")
    assert "Incorrect API key" in sent.last_error


def test_no_more_are_on_their_way_than_allowed():
    together, most, lock, full = 0, 0, threading.Lock(), threading.Barrier(3)

    def script(_: standin.Received) -> None:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        full.wait(20)
        with lock:
            together -= 1

    events = [call(f"r-{number}") for number in range(9)]
    with standin.serve(script) as server, recording():
        sent = send(jobs(events), client(server), fields, concurrency=3)
    assert (sent.answered, most) == (9, 3)


def test_a_reader_that_fails_ends_it():
    def broken() -> Any:
        yield from jobs([call()])
        raise OSError("the disk is gone")

    with standin.serve() as server, recording() as events, pytest.raises(OSError, match="the disk is gone"):
        send(broken(), client(server), fields)
    assert len(events) == 1


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_rate_is_kept_at_even_distances():
    clock = Clock()
    pace = Pace(120, lambda: clock.now, clock.sleep)
    times = []
    for busy in (0.0, 0.0, 0.2, 5.0, 0.0):
        clock.now += busy
        pace.wait()
        times.append(clock.now)
    # What was missed while nobody asked is not made up for.
    assert times == pytest.approx([100.0, 100.5, 101.0, 106.0, 106.5])
    assert clock.slept == pytest.approx([0.5, 0.3, 0.5])


def test_threads_share_one_rate():
    clock = Clock()
    turns: list[float] = []
    pace = Pace(60, lambda: clock.now, turns.append)
    threads = [threading.Thread(target=pace.wait) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turns) == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_without_a_rate_nobody_waits():
    clock = Clock()
    Pace(None, lambda: clock.now, clock.sleep).wait()
    assert clock.slept == []


def test_a_client_speaks_what_it_has():
    class Old:
        chat = None

    assert speaks(Old()) == ("chat.completions",)
