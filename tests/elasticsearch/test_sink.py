"""The sink on a real server: what is stored, what counts as stored, and what becomes of the rest."""

from __future__ import annotations

import random
import stat
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from flywheel_log.event import from_document
from flywheel_log.sinks import PutOff, RetryLater, open_sink
from flywheel_log.sinks.elasticsearch import ElasticsearchSink
from flywheel_log.sinks.elasticsearch.dead_letters import DeadLetter, bury, letters
from flywheel_log.sinks.elasticsearch.document import event_of

from .api import Api
from .events import event, line, lines
from .proxy import Proxy, at_most, bulk_only, cut_short, failing, passed, refused, shed, silent, unanswered
from .sink import sink_at


@pytest.fixture
def sink(elasticsearch_url: str, index: str) -> Iterator[ElasticsearchSink]:
    sink = sink_at(elasticsearch_url, index)
    yield sink
    sink.close()


def deliver(sink: ElasticsearchSink, some: list[bytes], attempts: int = 200) -> None:
    """Offer *some* until all are stored, as a shipper does, without its pauses."""
    left = list(some)
    for _ in range(attempts):
        try:
            left = list(sink.write(left))
        except RetryLater:
            continue
        if not left:
            return
    raise AssertionError(f"{len(left)} of {len(some)} are still not stored")


def test_an_event_becomes_a_document_of_five_keys(sink: ElasticsearchSink, api: Api, index: str) -> None:
    assert list(sink.write([line(21, user_id="u42")])) == []
    assert api.sources(index) == {
        "run-21": {
            "timestamp": "2026-01-31T12:00:00.000Z",
            "client_id": "acme",
            "workload_id": "sums",
            "request": {
                "model": "gpt-4.1-mini",
                "messages": [{"role": "user", "content": "What is 21 and 21?"}],
                "temperature": 0.2,
            },
            "response": {
                "id": "chatcmpl-21",
                "object": "chat.completion",
                "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": "It is 42."}, "finish_reason": "stop"}
                ],
                "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
                "flywheel_log": {
                    "id": "run-21",
                    "kind": "llm",
                    "status": "ok",
                    "latency_ms": 3.25,
                    "user_id": "u42",
                    "prompt_text": "What is 21 and 21?",
                    "output_text": "It is 42.",
                    "nulls": [["response", "choices", 0, "message", "refusal"]],
                },
            },
        }
    }


def test_what_is_read_back_is_the_event_that_was_written(sink: ElasticsearchSink, api: Api, index: str) -> None:
    sink.write(lines(3))
    assert [from_document(api.sources(index)[f"run-{number}"]) for number in range(3)] == [event(n) for n in range(3)]


def test_an_event_that_is_no_call_goes_to_the_annotations(sink: ElasticsearchSink, api: Api, index: str) -> None:
    sink.write([line(1), line(2, kind="feedback", quality={"score": 1})])
    assert (api.ids(index), api.ids(f"{index}-annotations")) == ({"run-1"}, {"run-2"})


def test_a_repeated_event_is_stored_once_and_counts_as_stored(sink: ElasticsearchSink, api: Api, index: str) -> None:
    sink.write(lines(10))
    assert list(sink.write(lines(20))) == []
    assert len(api.ids(index)) == 20
    assert sink.stats() == {"stored": 30, "duplicates": 10, "stubs": 0, "dead": 0}


def test_more_than_one_request_is_made_for_many_events(proxy: Proxy, api: Api, index: str) -> None:
    sink = sink_at(proxy.url, index)
    assert list(sink.write(lines(1201))) == []
    assert len(api.ids(index)) == 1201
    assert sum(path.startswith("/_bulk") for _, path, _ in proxy.seen) == 3


def test_numbers_of_the_index_can_be_charted_and_its_texts_searched(
    sink: ElasticsearchSink, api: Api, index: str
) -> None:
    sink.write([line(n, latency_ms=float(n), model="gpt-4.1-mini") for n in range(1, 5)])
    api.refresh(index)
    nested = "response.flywheel_log"
    asked = {
        "size": 0,
        "query": {"match": {f"{nested}.prompt_text": "3"}},
        "aggs": {
            "by": {"terms": {"field": f"{nested}.model"}, "aggs": {"ms": {"avg": {"field": f"{nested}.latency_ms"}}}}
        },
    }
    found = api("POST", f"{index}/_search", asked)["aggregations"]["by"]["buckets"]
    assert found == [{"key": "gpt-4.1-mini", "doc_count": 1, "ms": {"value": 3.0}}]


def test_one_tenant_does_not_find_the_records_of_another(sink: ElasticsearchSink, api: Api, index: str) -> None:
    sink.write([line(1, client_id="acme-prod"), line(2, client_id="acme-dev")])
    api.refresh(index)
    found = api("POST", f"{index}/_search", {"query": {"match": {"client_id": "acme-prod"}}})
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["run-1"]


BAD = {
    "an empty key": line(1, error={"": 1}),
    "a key of dots": line(1, prompt={"a..b": 1}),
    "text for an object": line(1, error="boom"),
    "an object for a keyword": line(1, model={"name": "m"}),
    "metadata too deep": line(1, metadata=orjson.loads(b'{"a":' * 30 + b"1" + b"}" * 30)),
    "metadata with a huge key": line(1, metadata={"k" * 40_000: "v"}),
    "a timestamp without T": line(1, timestamp="2024-05-16 10:07:54"),
    "a request that is a string": line(1, request="hello"),
    "a sixth key of another logger": b'{"id":"run-1","kind":"llm","timestamp":"2026-01-31T12:00:00.000Z","request":[]}',
    "NaN": line(1).replace(b"3.25", b"NaN"),
    "bad UTF-8": line(1).replace(b"It is", b"It \xff is"),
    "a duplicate key": line(1).replace(b'"status"', b'"kind":"llm","status"'),
    "half a surrogate pair in a name": line(1).replace(b'"acme"', b'"\\ud83d"'),
    "a document deeper than 1000": line(1).replace(b'"gpt-4.1-mini"', b'{"a":' * 1100 + b"1" + b"}" * 1100),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_bad_document_is_stored_in_some_form_and_harms_no_other(
    bad: bytes, sink: ElasticsearchSink, api: Api, index: str
) -> None:
    assert list(sink.write([line(0), bad, line(2)])) == []
    assert api.ids(index) == {"run-0", "run-1", "run-2"}


def test_a_refused_document_is_stored_as_a_stub_that_reads_back_as_the_event(
    sink: ElasticsearchSink, api: Api, index: str
) -> None:
    sink.write([line(1, model={"name": "m"})])
    found = api.sources(index)["run-1"]
    assert found["response"]["flywheel_log"]["refused"] == "document_parsing_exception"
    assert event_of(found) == event(1, model={"name": "m"})
    assert sink.stats() == {"stored": 1, "duplicates": 0, "stubs": 1, "dead": 0}


def test_a_record_without_an_id_has_the_same_one_every_time(sink: ElasticsearchSink, api: Api, index: str) -> None:
    anonymous = orjson.dumps({key: value for key, value in event(1).items() if key != "id"})
    sink.write([anonymous])
    sink.write([anonymous])
    assert len(api.ids(index)) == 1


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503])
def test_a_refused_request_is_made_again_later(status: int, proxy: Proxy, api: Api, index: str) -> None:
    sink = sink_at(proxy.url, index)
    proxy.fault = bulk_only(refused(status, retry_after="7"))
    with pytest.raises(RetryLater) as later:
        sink.write(lines(2))
    assert (later.value.reason, later.value.after) == (f"http {status}", 7.0)


def test_answers_that_are_lost_after_the_work_was_done_make_no_duplicates(proxy: Proxy, api: Api, index: str) -> None:
    sink = sink_at(proxy.url, index)
    for fault in (unanswered, cut_short):
        proxy.fault = bulk_only(fault)
        with pytest.raises(RetryLater):
            sink.write(lines(5))
    proxy.fault = bulk_only(lambda exchange: exchange.answer(200, b'{"items":[]}'))
    with pytest.raises(RetryLater, match="ambiguous answer"):
        sink.write(lines(5))
    proxy.fault = lambda exchange: exchange.answer(*exchange.forward())
    assert list(sink.write(lines(5))) == []
    assert sink.stats() == {"stored": 5, "duplicates": 5, "stubs": 0, "dead": 0}
    assert len(api.ids(index)) == 5


def test_only_the_documents_that_were_turned_away_are_offered_again(proxy: Proxy, api: Api, index: str) -> None:
    sink = sink_at(proxy.url, index)
    dice = random.Random(7)
    proxy.fault = bulk_only(shed(lambda: dice.random() < 1 / 3))
    deliver(sink, lines(300))
    assert len(api.ids(index)) == 300
    assert sink.stats()["duplicates"] == 0


def test_a_document_that_a_pipeline_refuses_holds_up_no_other(proxy: Proxy, api: Api, index: str) -> None:
    sink = sink_at(proxy.url, index)
    proxy.fault = bulk_only(failing(b"poison"))
    refused_one = line(1, name="poison")
    with pytest.raises(PutOff, match="fail_processor_exception") as put_off:
        sink.write([line(0), refused_one, line(2)])
    assert put_off.value.lines == {f"{index} fail_processor_exception": [refused_one]}
    assert api.ids(index) == {"run-0", "run-2"}
    proxy.fault = passed
    assert list(sink.write([refused_one])) == []
    assert api.ids(index) == {"run-0", "run-1", "run-2"}


def test_a_hung_server_costs_no_more_than_the_time_out(proxy: Proxy, index: str) -> None:
    sink = sink_at(proxy.url, index, timeout="0.3")
    proxy.fault = silent
    with pytest.raises(RetryLater, match="timeout"):
        sink.write(lines(1))


def test_a_server_that_is_not_there_is_waited_for(index: str) -> None:
    with pytest.raises(RetryLater, match="unreachable"):
        sink_at("http://127.0.0.1:9", index).write(lines(1))


def test_a_request_that_is_too_large_is_halved_and_a_document_that_is_too_large_is_buried(
    proxy: Proxy, api: Api, index: str, tmp_path: Path
) -> None:
    letters = tmp_path / "dead" / "letters.jsonl"
    sink = sink_at(proxy.url, index, dead_letters=str(letters))
    proxy.fault = at_most(20_000)
    large = line(1000, metadata={"text": "x" * 30_000})
    assert list(sink.write([*lines(100), large])) == []
    assert len(api.ids(index)) == 100
    assert [orjson.loads(letter)["line"] for letter in letters.read_bytes().splitlines()] == [large.decode()]
    assert stat.S_IMODE(letters.stat().st_mode) == 0o600
    assert stat.S_IMODE(letters.parent.stat().st_mode) == 0o700


def test_a_stub_that_is_too_large_is_buried_and_its_neighbours_are_not(
    proxy: Proxy, api: Api, index: str, tmp_path: Path
) -> None:
    letters = tmp_path / "letters.jsonl"
    sink = sink_at(proxy.url, index, dead_letters=str(letters))
    proxy.fault = at_most(20_000)
    quotes = '"' * 8_000  # As text in a stub each of them is four characters.
    some = [line(n, error="not an object", name=quotes if n == 2 else "n") for n in range(4)]
    assert list(sink.write(some)) == []
    assert api.ids(index) == {"run-0", "run-1", "run-3"}
    assert [orjson.loads(letter)["line"] for letter in letters.read_bytes().splitlines()] == [some[2].decode()]


def test_dead_letters_that_cannot_be_written_are_said_and_offered_again(
    proxy: Proxy, api: Api, index: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    sink = sink_at(proxy.url, index, dead_letters=str(tmp_path / "file" / "letters.jsonl"))
    sink.write(lines(1))
    asked = len(proxy.seen)
    proxy.fault = bulk_only(refused(413))
    with pytest.raises(RetryLater, match="dead letters cannot be written"):
        sink.write([line(1)])
    assert len(proxy.seen) == asked + 1


def test_what_was_buried_twice_by_a_crash_is_one_letter(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    for _ in range(2):
        bury(path, [DeadLetter("2026-01-31T12:00:00Z", "http 413", "large", line(1))])
    assert [letter.id for letter in letters(path)] == ["run-1"]


def test_documents_wait_for_a_closed_index_and_a_blocked_one(sink: ElasticsearchSink, api: Api, index: str) -> None:
    sink.write(lines(1))
    api("POST", f"{index}/_close")
    with pytest.raises(RetryLater, match="index_closed_exception"):
        sink.write(lines(3))
    api("POST", f"{index}/_open?wait_for_active_shards=1")
    api("PUT", f"{index}/_settings", {"index.blocks.write": True})
    with pytest.raises(RetryLater, match="cluster_block_exception"):
        sink.write(lines(3))
    api("PUT", f"{index}/_settings", {"index.blocks.write": False})
    assert list(sink.write(lines(3))) == []
    assert len(api.ids(index)) == 3


def test_an_alias_without_a_write_index_buries_nothing(sink: ElasticsearchSink, api: Api, index: str) -> None:
    sink.write(lines(1))
    api("PUT", f"{index}-2", {"mappings": api("GET", f"{index}/_mapping")[index]["mappings"]})
    actions = [{"add": {"index": name, "alias": f"{index}-alias"}} for name in (index, f"{index}-2")]
    api("POST", "_aliases", {"actions": actions})
    aliased = sink_at(sink._target.nodes[0], f"{index}-alias")
    with pytest.raises(RetryLater, match="illegal_argument_exception"):
        aliased.write(lines(3))
    assert aliased.stats()["dead"] == 0


def test_a_deleted_index_is_made_again_as_it_was(sink: ElasticsearchSink, api: Api, index: str) -> None:
    sink.write(lines(1))
    before = api("GET", f"{index}/_mapping")[index]
    api("DELETE", index)
    sink.write(lines(2))
    assert api("GET", f"{index}/_mapping")[index] == before
    assert len(api.ids(index)) == 2


def test_the_sink_is_opened_by_its_url_and_connects_later() -> None:
    sink = open_sink("elasticsearch://127.0.0.1:9/some-index")
    assert isinstance(sink, ElasticsearchSink)
    assert sink.stats() == {"stored": 0, "duplicates": 0, "stubs": 0, "dead": 0}
    assert list(sink.missing([b"{}"])) == [b"{}"]
    sink.close()
