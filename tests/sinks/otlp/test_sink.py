"""The sink `otlp:`: what every sink promises, and what becomes of refusals, outages and repetitions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

import flywheel_log
from flywheel_log.contract import SinkContract, deliver, event
from flywheel_log.health import health
from flywheel_log.sinks import RetryLater, Sink, open_sink
from flywheel_log.standin import Reply

from .collector import Collector, attributes


def ids(collector: Collector) -> list[str]:
    return [attributes(span)["flywheel_log.event.id"] for span in collector.spans]


class TestOtlp(SinkContract):
    @pytest.fixture(autouse=True)
    def _collector(self, collector: Collector) -> None:
        self.collector = collector

    def make_sink(self, tmp_path: Path) -> Sink:
        return open_sink(self.collector.sink)

    def stored_ids(self) -> Sequence[str]:
        return ids(self.collector)


def test_the_same_event_again_is_the_same_span(collector: Collector) -> None:
    sink = open_sink(collector.sink)
    deliver(sink, [event(1), event(2)])
    deliver(sink, [event(1)])
    first, second, again = [(span.trace_id, span.span_id) for span in collector.spans]
    assert first == again != second
    assert [len(first[0]), len(first[1])] == [16, 8]


@pytest.mark.parametrize(
    ("status", "headers", "reason", "after"),
    [
        (429, {"retry-after": "7"}, "http 429", 7),
        (503, {"retry-after": "soon"}, "http 503", None),
        (503, {"retry-after": "86400000"}, "http 503", 600),  # A gateway's mistake, in milliseconds.
        (404, {}, "http 404", None),
        (401, {}, "http 401", None),
    ],
)
def test_what_can_be_mended_is_offered_again(
    collector: Collector, status: int, headers: dict[str, str], reason: str, after: float | None
) -> None:
    collector.refuse = lambda *_: Reply(status, headers, b"no")
    with pytest.raises(RetryLater) as raised:
        open_sink(collector.sink).write([event(1)])
    assert (raised.value.reason, raised.value.after) == (reason, after)


def test_a_collector_that_is_not_there_is_asked_again(collector: Collector) -> None:
    sink = open_sink(collector.sink)
    collector.server.close()
    with pytest.raises(RetryLater, match=r"^unreachable$"):
        sink.write([event(1)])


def test_a_collector_that_speaks_no_tls_is_told_by_that(collector: Collector) -> None:
    with pytest.raises(RetryLater, match=r"^tls$"):
        open_sink(f"{collector.sink}?tls=true").write([event(1)])


def test_a_span_at_fault_holds_up_no_other_and_goes_without_its_content(collector: Collector) -> None:
    collector.refuse = lambda received, _: Reply(413, {}, b"") if len(received.body) > 5000 else None
    sink = open_sink(collector.sink)
    deliver(sink, [event(1), event(2, "x" * 10_000), event(3)])
    assert ids(collector) == ["a1b2-1", "a1b2-2", "a1b2-3"]
    assert [sorted(key for key in attributes(span) if "messages" in key) for span in collector.spans] == [
        ["gen_ai.input.messages", "gen_ai.output.messages"],
        [],
        ["gen_ai.input.messages", "gen_ai.output.messages"],
    ]
    assert sink.stats() == {"rejected": 0, "bared": 1, "refused": 0}


def test_a_span_that_is_refused_even_so_is_counted(collector: Collector) -> None:
    collector.refuse = lambda _, spans: Reply(400, {}, b"") if any("a1b2-2" in str(one) for one in spans) else None
    sink = open_sink(collector.sink)
    deliver(sink, [event(1), event(2), event(3)])
    assert (ids(collector), sink.stats()["refused"]) == (["a1b2-1", "a1b2-3"], 1)
    assert health.dropped() == {"otlp_refused": 1}


def test_what_fails_after_a_part_was_taken_is_the_rest(collector: Collector) -> None:
    answers = iter([400, 200, 503])
    collector.refuse = lambda *_: Reply(status, {}, b"") if (status := next(answers)) != 200 else None
    lines = [event(1), event(2)]
    assert list(open_sink(collector.sink).write(lines)) == lines[1:]


def test_what_the_collector_throws_away_is_counted(collector: Collector) -> None:
    partial = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=1))
    collector.refuse = lambda *_: Reply(200, {}, partial.SerializeToString())
    sink = open_sink(collector.sink)
    deliver(sink, [event(1), event(2)])
    assert (sink.stats()["rejected"], health.dropped()) == (1, {"otlp_rejected": 1})


def test_an_answer_that_is_no_protobuf_is_thanks_enough(collector: Collector) -> None:
    collector.refuse = lambda *_: Reply(200, {}, b'{"partialSuccess":{}}')
    assert open_sink(collector.sink).write([event(1)]) == ()


def test_requests_are_compressed_and_carry_the_headers_of_the_environment(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.server.url.removesuffix("/v1"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s%20cret, x-team = flywheel")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    deliver(open_sink("otlp:"), [event(1)])
    (received,) = collector.server.requests
    names = ("content-type", "content-encoding", "api-key", "x-team")
    assert (received.path, [received.headers[name] for name in names], ids(collector)) == (
        "/v1/traces",
        ["application/x-protobuf", "gzip", "s cret", "flywheel"],
        ["a1b2-1"],
    )


def test_an_outage_loses_nothing_and_doubles_nothing(collector: Collector) -> None:
    refusals = iter([503, 429, 502])
    collector.refuse = lambda *_: Reply(status, {}, b"") if (status := next(refusals, 0)) else None
    flywheel_log.configure(sinks=[collector.sink])
    for number in range(20):
        flywheel_log.logged_llm(lambda number=number: f"answer {number}")()
    assert flywheel_log.flush(timeout=30) == 0
    said = [attributes(span)["gen_ai.output.messages"][0]["parts"][0]["content"] for span in collector.spans]
    assert said == [f"answer {number}" for number in range(20)]


def test_a_line_of_any_shape_is_a_span(collector: Collector) -> None:
    odd = [{"id": "r-1"}, {"id": "r-2", "kind": "llm", "request": {"messages": 7}, "response": {"choices": [None]}}]
    odd += [{"id": "r-4", "latency_ms": "5ms"}, {"id": "r-5", "timestamp": "0001-01-01T00:00:00Z"}]
    odd += [{"id": "r-6", "status": "error", "error": "why"}, {"id": "r-7", "infrastructure": "here"}]
    lines = [json.dumps(one).encode() for one in odd]
    surrogate = b'{"id": "r-3", "kind": "llm", "request": {"prompt": "\\ud800"}, "response": {}}'
    deliver(open_sink(collector.sink), [*lines, surrogate])
    assert ids(collector) == ["r-1", "r-2", "r-4", "r-5", "r-6", "r-7", "r-3"]
    assert attributes(collector.spans[-1])["gen_ai.input.messages"][0]["parts"] == [{"type": "text", "content": "?"}]
