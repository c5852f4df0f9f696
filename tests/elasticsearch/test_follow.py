"""An index that is followed while documents are added: each of them once, whatever happens to the index."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flywheel_log.loop.reading.sources._growing import Mark
from flywheel_log.sinks.elasticsearch import ElasticsearchSink
from flywheel_log.sinks.elasticsearch.mapping import INDEX
from flywheel_log.sinks.elasticsearch.target import target
from tests.loop.reading.test_follow import followed

from .api import Api
from .events import line
from .proxy import Proxy, passed, refused
from .sink import url_of
from .test_sink import deliver


def adding(url: str, api: Api, *some: bytes) -> Callable[[], object]:
    """A step that stores *some* events."""

    def step() -> None:
        sink = ElasticsearchSink(target(url))
        deliver(sink, list(some))
        sink.close()
        name = url.rpartition("/")[2]
        api("POST", f"{name},{name}-annotations/_refresh?ignore_unavailable=true")

    return step


def at(second: int) -> str:
    return f"2026-01-31T12:00:{second:02}.000Z"


def test_the_latest_are_shown_in_the_order_of_time_and_then_what_is_added(url: str, api: Api) -> None:
    adding(url, api, line(1, timestamp=at(3)), line(2, timestamp=at(1)), line(3, timestamp=at(2)))()
    steps = [
        adding(url, api, line(4, timestamp=at(0))),  # A call that took long is stored after those that began later.
        lambda: None,
        adding(url, api, line(5, timestamp=at(9)), line(6, timestamp=at(8), kind="feedback")),
    ]
    assert followed(url, steps, last=2) == ["run-3", "run-1", "run-4", "run-5", "run-6"]


def test_an_index_may_be_made_and_made_anew_while_it_is_followed(url: str, api: Api, index: str) -> None:
    steps = [
        lambda: None,
        adding(url, api, line(1)),
        lambda: api("DELETE", index),
        adding(url, api, line(2)),
    ]
    assert followed(url, steps) == ["run-1", "run-2"]


def test_every_shard_of_an_index_is_followed(url: str, api: Api, index: str) -> None:
    api("PUT", index, {"settings": {"index.number_of_shards": 3}, "mappings": INDEX["mappings"]})
    some = [line(number) for number in range(1, 41)]
    seen = followed(url, [adding(url, api, *some[:20]), adding(url, api, *some)])
    assert sorted(seen) == sorted(f"run-{number}" for number in range(1, 41))


def test_more_than_a_page_at_once_is_followed(url: str, api: Api) -> None:
    some = [line(number) for number in range(1, 1202)]
    assert sorted(followed(url, [adding(url, api, *some)])) == sorted(f"run-{n}" for n in range(1, 1202))


def test_a_server_that_is_away_for_a_while_is_waited_for(url: str, api: Api, index: str, proxy: Proxy) -> None:
    adding(url, api, line(1))()

    def away() -> None:
        proxy.fault = refused(503)
        adding(url, api, line(2))()

    def back() -> None:
        proxy.fault = passed

    through = url_of(proxy.url, index)
    assert followed(through, [away, lambda: None, back, lambda: None], last=1) == ["run-1", "run-2"]
    proxy.fault = refused(401)
    with pytest.raises(ConnectionError, match="HTTP 401"):
        followed(through, [])


def test_a_number_that_is_found_late_is_not_missed_and_none_is_found_twice() -> None:
    mark = Mark(5)
    found = [[number for number in numbers if mark.begin() <= number and mark.is_new(number)] for numbers in (
        [5, 6, 8], [5, 6, 7, 8], [7, 8, 300], [8, 300, 301],
    )]  # fmt: skip
    assert found == [[5, 6, 8], [7], [300], [301]]
