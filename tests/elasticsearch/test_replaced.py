"""An index that was fit, and that somebody replaces by an unfit one while documents flow, is found out."""

from __future__ import annotations

from typing import Any

import pytest

from flywheel_log.sinks import PutOff
from flywheel_log.sinks.elasticsearch import ElasticsearchSink
from flywheel_log.sinks.elasticsearch.indices import TRUSTED_S

from .api import Api
from .events import line, lines
from .proxy import Proxy, passed
from .sink import sink_at


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The sink's clock."""
    return Clock()


@pytest.fixture
def sink(elasticsearch_url: str, index: str, clock: Clock) -> ElasticsearchSink:
    """A sink that has stored a document in an index of ours."""
    sink = sink_at(elasticsearch_url, index, clock)
    assert sink.write([line(0, "before")]) == []
    return sink


def replace(api: Api, index: str, properties: dict[str, Any]) -> None:
    """Delete *index*, and make it anew with other *properties* than ours."""
    api("DELETE", index)
    assert api("PUT", index, {"mappings": {"properties": properties}})["acknowledged"]


def test_an_index_that_spoils_what_it_takes_is_found_out_in_half_a_minute(
    sink: ElasticsearchSink, api: Api, index: str, clock: Clock
) -> None:
    replace(api, index, {"client_id": {"type": "text"}})
    clock.now += TRUSTED_S
    with pytest.raises(PutOff, match="unfit index") as put_off:
        sink.write(lines(3))
    assert put_off.value.lines == {index: lines(3)}
    assert api.ids(index) == set()
    api("DELETE", index)
    assert sink.write(lines(3)) == []
    assert len(api.ids(index)) == 3


def test_an_index_that_refuses_what_ours_takes_is_found_out_at_once_and_nothing_is_simplified_or_buried(
    sink: ElasticsearchSink, api: Api, index: str
) -> None:
    replace(api, index, {"timestamp": {"type": "ip"}, "request": {"type": "long"}})
    feedback = line(9, kind="feedback")
    assert sink.write([*lines(3), feedback]) == lines(3)
    with pytest.raises(PutOff, match="unfit index") as put_off:
        sink.write(lines(3))
    assert put_off.value.lines == {index: lines(3)}
    assert sink.stats() == {"stored": 2, "duplicates": 0, "stubs": 0, "dead": 0}
    assert api.ids(index) == set()
    api("DELETE", index)
    assert sink.write(lines(3)) == []
    assert len(api.ids(index)) == 3


def test_an_index_that_stays_as_it_is_costs_one_look_in_half_a_minute(
    elasticsearch_url: str, index: str, clock: Clock, proxy: Proxy
) -> None:
    asked: list[str] = []
    proxy.fault = lambda exchange: (asked.append(exchange.path), passed(exchange))[-1]
    sink = sink_at(proxy.url, index, clock)
    for number in range(5):
        assert sink.write([line(number)]) == []
        clock.now += TRUSTED_S / 2
    sink.close()
    assert asked.count(f"/{index}/_mapping") == 2 + 1 + 1  # Before and after it is made, and twice again.
