"""The index before the first document: ours has the right mapping, one of somebody else's is checked, not trusted."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from flywheel_log.sinks import RetryLater
from flywheel_log.sinks.elasticsearch.cluster import Cluster
from flywheel_log.sinks.elasticsearch.ensure import inspect
from flywheel_log.sinks.elasticsearch.mapping import INDEX, problems
from flywheel_log.sinks.elasticsearch.target import target

from .api import Api
from .events import line, lines
from .proxy import Fault, Proxy, refused
from .sink import sink_at

# What NVIDIA's blueprint makes of its index.
BLUEPRINT = {
    "settings": {"index": {"mapping": {"ignore_malformed": True}}},
    "mappings": {
        "dynamic": "strict",
        "properties": {
            "workload_id": {"type": "keyword"},
            "client_id": {"type": "keyword"},
            "timestamp": {"type": "date"},
            "request": {"type": "object", "dynamic": False},
            "response": {"type": "object", "dynamic": False},
        },
    },
}
FITTING: dict[str, Any] = BLUEPRINT["mappings"]["properties"]
MESSAGES = {"dynamic": False, "properties": {"messages": {"properties": {"content": {"type": "text"}}}}}


def nested(fields: dict[str, Any]) -> dict[str, Any]:
    return {**FITTING, "response": {"dynamic": False, "properties": {"flywheel_log": {"properties": fields}}}}


def test_the_index_that_we_make_has_no_problems() -> None:
    assert problems("i", INDEX["mappings"]) == []


def test_types_that_hold_the_same_are_as_good() -> None:
    fields = {
        "model": {"type": "wildcard"},
        "input_tokens": {"type": "integer"},
        "cost_usd": {"type": "double"},
        "metadata": {"type": "object", "enabled": False},
        "retrieval_docs": {"type": "nested", "properties": {"score": {"type": "half_float"}}},
        "their_own": {"type": "date"},
    }
    assert problems("i", {"properties": nested(fields)}) == []


def test_the_blueprints_own_index_takes_every_document(elasticsearch_url: str, api: Api, index: str) -> None:
    api("PUT", index, BLUEPRINT)
    sink = sink_at(elasticsearch_url, index)
    rich = line(9, metadata={"a": {"b": 1}}, tags=["x"], error={"type": "E"}, prompt={"name": "p", "variables": {}})
    assert list(sink.write([*lines(3), rich])) == []
    assert api.ids(index) == {"run-0", "run-1", "run-2", "run-9"}
    assert sink.stats()["stored"] == 4
    assert sink.stats()["stubs"] == 0
    assert inspect(Cluster(sink._target), index) == []


@pytest.mark.parametrize(
    ("mappings", "said"),
    [
        (
            {"properties": {**FITTING, "client_id": {"type": "text"}}},
            "client_id is text, must be keyword: a search for acme-prod would find acme-dev too",
        ),
        ({"properties": {**FITTING, "workload_id": {"type": "long"}}}, "workload_id is long, must be keyword"),
        ({"properties": {**FITTING, "timestamp": {"type": "keyword"}}}, "timestamp is keyword, must be date"),
        (
            {"properties": {**FITTING, "timestamp": {"type": "date", "format": "epoch_second"}}},
            "timestamp has the format epoch_second, must take ISO 8601 (strict_date_optional_time)",
        ),
        ({"properties": {**FITTING, "request": {"type": "text"}}}, "request is text, must be object"),
        (
            {"properties": {**FITTING, "response": {"dynamic": "strict", "properties": {"id": {"type": "keyword"}}}}},
            "response is strict, must have dynamic: false: it would refuse our fields",
        ),
        (
            {"properties": {**FITTING, "request": {"properties": {"model": {"type": "text"}}}}},
            "request maps every key it meets, must have dynamic: false: mixed types are refused",
        ),
        (
            {"dynamic": "strict", "properties": {k: v for k, v in FITTING.items() if k != "client_id"}},
            "client_id is missing, must be keyword",
        ),
        (
            {"properties": {**FITTING, "request": MESSAGES}},
            "request.messages.content is text, must not be mapped: it may be a list of objects, which would be refused",
        ),
        ({"properties": nested({"model": {"type": "long"}})}, "response.flywheel_log.model is long, must be keyword"),
        (
            {"properties": nested({"error": {"properties": {"status_code": {"type": "date"}}}})},
            "response.flywheel_log.error.status_code is date, must be long",
        ),
        (
            {"properties": nested({"metadata": {"properties": {"plan": {"type": "text"}}}})},
            "response.flywheel_log.metadata is object, must be flattened",
        ),
    ],
)
def test_what_is_wrong_with_an_index_is_said_with_what_would_be_right(
    mappings: dict[str, Any], said: str, api: Api, index: str
) -> None:
    api("PUT", index, {"mappings": mappings})
    found = inspect(Cluster(target(f"elasticsearch://{api.url.removeprefix('http://')}/{index}")), index)
    assert found == [f"index {index}: {said}"]


def test_documents_wait_for_an_index_that_would_spoil_them_and_flow_when_it_is_mended(
    elasticsearch_url: str, api: Api, index: str, caplog: pytest.LogCaptureFixture
) -> None:
    api("PUT", f"{index}/_doc/1", {"client_id": "acme", "workload_id": "w", "timestamp": "2026-01-31T12:00:00Z"})
    sink = sink_at(elasticsearch_url, index)
    with caplog.at_level(logging.WARNING, "flywheel_log"), pytest.raises(RetryLater, match="unfit index"):
        sink.write(lines(2))
    assert f"index {index}: client_id is text, must be keyword" in caplog.text
    assert api.ids(index) == {"1"}
    api("DELETE", index)
    assert list(sink.write(lines(2))) == []
    assert api.ids(index) == {"run-0", "run-1"}


def test_an_index_of_somebody_elses_that_is_deleted_while_documents_flow_is_made_anew_as_ours(
    elasticsearch_url: str, api: Api, index: str
) -> None:
    api("PUT", index, BLUEPRINT)
    sink = sink_at(elasticsearch_url, index)
    assert sink.write([line(1)]) == []
    api("DELETE", index)
    assert sink.write([line(2)]) == []
    assert problems(index, api("GET", f"{index}/_mapping")[index]["mappings"]) == []
    assert api.ids(index) == {json.loads(line(2))["id"]}


def test_a_template_of_somebody_elses_that_serves_as_well_is_left_to_serve(
    elasticsearch_url: str, api: Api, index: str
) -> None:
    template = {"index_patterns": [f"{index}*"], "template": BLUEPRINT}
    api("PUT", f"_index_template/{index}-theirs", template)
    api("PUT", index)
    assert sink_at(elasticsearch_url, index).write([line(1)]) == []
    made = api("GET", f"_index_template/{index}*")["index_templates"]
    assert [one["name"] for one in made] == [f"{index}-theirs"]


def test_an_empty_index_without_a_mapping_is_not_trusted(elasticsearch_url: str, api: Api, index: str) -> None:
    api("PUT", index)
    with pytest.raises(RetryLater, match="unfit index"):
        sink_at(elasticsearch_url, index).write(lines(1))


def test_without_the_right_to_make_templates_the_index_is_made_all_the_same(
    elasticsearch_url: str, api: Api, index: str, proxy: Proxy
) -> None:
    forbidden = refused(403)
    passing = proxy.fault
    proxy.fault = lambda exchange: (forbidden if "_index_template" in exchange.path else passing)(exchange)
    assert list(sink_at(proxy.url, index).write(lines(1))) == []
    assert problems(index, api("GET", f"{index}/_mapping")[index]["mappings"]) == []


def test_an_index_that_may_not_be_read_is_waited_for(index: str, proxy: Proxy) -> None:
    proxy.fault = refused(403)
    with pytest.raises(RetryLater, match="http 403"):
        sink_at(proxy.url, index).write(lines(1))


def test_two_processes_may_make_the_index_at_once(api: Api, index: str, proxy: Proxy) -> None:
    late = [True]

    def made_meanwhile(exchange):  # the other one is quicker by a moment
        if exchange.handler.command == "PUT" and exchange.path == f"/{index}" and late.pop():
            exchange.forward()
        exchange.answer(*exchange.forward())

    proxy.fault = made_meanwhile
    assert list(sink_at(proxy.url, index).write(lines(1))) == []
    assert api.ids(index) == {"run-0"}


@pytest.mark.parametrize("form", ["date_time_no_millis", "basic_date_time", "epoch_millis"])
def test_formats_of_dates_that_refuse_our_timestamps_are_found_before_they_do(
    form: str, elasticsearch_url: str, api: Api, index: str
) -> None:
    fields = {**FITTING, "timestamp": {"type": "date", "format": form}}
    api("PUT", index, {"mappings": {"properties": fields}})
    refused_by_server = api("POST", f"{index}/_doc", {"timestamp": "2026-01-31T12:00:00.000Z"})
    assert refused_by_server["error"]["type"] == "document_parsing_exception"
    with pytest.raises(RetryLater, match="unfit index"):
        sink_at(elasticsearch_url, index).write(lines(1))


@pytest.mark.parametrize("form", ["strict_date_time", "epoch_second||strict_date_optional_time", "iso8601"])
def test_formats_of_dates_that_take_our_timestamps_are_no_problem(
    form: str, elasticsearch_url: str, api: Api, index: str
) -> None:
    fields = {**FITTING, "timestamp": {"type": "date", "format": form}}
    api("PUT", index, {"mappings": {"dynamic": "strict", "properties": fields}})
    sink = sink_at(elasticsearch_url, index)
    assert list(sink.write(lines(3))) == []
    assert sink.stats() == {"stored": 3, "duplicates": 0, "stubs": 0, "dead": 0}


def refusing(words: bytes, kind: str, reason: str) -> Fault:
    """Be a server that makes no index with these *words* in it."""
    refusal = json.dumps({"error": {"type": kind, "reason": reason}, "status": 400}).encode()
    return lambda exchange: exchange.answer(
        *((400, refusal) if exchange.handler.command == "PUT" and words in exchange.body else exchange.forward())
    )


def test_where_settings_are_not_ours_to_choose_the_index_is_made_without_them(
    elasticsearch_url: str, api: Api, index: str, proxy: Proxy
) -> None:
    reason = "Settings [index.auto_expand_replicas] are not available when running in serverless mode"
    proxy.fault = refusing(b'"settings"', "illegal_argument_exception", reason)
    assert list(sink_at(proxy.url, index).write(lines(1))) == []
    assert problems(index, api("GET", f"{index}/_mapping")[index]["mappings"]) == []
    [template] = api("GET", f"_index_template/{index}")["index_templates"]
    assert "settings" not in template["index_template"]["template"]


def test_where_flattened_fields_are_not_known_metadata_is_kept_all_the_same(
    elasticsearch_url: str, api: Api, index: str, proxy: Proxy
) -> None:
    reason = "Failed to parse mapping [_doc]: No handler for type [flattened] declared on field [metadata]"
    proxy.fault = refusing(b'"flattened"', "mapper_parsing_exception", reason)
    assert list(sink_at(proxy.url, index).write([line(1, metadata={"team": {"name": "blue"}})])) == []
    made = api("GET", index)[index]
    assert problems(index, made["mappings"]) == []
    assert made["settings"]["index"]["mapping"] == {"ignore_malformed": "true"}
    assert api("GET", f"_index_template/{index}")["index_templates"]
    [stored] = api.sources(index).values()
    assert stored["response"]["flywheel_log"]["metadata"] == {"team": {"name": "blue"}}
