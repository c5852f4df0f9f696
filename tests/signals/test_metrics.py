"""`metrics()` and its exports, as other programs read them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import Any

import openai
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client.parser import text_string_to_metric_families

import flywheel_log
from flywheel_log.meter import Key, Meter, meter
from flywheel_log.signals.metrics import Metrics, metrics
from flywheel_log.signals.opentelemetry import export_metrics
from flywheel_log.testing import recording
from tests.delivery.turns import with_a_turn

CALL: dict[str, Any] = {
    "kind": "llm",
    "workload_id": 'a "quoted"\nname',
    "provider": "openai",
    "model": "gpt-4.1",
    "surface": "chat.completions",
    "status": "ok",
    "latency_ms": 500.0,
    "time_to_first_token_ms": 30.0,
    "input_tokens": 100,
    "output_tokens": 20,
    "cached_tokens": 64,
    "retries": 1,
    "cost_usd": 0.0015,
}
FAILED = CALL | {"status": "error", "error": {"type": "RateLimitError", "message": "slow down"}, "latency_ms": 100.0}


@pytest.fixture
def two_calls() -> Metrics:
    own = Meter()
    own.add(CALL, "default")
    own.add({key: value for key, value in FAILED.items() if "token" not in key and key != "cost_usd"}, "default")
    return Metrics(own.series(), {"journal_full": 3})


def test_a_row_is_a_workload_and_a_model(two_calls: Metrics) -> None:
    assert two_calls.rows() == [
        {
            "workload_id": 'a "quoted"\nname',
            "provider": "openai",
            "model": "gpt-4.1",
            "calls": 2,
            "errors": 1,
            "incomplete": 0,
            "retries": 2,
            "input_tokens": 100,
            "output_tokens": 20,
            "cached_tokens": 64,
            "reasoning_tokens": 0,
            "cost_usd": 0.0015,
            "priced_calls": 1,
            "seconds": 0.6,
            "first_token_seconds": 0.03,
        }
    ]


def test_prometheus_reads_the_totals(two_calls: Metrics) -> None:
    families = {family.name: family for family in text_string_to_metric_families(two_calls.prometheus())}
    found = {
        (sample.name, sample.labels.get("error_type", ""), sample.labels.get("gen_ai_token_type", "")): sample.value
        for family in families.values()
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }
    assert found == {
        ("gen_ai_client_operation_duration_seconds_sum", "", ""): 0.5,
        ("gen_ai_client_operation_duration_seconds_count", "", ""): 1.0,
        ("gen_ai_client_operation_duration_seconds_sum", "RateLimitError", ""): 0.1,
        ("gen_ai_client_operation_duration_seconds_count", "RateLimitError", ""): 1.0,
        ("gen_ai_client_operation_time_to_first_chunk_seconds_sum", "", ""): 0.03,
        ("gen_ai_client_operation_time_to_first_chunk_seconds_count", "", ""): 1.0,
        ("gen_ai_client_token_usage_sum", "", "input"): 100.0,
        ("gen_ai_client_token_usage_count", "", "input"): 1.0,
        ("gen_ai_client_token_usage_sum", "", "output"): 20.0,
        ("gen_ai_client_token_usage_count", "", "output"): 1.0,
        ("flywheel_log_retries_total", "", ""): 1.0,
        ("flywheel_log_retries_total", "RateLimitError", ""): 1.0,
        ("flywheel_log_cost_usd_total", "", ""): 0.0015,
        ("flywheel_log_dropped_total", "", ""): 3.0,
    }
    (first, *_) = families["gen_ai_client_operation_duration_seconds"].samples
    assert first.labels == {
        "workload_id": 'a "quoted"\nname',
        "gen_ai_operation_name": "chat",
        "gen_ai_provider_name": "openai",
        "gen_ai_request_model": "gpt-4.1",
        "le": "0.01",
    }


def test_a_line_stands_there_once_though_several_surfaces_are_one_operation() -> None:
    own = Meter()
    for surface in ("chat.completions", "responses"):
        own.add(CALL | {"surface": surface}, "default")
    lines = [line for line in Metrics(own.series(), {}).prometheus().splitlines() if not line.startswith("#")]
    assert len({line.rpartition(" ")[0] for line in lines}) == len(lines)
    assert [line.rpartition(" ")[2] for line in lines if "_count" in line] == ["2"] * 4
    assert [line.rpartition(" ")[2] for line in lines if "_total" in line] == ["2", "0.003"]


def test_buckets_count_up(two_calls: Metrics) -> None:
    lines = two_calls.prometheus().splitlines()
    counts = [
        int(line.rpartition(" ")[2]) for line in lines if "duration_seconds_bucket" in line and "Rate" not in line
    ]
    assert counts == [0] * 6 + [1] * 9


def test_every_call_is_counted_whatever_becomes_of_its_record(ask: Callable[..., Any]) -> None:
    with flywheel_log.context(workload_id="counted once"):
        ask()
        with flywheel_log.trace("no call"):
            pass
    assert [row["calls"] for row in metrics().rows() if row["workload_id"] == "counted once"] == [1]


def test_totals_wait_for_the_thread_that_is_counting() -> None:
    own, counting, go_on = Meter(), threading.Event(), threading.Event()

    def slowly(_: Any) -> dict[str, Any]:
        counting.set()
        go_on.wait(30)
        return {}

    own.note({"kind": "llm", "latency_ms": 1.0}, "slow", slowly)
    with ThreadPoolExecutor() as pool:
        pool.submit(own.settle)
        counting.wait(30)
        totals = pool.submit(own.series)
        assert wait([totals], timeout=0.2).done == set()
        go_on.set()
        assert [key.workload_id for key in totals.result(30)] == ["slow"]


def test_too_many_series_are_counted_together() -> None:
    own = Meter()
    for number in range(1005):
        own.add({"kind": "llm", "latency_ms": 1.0}, f"workload-{number}")
    series = own.series()
    assert (len(series), series[Key("other", "", "other", "", "")].duration.count) == (1001, 5)


def counted(reader: InMemoryMetricReader) -> list[tuple[Any, int]]:
    """The workload and the number of calls of each point of the durations."""
    data = reader.get_metrics_data()
    return [
        (point.attributes["workload_id"], point.count)
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
        if metric.name == "gen_ai.client.operation.duration"
    ]


def test_opentelemetry_is_told_the_workload_of_the_settings_whatever_looks_inside(client: openai.OpenAI) -> None:
    reader = InMemoryMetricReader()
    export = export_metrics(MeterProvider([reader]))
    with recording(workload_id="support", processors=[lambda _, __, event: event]):
        client.chat.completions.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": "hi"}])
    export.stop()
    assert counted(reader) == [("support", 1)]


def test_an_export_that_is_asked_for_twice_counts_once() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    export, again = export_metrics(provider), export_metrics(provider)
    meter.add(CALL | {"workload_id": "once"}, "default")
    again.stop()
    export.stop()
    assert counted(reader) == [("once", 1)]
    export_metrics(provider).stop()  # It begins anew.


def test_opentelemetry_is_told_all_calls_of_a_burst() -> None:
    reader = InMemoryMetricReader()
    export = export_metrics(MeterProvider([reader]))
    for _ in range(5_000):
        meter.add(CALL | {"workload_id": "burst"}, "default")
    export.stop()
    assert counted(reader) == [("burst", 5_000)]


def test_opentelemetry_gets_no_more_series_than_there_are(client: openai.OpenAI) -> None:
    reader, own = InMemoryMetricReader(), Meter()
    export = export_metrics(MeterProvider([reader]))
    own.listeners.extend(meter.listeners)
    for number in range(1005):
        own.add(CALL | {"workload_id": f"workload-{number}"}, "default")
    export.stop()
    points = counted(reader)
    assert (len(points), dict(points)["other"]) == (1001, 5)


def test_opentelemetry_gets_the_standard_metrics(client: openai.OpenAI) -> None:
    reader = InMemoryMetricReader()
    export = export_metrics(MeterProvider([reader]))
    with flywheel_log.context(workload_id="support"):
        list(
            client.chat.completions.create(
                model="gpt-4.1-mini", messages=[{"role": "user", "content": "hi"}], stream=True
            )
        )
    export.stop()
    data = reader.get_metrics_data()
    assert data is not None
    found = {
        (metric.name, metric.unit, point.attributes.get("gen_ai.token.type")): (point.count, len(point.explicit_bounds))
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
        if metric.unit != "USD"
    }
    assert {key: value for key, value in found.items() if "usage" not in key[0]} == {
        ("gen_ai.client.operation.duration", "s", None): (1, 14),
        ("gen_ai.client.operation.time_to_first_chunk", "s", None): (1, 16),
    }
    attributes = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points[0].attributes
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1-mini",
        "workload_id": "support",
    }


def test_a_call_may_be_counted_anywhere_while_the_totals_are_taken() -> None:
    at, more, place = 1, True, str(sys.modules[Meter.__module__].__file__)
    while more:
        counted = Meter()
        counted.add(CALL, "default")

        def turn(counted: Meter = counted) -> None:
            counted.add({**CALL, "model": "another"}, "default")

        more = with_a_turn(at, turn, counted.series, place)
        assert sum(one.duration.count for one in counted.series().values()) == 1 + more, f"at instruction {at}"
        at += 7
    assert at > 100


def test_a_listener_that_is_taken_out_meanwhile_hides_no_other() -> None:
    at, more, place = 1, True, str(sys.modules[Meter.__module__].__file__)
    while more:
        counted, going, told = Meter(), list[Any](), list[Any]()
        listeners = counted.listeners
        listeners += [going.append, told.append]

        def add(counted: Meter = counted) -> None:
            counted.add(CALL, "default")

        more = with_a_turn(at, partial(listeners.pop, 0), add, place)
        assert len(told) == 1, f"at instruction {at}"
        at += 1
    assert at > 50
