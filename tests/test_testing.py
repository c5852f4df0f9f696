"""What users get for their own tests: `recording()`, without files, threads or waiting."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import openai
import pytest

import flywheel_log
from flywheel_log import recorder
from flywheel_log.testing import recording

EVENT: Any = {"timestamp": "2026-01-01T00:00:00.000Z", "kind": "llm"}


def test_events_come_when_their_call_does_and_are_numbered(openai_environment: Any) -> None:
    with recording() as events, flywheel_log.instrument(openai.OpenAI()) as client:
        for _ in range(2):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
            last = events[-1]
            assert last["request"] == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    assert [event["id"] for event in events] == ["test-1", "test-2"]


def test_nothing_is_written_and_no_thread_is_started(tmp_path: Path) -> None:
    before = {*threading.enumerate()}
    with recording() as events:
        recorder.record({**EVENT})
    assert (len(events), {*threading.enumerate()} - before, list(tmp_path.iterdir())) == (1, set(), [])


def test_recordings_nest_and_end() -> None:
    with recording(workload_id="outer") as outer:
        with recording(workload_id="inner") as inner:
            recorder.record({**EVENT})
        recorder.record({**EVENT})
    assert [event["workload_id"] for event in [*inner, *outer]] == ["inner", "outer"]


def test_a_recording_ends_when_its_block_raises() -> None:
    before = recorder.replace(None)
    with pytest.raises(LookupError), recording():
        raise LookupError
    assert recorder.replace(before) is None


def test_a_stream_that_is_open_when_the_block_ends_is_its_last_event(openai_environment: Any) -> None:
    said: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    with recording() as outer, flywheel_log.instrument(openai.OpenAI()) as client:
        around = client.chat.completions.create(**said)
        with recording() as inner:
            stream = client.chat.completions.create(**said)
            next(stream)
        assert len(list(stream)) > 1
        assert ([event["status"] for event in inner], outer) == (["incomplete"], [])
        list(around)
    assert [event["status"] for event in outer] == ["ok"]


def test_a_suite_that_records_nothing_has_what_a_test_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_LOG_DISABLED", "true")
    for settings, expected in (({}, 1), ({"disabled": True}, 0)):
        with recording(**settings) as events:
            recorder.record(EVENT)
        assert len(events) == expected


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="flywheel_log is configured wrongly: content"), recording(content="maybe"):
        pass


def test_the_plugins_fixture_gives_the_events_of_a_test(recorded_events: list[Any]) -> None:
    recorder.record(EVENT)
    assert [(event["id"], event["kind"]) for event in recorded_events] == [("test-1", "llm")]
