"""The right to erasure on a real index: calls, stubs, annotations and dead letters of one person, and of no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flywheel_log import cli
from flywheel_log.event import to_document
from flywheel_log.sinks.elasticsearch import ElasticsearchSink
from flywheel_log.sinks.elasticsearch.dead_letters import DeadLetter, bury, letters
from flywheel_log.sinks.elasticsearch.target import target

from .api import Api
from .events import event, line
from .sink import url_of


@pytest.fixture
def url(api: Api, index: str, tmp_path: Path) -> str:
    return url_of(api.url, index, dead_letters=f"{tmp_path}/dead.jsonl", timeout="60")


EVENTS = [
    line(1, user_id="u42", trace_id="t1"),
    line(2, user_id="u42", metadata={"deep": "x"}),
    line(3, user_id="u421", metadata={"owner": "u42"}),
    line(4),
    line(5, kind="step", trace_id="t1", name="plan"),
    line(6, kind="feedback", target="run-1", quality={"thumbs": "up"}),
    line(7, kind="feedback", target="chatcmpl-2", user_id="judge"),
    line(8, kind="feedback", target="run-3", user_id="judge"),
    line(9, kind="feedback", target="run-3", user_id="u42"),
    line(10, kind="step", trace_id="t2", name="plan"),
]


def forgotten(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    code = cli.run(["forget", "--user", "u42", "--json", *arguments])
    report = json.loads(capsys.readouterr().out)
    assert code == (0 if report["nothing_left"] or report["dry_run"] else 1)
    return report


def annotated(api: Api, index: str) -> set[str]:
    """The ids of the annotations, but for those that say what was forgotten."""
    found = {one: source["response"]["flywheel_log"] for one, source in api.sources(f"{index}-annotations").items()}
    return {one for one, ours in found.items() if ours["kind"] != "loss_report"}


def test_all_of_a_person_goes_from_the_index_and_its_annotations(
    url: str, api: Api, index: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ElasticsearchSink(target(url)).write(EVENTS)
    bury(tmp_path / "dead.jsonl", [DeadLetter("2026-01-31T12:00:00Z", "x", "", one) for one in (EVENTS[0], EVENTS[3])])
    dry = forgotten(capsys, url, "--dry-run")
    assert [(place["found"], place["removed"]) for place in dry["places"]] == [
        ({}, 0),
        ({"llm": 1}, 0),
        ({"llm": 2, "feedback": 3, "step": 1}, 0),
    ]
    assert len(api.ids(index)) == 4
    report = forgotten(capsys, url)
    assert [(place["removed"], place["left"]) for place in report["places"]] == [(0, 0), (1, 0), (6, 0)]
    assert report["nothing_left"]
    assert report["notes"] == ["1 records of others have 'u42' as a value (run-3); look at them with `show`"]
    assert api.ids(index) == {"run-3", "run-4"}
    assert annotated(api, index) == {"run-8", "run-10"}
    api.refresh(f"{index},{index}-annotations")
    assert cli.run(["verify", url]) == 0
    assert capsys.readouterr().out == "all there: 7 events of 1 process, 1 of them dead letters; 6 events forgotten\n"
    assert [letter.id for letter in letters(tmp_path / "dead.jsonl")] == ["run-4"]


def test_what_was_stored_as_its_own_text_is_found(
    url: str, api: Api, index: str, capsys: pytest.CaptureFixture[str]
) -> None:
    deep: Any = "u"
    for _ in range(30):
        deep = {"a": deep}
    ElasticsearchSink(target(url)).write([line(1, user_id="u42", metadata=deep), line(2, user_id="u1", metadata=deep)])
    assert all("refused" in one["response"]["flywheel_log"] for one in api.sources(index).values())
    assert forgotten(capsys, url)["nothing_left"]
    assert api.ids(index) == {"run-2"}


def test_an_index_whose_fields_cannot_be_searched_is_looked_through(
    url: str, api: Api, index: str, capsys: pytest.CaptureFixture[str]
) -> None:
    off = {"type": "object", "enabled": False}
    api("PUT", index, {"mappings": {"properties": {"request": off, "response": off}}})
    for number in range(1, 8):
        document = to_document(event(number, user_id=f"u4{number % 3}"))
        api("PUT", f"{index}/_doc/run-{number}", document)
    api("PUT", f"{index}/_doc/run-8", to_document(event(8, kind="feedback", target="run-2")))
    assert forgotten(capsys, url)["places"][2]["removed"] == 3
    assert api.ids(index) == {"run-1", "run-3", "run-4", "run-6", "run-7"}


def test_more_than_one_request_can_delete_goes_all_the_same(
    url: str, api: Api, index: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sink = ElasticsearchSink(target(url))
    for start in range(0, 2500, 500):
        sink.write([line(number, user_id="u42" if number % 50 else "u1") for number in range(start, start + 500)])
    assert forgotten(capsys, url)["places"][2]["removed"] == 2450
    assert len(api.ids(index)) == 50


def test_an_index_that_is_not_there_holds_nothing(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert forgotten(capsys, url)["nothing_left"]


def test_feedback_in_the_index_about_a_call_that_is_only_in_a_log_goes(
    url: str, api: Api, index: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "genai.log").write_bytes(EVENTS[0] + b"\n")
    ElasticsearchSink(target(url)).write([EVENTS[5], EVENTS[7]])
    assert forgotten(capsys, str(tmp_path / "genai.log"), url)["nothing_left"]
    assert annotated(api, index) == {"run-8"}
    assert (tmp_path / "genai.log").read_bytes() == b""


def test_alerts_read_the_part_of_an_index_that_is_recent(
    url: str, api: Api, index: str, capsys: pytest.CaptureFixture[str]
) -> None:
    old = [line(number, timestamp="2026-01-30T12:00:00.000Z", status="error") for number in range(20)]
    new = [line(number, timestamp="2026-01-31T11:59:00.000Z") for number in range(20, 40)]
    ElasticsearchSink(target(url)).write([*old, *new])
    api.refresh(index)
    arguments = ["alert", "--rule", "error_rate > 5% over 15m", "--at", "2026-01-31T12:00Z", "--json", url]
    assert cli.run(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["state"], found["value"], found["calls"]) == ("quiet", 0.0, 20)
    assert cli.run([*arguments, "--rule", "error_rate > 5% over 2d"]) == 1
