"""Streams that are open when recording ends."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from flywheel_log import clock, logged_llm, scope
from flywheel_log.capture.call import Call
from flywheel_log.capture.open_streams import abandon, unended
from flywheel_log.capture.outcome import Outcome
from flywheel_log.capture.streams import tape as module
from flywheel_log.capture.streams.tape import COMPACT_ABOVE, Tape
from flywheel_log.capture.surfaces import surface_named
from flywheel_log.event import Event
from flywheel_log.health import health
from tests.delivery.turns import with_a_turn


class Stream:
    """One that is open until it has `ended`."""

    def __init__(self) -> None:
        self.ends = 0
        unended.add(self)

    def ended(self, error: BaseException | None) -> None:
        self.ends += 1
        unended.discard(self)


def test_other_streams_may_begin_anywhere_while_those_that_are_open_are_ended() -> None:
    at, more = 1, True
    while more:
        streams, others = [Stream() for _ in range(3)], list[Stream]()
        more = with_a_turn(at, lambda: others.append(Stream()), abandon, "")  # noqa: B023 - called here
        assert [stream.ends for stream in streams] == [1, 1, 1], f"at instruction {at}"
        abandon()
        assert all(stream.ends == 1 for stream in others)
        at += 1
    assert at > 20


def test_a_stream_that_another_thread_ends_while_it_is_recorded_is_recorded_once_and_nothing_is_dropped() -> None:
    at, more = 1, True
    while more:
        events: list[Event] = []
        call = Call(surface_named("chat.completions"), "openai", {"model": "m"}, {}, events.append, streamed=True)

        def conclude(call: Call = call) -> None:
            call.conclude(Outcome(None))

        more = with_a_turn(at, conclude, conclude, clock.__file__)
        assert (len(events), health.dropped()) == (1, {}), f"at instruction {at}"
        at += 1
    assert at > 10


def test_a_stream_that_is_ended_anywhere_while_it_is_read_has_what_was_read_and_nothing_twice() -> None:
    surface, seen = surface_named("chat.completions"), list[str]()
    texts = (b"one", b"two", b"three")
    chunks = [b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % text for text in texts]
    at, more = 1, True
    while more:
        tape = Tape(surface, 0.0)

        def read(tape: Tape = tape) -> None:
            for chunk in chunks:
                tape.take(chunk)

        def end(tape: Tape = tape) -> None:
            answer = surface.assemble([json.loads(payload) for payload in tape.payloads()])
            seen.append("".join(choice["message"]["content"] for choice in answer["choices"]))

        more = with_a_turn(at, end, read, module.__file__)
        at += 1
    assert set(seen) <= {"", "one", "onetwo", "onetwothree"}
    assert len(seen) > 50


@pytest.mark.parametrize("size", [1, COMPACT_ABOVE])
def test_a_stream_that_another_thread_reads_on_while_it_is_ended_has_nothing_twice(size: int) -> None:
    surface, seen = surface_named("chat.completions"), set[str]()
    at, more = 1, True
    while more:
        tape = Tape(surface, 0.0)
        tape.take(b'data: {"choices":[{"index":0,"delta":{"content":"1"}}]}\n\n')
        tape.run.append(b"2" * size)  # As the tap does.

        def read(tape: Tape = tape) -> None:
            tape.compact()
            tape.take(b'data: {"choices":[{"index":0,"delta":{"content":"3"}}]}\n\n')

        def end(tape: Tape = tape) -> None:
            answer = surface.assemble([json.loads(payload) for payload in tape.payloads()])
            seen.add("".join(choice["message"]["content"] for choice in answer.get("choices", ())))

        more = with_a_turn(at, read, end, module.__file__)
        at += 3
    whole = "1" + "2" * size
    assert (seen <= {"", "3", whole, f"{whole}3"}, whole in seen, at > 50) == (True, True, True)


def test_the_body_of_a_function_that_goes_on_behind_a_shutdown_has_its_fields_still(events: list[Event]) -> None:
    @logged_llm(workload_id="poem")
    def pieces() -> Iterator[str]:
        yield "one"
        abandon()
        yield str(scope.current().get("workload_id"))

    assert list(pieces()) == ["one", "poem"]
    assert [event["status"] for event in events] == ["incomplete"]
