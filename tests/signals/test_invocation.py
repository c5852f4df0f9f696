"""`invocation`: what was recorded inside is delivered when the block is left, within its time."""

from __future__ import annotations

import inspect
import time
from pathlib import Path

import pytest

import flywheel_log
from flywheel_log import recorder
from flywheel_log.standin import Reply, serve


@flywheel_log.logged_llm
def answer(text: str) -> str:
    return text


def said(path: Path) -> list[tuple[str | None, str]]:
    return [(event.get("user_id"), event["workload_id"]) for event in flywheel_log.read(path)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    flywheel_log.configure(sinks=[f"file:{tmp_path}/genai.log"])
    return tmp_path / "genai.log"


def test_the_file_has_the_record_when_the_block_is_left(log: Path) -> None:
    with flywheel_log.invocation(user_id="u42"):
        answer("hi")
    assert said(log) == [("u42", "answer")]


async def test_handlers_of_both_kinds_deliver_and_stay_what_they_are(log: Path) -> None:
    @flywheel_log.invocation(workload_id="sync")
    def handler(event: dict[str, str], _: object) -> str:
        return answer(event["text"])

    @flywheel_log.invocation(workload_id="async")
    async def later(event: dict[str, str], _: object) -> str:
        return answer(event["text"])

    assert (handler({"text": "a"}, None), await later({"text": "b"}, None)) == ("a", "b")
    assert said(log) == [(None, "sync"), (None, "async")]
    assert (handler.__name__, inspect.iscoroutinefunction(later)) == ("handler", True)


def test_a_decorator_without_its_parentheses_is_told_at_once() -> None:
    with pytest.raises(TypeError, match=r"^timeout is a number of seconds; got .*, write @invocation\(\)$"):
        flywheel_log.invocation(answer)  # type: ignore[arg-type]


def test_a_handlers_error_is_its_own_and_what_it_recorded_is_delivered(log: Path) -> None:
    @flywheel_log.invocation()
    def handler() -> None:
        answer("hi")
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        handler()
    assert len(said(log)) == 1


def test_a_sink_that_is_down_costs_no_more_than_the_time_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    flush, given = recorder.flush, []
    monkeypatch.setattr(recorder, "flush", lambda timeout: (given.append(timeout), flush(timeout)))
    with serve(lambda _: Reply(503, {}, b"")) as server:
        flywheel_log.configure(sinks=[server.url.replace("http:", "otlp:")])
        began = time.monotonic()
        with flywheel_log.invocation(timeout=0.2):
            answer("hi")
        assert 0.2 <= time.monotonic() - began < 20
        assert given == [0.2]
        (sink,) = flywheel_log.stats()["sinks"].values()
        assert sink["waiting"] == 1
