"""What processors of the user's return is checked: it costs the content, is told of, and can be read back."""

import json
import uuid
from datetime import UTC, datetime

import pytest

import flywheel_log
from flywheel_log import recorder
from flywheel_log.health import health
from flywheel_log.testing import recording

EVENT = {
    "timestamp": "2026-01-01T00:00:00.000Z",
    "kind": "llm",
    "status": "ok",
    "request": {"messages": ["secret"]},
}


def setting(key, value):
    def processor(logger, method, event):
        return {**event, key: value}

    return processor


@pytest.mark.parametrize(
    ("processor", "told"),
    [
        (
            lambda logger, method, event: None,
            "<lambda> returned None; have it return the event, or raise structlog.DropEvent",
        ),
        (
            lambda logger, method, event: json.dumps(event),
            "<lambda> returned a value of type str; have it return the event, or raise structlog.DropEvent",
        ),
        (
            lambda logger, method, event: {"kind": "llm"},
            "the processors left no timestamp, which all who read need",
        ),
        (setting("kind", None), "the processors left no kind, which all who read need"),
        (setting("metadata", "eu"), "the processors left a value of type str as metadata, which nobody could read"),
        (setting("tags", {"eu"}), None),  # It is written as a list.
        (setting("tags", "eu"), "the processors left a value of type str as tags, which nobody could read"),
        (setting("request", ["x"]), "the processors left a value of type list as request, which nobody could read"),
        (setting("name", 7), "the processors left a value of type int as name, which nobody could read"),
        (setting("workload_id", uuid.UUID(int=7)), None),
        (setting("timestamp", datetime(2026, 1, 1, tzinfo=UTC)), None),
        (setting("metadata", None), None),
    ],
)
def test_what_nobody_could_read_costs_the_content_and_is_told_of(tmp_path, caplog, processor, told):
    path = tmp_path / "genai.log"
    with recording(processors=[lambda logger, method, event: event, processor]) as events:
        recorder.record({**EVENT})
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    (event,) = flywheel_log.read(path)
    assert ("secret" in str(event), event.get("training_unsafe")) == (
        (True, None) if told is None else (False, ["unredacted"])
    )
    assert health.dropped() == ({} if told is None else {"processor": 1})
    assert [record.getMessage() for record in caplog.records] == (
        []
        if told is None
        else [f"flywheel_log: processor ({told}); further ones are only counted, see flywheel_log.stats()"]
    )


def test_an_id_of_a_processor_is_left_out_and_that_is_said(tmp_path, caplog):
    flywheel_log.configure(
        sinks=[f"file:{tmp_path / 'genai.log'}"], journal=tmp_path / "journal", processors=[setting("id", "x")]
    )
    identity = recorder.record({**EVENT})
    flywheel_log.shutdown(20)
    line = (tmp_path / "genai.log").read_text()
    assert (json.loads(line)["id"], line.count('"id"')) == (identity, 1)
    assert "a processor set an id, which is left out" in caplog.text
