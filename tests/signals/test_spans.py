"""`trace` and `step`: ids, times, outcomes, and what is inside what."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

import flywheel_log
from flywheel_log import step, trace
from flywheel_log.event import Event

Ask = Callable[..., Any]
HEADER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
IDS = ("trace_id", "span_id", "parent_id")


def named(events: list[Event]) -> dict[str, Event]:
    return {event.get("name") or event["kind"]: event for event in events}


def test_a_call_outside_any_trace_has_no_ids(events: list[Event], ask: Ask) -> None:
    ask()
    (event,) = events
    assert [key for key in IDS if key in event] == []


def test_a_step_is_an_event_with_its_place_time_and_outcome(events: list[Event]) -> None:
    with trace("answer", user_id="u42", traceparent=HEADER):
        pass
    (event,) = events
    shape = {key: type(value) for key, value in event.items() if key in ("timestamp", "span_id", "duration_ms")}
    assert shape == {"timestamp": str, "span_id": str, "duration_ms": float}
    assert {key: value for key, value in event.items() if key not in shape} == {
        "id": "test-1",
        "kind": "step",
        "client_id": "acme",
        "workload_id": "tests",
        "user_id": "u42",
        "name": "answer",
        "status": "ok",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "parent_id": "b7ad6b7169203331",
    }


def test_steps_and_calls_stand_in_the_step_around_them(events: list[Event], ask: Ask) -> None:
    with trace("answer"):
        with step("retrieve"):
            pass
        with step("generate"):
            ask()
    found = named(events)
    assert len({event["trace_id"] for event in events}) == 1
    assert len({event["span_id"] for event in events}) == 4
    assert "parent_id" not in found["answer"]
    assert found["retrieve"]["parent_id"] == found["generate"]["parent_id"] == found["answer"]["span_id"]
    assert found["llm"]["parent_id"] == found["generate"]["span_id"]


def test_ids_are_those_of_the_standard(events: list[Event]) -> None:
    with trace("answer"):
        pass
    (event,) = events
    assert re.fullmatch("[0-9a-f]{32}/[0-9a-f]{16}", f"{event['trace_id']}/{event['span_id']}")


def test_a_trace_inside_a_trace_is_a_step_of_it(events: list[Event]) -> None:
    with trace("outer"), trace("inner"):
        pass
    found = named(events)
    assert (found["inner"]["trace_id"], found["inner"]["parent_id"]) == (
        found["outer"]["trace_id"],
        found["outer"]["span_id"],
    )


def test_a_header_begins_a_trace_of_its_own_even_inside_one(events: list[Event]) -> None:
    with trace("outer"), trace("inner", traceparent=HEADER):
        pass
    found = named(events)
    assert found["inner"]["trace_id"] == "0af7651916cd43dd8448eb211c80319c" != found["outer"]["trace_id"]


@pytest.mark.parametrize(
    "broken", ["", "nonsense", HEADER[:-1], HEADER.replace("b7ad6b7169203331", "0" * 16), b"00", 7]
)
def test_a_header_that_breaks_the_standard_is_ignored(events: list[Event], broken: Any) -> None:
    with trace("answer", traceparent=broken):
        pass
    assert "parent_id" not in events[0]


def test_the_header_for_another_process_names_the_step_under_way(events: list[Event]) -> None:
    with trace("answer"), step("search"):
        header = trace.current_traceparent()
    search = named(events)["search"]
    assert header == f"00-{search['trace_id']}-{search['span_id']}-01"


def test_the_header_says_whether_opentelemetry_records_the_span(events: list[Event]) -> None:
    for sampler, flags in ((ALWAYS_OFF, "00"), (ALWAYS_ON, "01")):
        with TracerProvider(sampler=sampler).get_tracer("test").start_as_current_span("request"), trace("answer"):
            header = trace.current_traceparent()
            assert header is not None
            assert header.endswith(f"-{flags}")


def test_there_is_no_header_where_the_trace_has_an_id_of_another_form(events: list[Event]) -> None:
    with flywheel_log.context(trace_id="request 7"), trace("answer"):
        assert trace.current_traceparent() is None
    assert events[0]["trace_id"] == "request 7"


@pytest.mark.parametrize("kind", [flywheel_log.step, flywheel_log.trace])
def test_a_decorator_without_a_name_says_how_to_write_it(kind: Any) -> None:
    def retrieve() -> None: ...

    with pytest.raises(TypeError, match=rf"{kind.__name__} needs a name .*; write @{kind.__name__}\('retrieve'\)"):
        kind(retrieve)


def test_a_name_is_a_text_and_an_error_without_words_is_told(events: list[Event]) -> None:
    class Wordless(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    with pytest.raises(Wordless), flywheel_log.step(7):  # type: ignore[arg-type]
        raise Wordless
    (event,) = events
    assert (event["name"], event["status"], event["error"]) == ("7", "error", {"type": "Wordless", "message": ""})


def test_there_is_no_header_outside_a_trace() -> None:
    assert trace.current_traceparent() is None


def test_two_processes_make_one_tree(events: list[Event], ask: Ask) -> None:
    with trace("front"):
        header = trace.current_traceparent()
    with trace("back", traceparent=header):
        ask()
    found = named(events)
    assert found["back"]["parent_id"] == found["front"]["span_id"]
    assert found["llm"]["trace_id"] == found["front"]["trace_id"]


def test_an_error_is_recorded_and_raised(events: list[Event]) -> None:
    with pytest.raises(KeyError), trace("answer"):
        raise KeyError("id")
    (event,) = events
    assert (event["status"], event["error"]) == ("error", {"type": "KeyError", "message": "'id'"})


def test_what_is_cancelled_is_incomplete(events: list[Event]) -> None:
    with pytest.raises(asyncio.CancelledError), trace("answer"):
        raise asyncio.CancelledError
    assert (events[0]["status"], "error" in events[0]) == ("incomplete", False)


def test_every_kind_of_callable_can_be_a_step(events: list[Event]) -> None:
    @step("plain")
    def plain(word: str) -> str:
        return word

    @step("generator")
    def generator() -> Iterator[int]:
        yield from (1, 2)

    @step("coroutine")
    async def coroutine() -> int:
        return 3

    @step("async generator")
    async def async_generator() -> AsyncIterator[int]:
        yield 4

    async def run() -> list[int]:
        async with trace("with"):
            return [await coroutine(), *[item async for item in async_generator()]]

    assert (plain("a"), list(generator()), asyncio.run(run())) == ("a", [1, 2], [3, 4])
    assert [event.get("name") for event in events] == ["plain", "generator", "coroutine", "async generator", "with"]


def test_a_generators_calls_are_inside_and_its_consumers_are_not(events: list[Event], ask: Ask) -> None:
    @step("stream")
    def stream() -> Iterator[int]:
        ask("inside")
        yield 1

    for _ in stream():
        ask("outside")
    inside, outside, ended = events
    assert (inside["parent_id"], "trace_id" in outside) == (ended["span_id"], False)


def test_a_generator_that_is_left_early_is_incomplete(events: list[Event]) -> None:
    @step("stream")
    def stream() -> Iterator[int]:
        yield from range(10)

    left = stream()
    next(left)
    left.close()
    assert [event["status"] for event in events] == ["incomplete"]


def test_a_context_manager_lasts_until_it_is_left_and_tells_how_that_was(events: list[Event], ask: Ask) -> None:
    @step("session")
    @contextlib.contextmanager
    def session(*swallowed: type[Exception]) -> Iterator[None]:
        ask("inside")
        with contextlib.suppress(*swallowed):
            yield

    with session():
        assert [event["kind"] for event in events] == ["llm"]
    with session(KeyError):
        raise KeyError
    with pytest.raises(KeyError), session():
        raise KeyError
    entered = session()
    entered.__enter__()
    assert len(events) == 7
    del entered
    ended = [event for event in events if event["kind"] == "step"]
    assert [event["status"] for event in ended] == ["ok", "ok", "error", "incomplete"]
    assert [event["parent_id"] for event in events if event["kind"] == "llm"] == [event["span_id"] for event in ended]


async def test_an_awaitable_object_lasts_until_it_has_been_awaited(events: list[Event]) -> None:
    class Later:
        def __init__(self, error: Exception | None = None) -> None:
            self.error = error

        def __await__(self) -> Iterator[None]:
            yield
            with step("inside"):
                if self.error is not None:
                    raise self.error

    await step("later")(Later)()
    with pytest.raises(LookupError):
        await step("later")(Later)(LookupError())
    assert [(event["name"], event["status"]) for event in events] == [
        ("inside", "ok"),
        ("later", "ok"),
        ("inside", "error"),
        ("later", "error"),
    ]
    assert [event.get("parent_id") for event in events[::2]] == [event["span_id"] for event in events[1::2]]


async def test_a_generator_that_a_coroutine_returns_lasts_until_it_is_exhausted(events: list[Event]) -> None:
    async def pieces() -> AsyncIterator[int]:
        with step("inside"):
            await asyncio.sleep(0)
        yield 1

    @step("answer")
    async def answer() -> AsyncIterator[int]:
        return pieces()

    assert [piece async for piece in await answer()] == [1]
    inside, ended = events
    assert (inside["parent_id"], ended["name"]) == (ended["span_id"], "answer")


def test_tasks_and_pools_carry_the_trace_on(events: list[Event], ask: Ask) -> None:
    async def run() -> None:
        with trace("answer"), ThreadPoolExecutor(1) as pool:
            await asyncio.gather(asyncio.to_thread(ask), asyncio.to_thread(ask))
            pool.submit(ask).result()

    asyncio.run(run())
    *calls, answer = events
    assert [call["parent_id"] for call in calls] == [answer["span_id"]] * 3


def test_one_block_object_may_be_entered_by_many_at_once(events: list[Event]) -> None:
    block = step("shared")
    with block, block:
        pass
    inner, outer = events
    assert (inner["parent_id"], "parent_id" in outer) == (outer["span_id"], False)


def test_an_opentelemetry_span_is_the_trace_of_the_calls_in_it(events: list[Event], ask: Ask) -> None:
    with TracerProvider().get_tracer("t").start_as_current_span("request") as span:
        ask()
    around = span.get_span_context()
    (event,) = events
    assert (event["trace_id"], event["parent_id"]) == (f"{around.trace_id:032x}", f"{around.span_id:016x}")
    assert event["span_id"] != event["parent_id"]


def test_the_innermost_of_our_steps_and_opentelemetrys_spans_is_the_parent(events: list[Event], ask: Ask) -> None:
    tracer = TracerProvider().get_tracer("t")
    with tracer.start_as_current_span("request") as request, trace("answer"):
        ask()
        with tracer.start_as_current_span("inner") as inner:
            ask()
    first, second, answer = events
    assert (answer["parent_id"], first["parent_id"], second["parent_id"]) == (
        f"{request.get_span_context().span_id:016x}",
        answer["span_id"],
        f"{inner.get_span_context().span_id:016x}",
    )
    assert len({event["trace_id"] for event in events}) == 1


def test_nothing_is_recorded_where_recording_is_suppressed(events: list[Event]) -> None:
    with flywheel_log.suppress(), trace("answer"):
        pass
    assert events == []


def test_a_field_that_is_none_of_an_events_is_refused() -> None:
    with pytest.raises(TypeError, match="colour is not a field of an event; expected one of cached_tokens, client_id"):
        trace("answer", colour="red")
