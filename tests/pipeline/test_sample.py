"""Sampling keeps whole traces, what went wrong and what is rare, and says at which rate."""

from __future__ import annotations

import os
import random
import threading
from contextlib import suppress
from typing import Any

import pytest
import structlog

import flywheel_log
from flywheel_log import testing
from flywheel_log.loop.stats import summarise
from flywheel_log.pipeline.sample import Sampler


def event(**fields: Any) -> dict[str, Any]:
    return {"timestamp": "", "kind": "llm", "workload_id": "chat", "status": "ok", **fields}


def passes(sampler: Sampler, **fields: Any) -> float | None:
    """The rate at which the event was kept, or None."""
    try:
        return sampler(None, "", event(**fields)).get("sample_rate")
    except structlog.DropEvent:
        return None


def test_a_share_of_the_calls_is_kept_and_the_rest_counted_by_workload() -> None:
    sampler = Sampler(0.25, 0, random=random.Random(7).random)
    kept = [passes(sampler) for _ in range(1000)]
    assert sampler.left_out() == {"chat": kept.count(None)}
    assert 700 < kept.count(None) < 800
    assert set(kept) == {None, 0.25}


def test_the_calls_of_a_trace_stay_together_in_every_process() -> None:
    one, two = Sampler(0.5, 0, random=lambda: 0.0), Sampler(0.5, 0, random=lambda: 0.9)
    traces = [f"{number:032x}" for number in range(200)]
    kept = [passes(one, trace_id=trace) for trace in traces]
    assert kept == [passes(two, trace_id=trace, workload_id="other") for trace in traces]
    assert 70 < kept.count(0.5) < 130


@pytest.mark.parametrize("fields", [{"status": "error"}, {"status": "incomplete"}, {"kind": "feedback"}])
def test_what_went_wrong_and_feedback_are_always_kept_and_count_once(fields: dict[str, str]) -> None:
    assert passes(Sampler(0.0, 0), **fields) == 1.0


def test_the_first_events_of_a_workload_are_kept_each_hour() -> None:
    now = [0.0]
    sampler = Sampler(0.0, 2, clock=lambda: now[0])
    assert [passes(sampler) for _ in range(3)] == [1.0, 1.0, None]
    assert passes(sampler, workload_id="rare") == 1.0
    now[0] = 3600.0
    assert [passes(sampler) for _ in range(3)] == [1.0, 1.0, None]


def test_a_trace_that_begins_among_the_first_events_is_kept_to_its_end() -> None:
    now = [0.0]
    sampler = Sampler(0.0, 1, clock=lambda: now[0])
    assert [passes(sampler, trace_id=trace) for trace in ("a", "a", "b", "a")] == [1.0, 1.0, None, 1.0]
    assert passes(sampler, trace_id="a", workload_id="other") == 1.0
    now[0] = 3600.0
    assert [passes(sampler, trace_id=trace) for trace in ("a", "c")] == [1.0, None]


def test_of_the_traces_that_were_let_in_the_latest_ten_thousand_are_remembered() -> None:
    sampler = Sampler(0.0, 10_001)
    traces = [f"{number}" for number in range(10_001)]
    assert {passes(sampler, trace_id=trace) for trace in traces} == {1.0}
    assert [passes(sampler, trace_id=trace) for trace in ("0", "1", "10000")] == [None, 1.0, 1.0]


def test_a_workload_has_its_own_share_and_the_others_that_of_the_star() -> None:
    sampler = Sampler({"chat": 0.0, "*": 0.5}, 0, random=lambda: 0.4)
    assert [passes(sampler), passes(sampler, workload_id="other")] == [None, 0.5]
    assert "sample_rate" not in Sampler({"chat": 0.0}, 0)(None, "", event(workload_id="other"))


def test_without_a_share_nothing_is_sampled_and_nothing_stamped() -> None:
    assert not Sampler(1.0, 10)
    assert "sample_rate" not in Sampler(1.0, 10)(None, "", event())


def test_a_child_forked_while_a_thread_decides_waits_for_nobody_and_begins_anew() -> None:
    deciding, decided = threading.Event(), threading.Event()

    def clock() -> float:
        if threading.current_thread() is not threading.main_thread():
            deciding.set()
            decided.wait(30)
        return 0.0

    sampler = Sampler(0.0, 1, clock=clock)
    assert [passes(sampler) for _ in range(2)] == [1.0, None]
    thread = threading.Thread(target=passes, args=(sampler,))
    thread.start()
    deciding.wait(30)
    child = os.fork()
    if child == 0:
        os._exit(0 if (passes(sampler), passes(sampler), sampler.left_out()) == (1.0, None, {"chat": 1}) else 1)
    decided.set()
    thread.join(30)
    assert os.waitpid(child, 0)[1] == 0


def test_what_the_sample_leaves_out_is_in_the_stats() -> None:
    @flywheel_log.logged_llm(workload_id="chat")
    def say(text: str) -> str:
        return text

    with testing.recording(sample={"chat": 0.0}, sample_first=1) as events:
        for text in "abc":
            say(text)
        assert flywheel_log.stats()["sampled_out"] == {"chat": 2}
    assert [event["sample_rate"] for event in events] == [1.0]


def test_what_was_kept_tells_how_much_there_was() -> None:
    """Estimates from the sample are near the truth, although errors are kept more often than what went well."""
    chance = random.Random(3)
    sampler, calls, kept = Sampler(0.1, 10, random=chance.random), [], []
    for number in range(20_000):
        failed = chance.random() < 0.05
        latency = chance.uniform(900, 1100) if failed else chance.uniform(100, 300)
        calls.append(event(status="error" if failed else "ok", latency_ms=latency, input_tokens=number % 7))
        with suppress(structlog.DropEvent):
            kept.append(sampler(None, "", dict(calls[-1])))
    true, found = summarise(calls).total, summarise(kept, scaled=True).total
    assert found.recorded == len(kept) < 3200
    assert found.errors == true.errors
    assert found.calls == pytest.approx(true.calls, rel=0.05)
    assert found.input_tokens == pytest.approx(true.input_tokens, rel=0.05)
    assert [found.latency.quantile(at) for at in (0.5, 0.99)] == pytest.approx(
        [true.latency.quantile(at) for at in (0.5, 0.99)], rel=0.05
    )
