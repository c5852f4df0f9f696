"""What is found out on the way to the sinks is spliced in; the rest of a line stays byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from flywheel_log.delivery import Delivery, drain
from flywheel_log.delivery.enrich import enriched
from flywheel_log.event import JSON
from flywheel_log.health import health
from flywheel_log.serialise import UNREAD

LINE = b'{"id":"a-1", "x": 1.50}'


def each(tell: Callable[[JSON], JSON]) -> Callable[[Sequence[JSON]], list[JSON]]:
    return lambda events: [tell(event) for event in events]


def test_what_is_known_is_spliced_in_behind_the_rest() -> None:
    assert enriched([LINE], each(lambda event: {"cost_usd": event["x"] * 2})) == [
        b'{"id":"a-1", "x": 1.50,"cost_usd":3.0}'
    ]


def test_where_there_is_nothing_to_add_the_line_is_the_same() -> None:
    assert enriched([LINE], each(lambda _: {})) == [LINE]
    lines = [LINE]
    assert enriched(lines, None) is lines


def test_a_line_is_written_anew_where_something_in_it_is_replaced() -> None:
    assert enriched([LINE], each(lambda _: {"x": 2, "y": 3})) == [b'{"id":"a-1","x":2,"y":3}']


def test_an_integer_of_any_length_keeps_its_digits_where_a_line_is_written_anew() -> None:
    long = b'{"id":"a-1","x":1,"n":-123456789012345678901234567890}'
    assert enriched([long], each(lambda _: {"x": 2})) == [b'{"id":"a-1","x":2,"n":-123456789012345678901234567890}']


def test_a_line_that_only_lenient_parsers_read_is_mended() -> None:
    lenient = b'{"id":"a-1","x":NaN,"y":"\\ud800"}'
    assert enriched([lenient], each(lambda _: {})) == [b'{"id":"a-1","x":null,"y":"\\\\ud800"}']


def test_what_a_sink_makes_of_the_event_goes_along_so_that_it_need_not_parse_the_line() -> None:
    made = enriched([LINE], each(lambda _: {"y": 3}), lambda lines, events: list(zip(lines, events, strict=True)))
    assert made == [(b'{"id":"a-1", "x": 1.50,"y":3}', {"id": "a-1", "x": 1.5, "y": 3})]


def test_a_sink_is_shown_the_event_that_the_mended_line_says() -> None:
    made = enriched([b'{"id":"a-1","x":NaN,"y":"\\ud800"}'], each(lambda _: {}), lambda _, events: events)
    assert made == [{"id": "a-1", "x": None, "y": "\\ud800"}]


def test_the_mark_of_an_unread_line_is_cut_where_somebody_reads_it() -> None:
    unread = b'{"id":"a-1",' + UNREAD + b'"note":{"unread":1,"z":2}}'
    assert enriched([unread], each(lambda event: {"read": event.pop("unread")})) == [
        b'{"id":"a-1","note":{"unread":1,"z":2},"read":1}'
    ]


def test_a_failure_is_counted_and_the_line_goes_on() -> None:
    assert enriched([LINE], each(lambda event: {"z": event["absent"]})) == [LINE]
    assert health.dropped() == {"enrich": 1}


def test_a_line_that_is_wrong_costs_the_others_nothing() -> None:
    lines = [b'{"id":"a-%d","x":%b}' % (number, b"NaN" if number == 3 else b"%d" % number) for number in range(40)]
    lines[5] = b'{"id":"a-5"}'
    told = enriched(lines, each(lambda event: {"y": event["x"]}))
    assert [told[at] for at in (2, 3, 4, 5, 6, 39)] == [
        b'{"id":"a-2","x":2,"y":2}',
        b'{"id":"a-3","x":null,"y":null}',
        b'{"id":"a-4","x":4,"y":4}',
        b'{"id":"a-5"}',
        b'{"id":"a-6","x":6,"y":6}',
        b'{"id":"a-39","x":39,"y":39}',
    ]
    assert (len(told), health.dropped()) == (40, {"enrich": 1})


def test_every_sink_gets_the_same_line_and_so_does_what_was_left_behind(tmp_path: Path) -> None:
    sinks = [f"file:{tmp_path / name}" for name in ("a.log", "b.log")]
    delivery = Delivery(sinks, tmp_path / "journal", run=lambda: "aa", enrich=each(lambda _: {"cost_usd": 1.5}))
    delivery.put(b'{"kind":"llm"}')
    assert delivery.close(20.0) == 0
    assert [(tmp_path / name).read_text() for name in ("a.log", "b.log")] == [
        '{"id":"aa-1","kind":"llm","cost_usd":1.5}\n',
        '{"id":"aa-1","kind":"llm","cost_usd":1.5}\n',
    ]
    assert drain(tmp_path / "journal", 1.0, each(lambda _: {"cost_usd": 1.5})) is not None
