"""The structlog sink: an event is an event of the program's own structlog."""

import json

import pytest
import structlog
from structlog.testing import LogCapture

from flywheel_log.contract import SinkContract, event
from flywheel_log.health import health
from flywheel_log.sinks import open_sink


@pytest.fixture(autouse=True)
def entries():
    capture = LogCapture()
    structlog.configure(processors=[capture])
    yield capture.entries
    structlog.reset_defaults()


class TestStructlog(SinkContract):
    @pytest.fixture(autouse=True)
    def _captured(self, entries):
        self._entries = entries

    def make_sink(self, tmp_path):
        return open_sink("structlog:")

    def stored_ids(self):
        return [entry["id"] for entry in self._entries]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("structlog:here", "sink 'structlog' takes no path; write structlog:?logger=NAME instead of 'structlog:here'"),
        ("structlog:?colour=red", "sink 'structlog' has no parameter colour; expected one of level, logger"),
        (
            "structlog:?level=loud",
            "sink 'structlog' has no level 'loud'; expected one of critical, debug, error, info, warning",
        ),
    ],
)
def test_a_wrong_url_is_an_error_that_names_both_sides(url, message):
    with pytest.raises(ValueError, match="sink") as error:
        open_sink(url)
    assert str(error.value) == message


def test_a_call_is_an_entry_with_the_records_fields(entries):
    lines = [
        {"id": "r-1", "kind": "llm", "status": "ok", "model": "gpt-4.1"},
        {"id": "r-2", "kind": "llm", "status": "error", "error": {"type": "RateLimitError"}},
        {"id": "r-3", "kind": "feedback", "event": "not the name"},
    ]
    open_sink("structlog:?logger=llm&level=debug").write([json.dumps(line).encode() for line in lines])
    assert entries == [
        {"event": "llm_call", "log_level": "debug", "id": "r-1", "kind": "llm", "status": "ok", "model": "gpt-4.1"},
        {
            "event": "llm_call",
            "log_level": "error",
            "id": "r-2",
            "kind": "llm",
            "status": "error",
            "error": {"type": "RateLimitError"},
        },
        {"event": "feedback", "log_level": "debug", "id": "r-3", "kind": "feedback"},
    ]


def test_an_event_that_the_programs_processors_refuse_does_not_hold_up_the_others(entries):
    def refuse(logger, name, entry):
        if entry["id"] == "a1b2-1":
            raise KeyError(name)
        return entry

    structlog.configure(processors=[refuse, *structlog.get_config()["processors"]])
    sink = open_sink("structlog:")
    assert sink.write([event(1), event(2)]) == ()
    assert [entry["id"] for entry in entries] == ["a1b2-2"]
    assert (sink.stats(), health.dropped()) == ({"refused": 1}, {"structlog_refused": 1})
