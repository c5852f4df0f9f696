"""The commands on a real index: backfill, verify, dead letters, doctor, and every reader that takes a source."""

from __future__ import annotations

import json
import shlex
import socket
import threading
from pathlib import Path

import orjson
import pytest

from flywheel_log import cli
from flywheel_log.event import to_document
from flywheel_log.loop.gaps import Census, Gap
from flywheel_log.loop.reading.read import read
from flywheel_log.sinks.elasticsearch.mapping import INDEX
from tests.delivery.dying import leave

from .api import Api
from .events import event, line, lines
from .proxy import Proxy, at_most, proxied, refused
from .sink import url_of


@pytest.fixture
def log(tmp_path: Path) -> Path:
    log = tmp_path / "genai.log"
    log.write_bytes(b"".join(one + b"\n" for one in lines(1200)))
    return log


def test_a_log_is_brought_into_the_index_and_a_second_time_changes_nothing(
    url: str, log: Path, api: Api, index: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["backfill", str(log), "--into", url]) == 0
    assert capsys.readouterr().out == f"1,200 events in {index}, 0 of them from before\n"
    assert cli.run(["backfill", str(log), "--into", url]) == 0
    assert capsys.readouterr().out == f"1,200 events in {index}, 1,200 of them from before\n"
    assert cli.run(["backfill", str(log), "--into", url, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"index": index, "stored": 1200, "duplicates": 1200, "dead": 0}
    assert len(api.ids(index)) == 1200


def test_the_log_of_another_logger_is_brought_in_once(url: str, api: Api, index: str, tmp_path: Path) -> None:
    foreign = {key: event(1)[key] for key in ("timestamp", "client_id", "workload_id", "request", "response")}
    log = tmp_path / "other.log"
    log.write_text(json.dumps(foreign) + "\n")
    assert [cli.run(["backfill", str(log), "--into", url]) for _ in range(2)] == [0, 0]
    assert len(api.ids(index)) == 1


def test_an_index_moves_into_another_one(url: str, log: Path, api: Api, index: str) -> None:
    cli.run(["backfill", str(log), "--into", url])
    api.refresh(index)
    assert cli.run(["backfill", url, "--into", f"{url}-2"]) == 0
    assert api.sources(f"{index}-2") == api.sources(index)


def test_an_index_whose_timestamp_is_text_moves_with_its_annotations(url: str, api: Api, index: str) -> None:
    properties = {"timestamp": {"type": "text"}, "request": {"enabled": False}, "response": {"enabled": False}}
    api("PUT", index, {"mappings": {"properties": properties}})
    api("PUT", f"{index}-annotations", INDEX)
    for number, name, kind in ((1, index, "llm"), (2, index, "llm"), (3, f"{index}-annotations", "feedback")):
        api("PUT", f"{name}/_doc/run-{number}?refresh=true", to_document(event(number, kind=kind)))
    assert cli.run(["backfill", url, "--into", f"{url}-2"]) == 0
    assert api.sources(f"{index}-2") == {f"run-{number}": to_document(event(number)) for number in (1, 2)}
    assert api.ids(f"{index}-2-annotations") == {"run-3"}


def test_events_are_read_from_the_index_as_from_the_log(url: str, log: Path, api: Api, index: str) -> None:
    feedback = line(5000, kind="feedback", timestamp="2026-02-01T00:00:00.000Z")
    odd = line(5001, metadata=orjson.loads(b'{"a":' * 30 + b"1" + b"}" * 30), timestamp="2026-02-02T00:00:00.000Z")
    with log.open("ab") as file:
        file.write(feedback + b"\n" + odd + b"\n")
    cli.run(["backfill", str(log), "--into", url])
    api.refresh(f"{index},{index}-annotations")
    found = list(read(url))
    assert sorted(found, key=lambda one: one["id"]) == sorted(
        map(orjson.loads, log.read_bytes().splitlines()), key=lambda one: one["id"]
    )
    assert [one["id"] for one in found[-2:]] == ["run-5000", "run-5001"]


def test_an_index_that_is_not_there_is_said_at_once(url: str, index: str, api: Api, proxy: Proxy) -> None:
    with pytest.raises(FileNotFoundError, match=f"Elasticsearch at {api.url} has no index {index}"):
        read(url)
    with pytest.raises(ConnectionError, match=r"Elasticsearch at .* does not answer: unreachable"):
        read("elasticsearch://127.0.0.1:9/i")
    proxy.fault = refused(401)
    with pytest.raises(ConnectionError, match=f"HTTP 401 to GET /{index}"):
        read(url.replace(api.url.removeprefix("http://"), proxy.url.removeprefix("http://")))


def test_verify_finds_three_documents_that_were_deleted_by_hand(
    url: str, log: Path, api: Api, index: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.write_bytes(b"".join(line(number) + b"\n" for number in range(1, 101)))
    cli.run(["backfill", str(log), "--into", url])
    api.refresh(index)
    capsys.readouterr()
    assert cli.run(["verify", url]) == 0
    assert capsys.readouterr().out == "all there: 100 events of 1 process\n"
    for number in (1, 50, 51):
        api("DELETE", f"{index}/_doc/run-{number}?refresh=true")
    assert cli.run(["verify", url]) == 1
    captured = capsys.readouterr()
    assert captured.out == "missing 1: run-1\nmissing 2: run-50 to run-51\n"
    assert captured.err == "flywheel-log: 3 of 100 events are missing\n"
    assert cli.run(["verify", url, "--json"]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[1]) == {
        "run": "run",
        "first": 50,
        "last": 51,
        "count": 2,
        "reason": "",
    }


def test_events_that_were_reported_lost_say_why() -> None:
    report = event(6, kind="loss_report", reason="journal_full", count=2, first="run-3", last="run-5")
    census = Census.of([event(1), event(2), report, event(9), event(1, id="foreign")])
    assert list(census.gaps()) == [Gap("run", 3, 5, "journal_full"), Gap("run", 7, 8)]
    assert (census.events, census.runs, census.anonymous) == (5, 1, 1)


def test_dead_letters_are_listed_and_sent_again(
    url: str, tmp_path: Path, api: Api, index: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log, letters = tmp_path / "one.log", tmp_path / "letters.jsonl"
    log.write_bytes(line(1, metadata={"text": "x" * 30_000}) + b"\n" + line(2) + b"\n")

    with proxied(api.url) as proxy:
        proxy.fault = at_most(20_000)
        into = url_of(proxy.url, index, dead_letters=letters)
        assert cli.run(["backfill", str(log), "--into", into]) == 1
        told = capsys.readouterr()
        assert told.out == f"1 event in {index}, 0 of them from before\n"
        assert told.err == "flywheel-log: 1 event refused by Elasticsearch; see `flywheel-log dead-letters`\n"
        assert cli.run(["dead-letters", "--into", into]) == 0
        shown = capsys.readouterr().out
        assert "run-1 http 413: larger than the server takes" in shown
        assert shown.endswith(f"1 dead letters in {letters}\n")
        assert cli.run(["dead-letters", "--into", into, "--resend"]) == 0
        assert capsys.readouterr().out.endswith(f"1 dead letters in {letters}\n")
        proxy.fault = lambda exchange: exchange.answer(*exchange.forward())
        assert cli.run(["dead-letters", "--into", into, "--resend"]) == 0
        assert capsys.readouterr().out == "no dead letters\n"
    assert api.ids(index) == {"run-1", "run-2"}


def test_patience_on_the_command_line_ends(
    url: str, log: Path, capsys: pytest.CaptureFixture[str], api: Api, proxy: Proxy
) -> None:
    proxy.fault = refused(503)
    into = url.replace(api.url.removeprefix("http://"), proxy.url.removeprefix("http://"))
    assert cli.run(["backfill", str(log), "--into", into, "--timeout", "1"]) == 1
    assert "Elasticsearch does not take the documents: http 503; try `flywheel-log doctor`" in capsys.readouterr().err


def test_the_doctor_finds_nothing_wrong_with_what_is_right(
    url: str, api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    index = url.rpartition("/")[2]
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", f"file:genai.log,{url}")
    assert cli.run(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok   the settings",
        "ok   client_id 'default'",
        "ok   workload_id 'default'",
        f"ok   the journal {tmp_path / 'journal'}",
        "ok   the file genai.log, which is created with the first event",
        f"ok   Elasticsearch at {api.url}",
        f"ok   the index {index}, which is created with the first event",
        f"ok   the index {index}-annotations, which is created with the first event",
        "ok   0 dead letters",
    ]


def test_the_doctor_says_how_to_mend_what_is_wrong(
    url: str, api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    index = url.rpartition("/")[2]
    api("PUT", f"{index}/_doc/1", {"client_id": "c", "workload_id": "w", "timestamp": "2026-01-31T12:00:00Z"})
    (tmp_path / "journal").mkdir(mode=0o755)
    (tmp_path / "genai.log").touch(mode=0o644)
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", f"file:genai.log,{url},elasticsearch://127.0.0.1:9/i")
    monkeypatch.setenv("FLYWHEEL_LOG_CLIENT_ID", "Acme Corp")
    assert cli.run(["doctor", "--json"]) == 1
    captured = capsys.readouterr()
    wrong = [found for found in map(json.loads, captured.out.splitlines()) if not found["ok"]]
    assert [found["what"] for found in wrong] == [
        "client_id 'Acme Corp'",
        f"the journal {tmp_path / 'journal'}",
        "the file genai.log",
        f"index {index}: client_id is text, must be keyword: a search for acme-prod would find acme-dev too",
        f"index {index}: workload_id is text, must be keyword: a search for acme-prod would find acme-dev too",
        f"index {index}: request maps every key it meets, must have dynamic: false: mixed types are refused",
        f"index {index}: response maps every key it meets, must have dynamic: false: mixed types are refused",
        "Elasticsearch at http://127.0.0.1:9",
    ]
    assert all(found["fix"] for found in wrong)
    assert "checks failed" in captured.err


def test_what_waits_for_an_index_that_does_not_fit_goes_into_the_new_one_as_the_doctor_says(
    url: str, api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    index = url.rpartition("/")[2]
    api("PUT", index, {"mappings": {"properties": {"client_id": {"type": "text"}}}})
    said = [orjson.dumps({k: v for k, v in event(number).items() if k != "id"}) for number in range(3)]
    leave(said, url, tmp_path / "journal")
    monkeypatch.setenv("ELASTICSEARCH_URL", api.url)
    monkeypatch.setenv("ELASTICSEARCH_INDEX", f"{index}-2")
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", "elasticsearch:")
    assert cli.run(["doctor"]) == 1
    told = f"FIX  3 events waiting for {url}: "
    fix = next(one for one in capsys.readouterr().out.splitlines() if one.startswith(told))
    assert cli.run(shlex.split(fix.partition("take them: flywheel-log ")[2])) == 0
    assert len(api.ids(f"{index}-2")) == 3
    assert cli.run(["doctor"]) == 0


def test_the_doctor_names_a_wrong_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", "elasticsearch:")
    assert cli.run(["doctor"]) == 1
    assert "names no server; set ELASTICSEARCH_URL" in capsys.readouterr().out


def test_the_doctor_thinks_of_a_server_that_speaks_plain_http(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer() -> None:
        with listener.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=answer)
        server.start()
        monkeypatch.setenv("FLYWHEEL_LOG_SINKS", f"elasticsearch://127.0.0.1:{listener.getsockname()[1]}/i?tls=true")
        assert cli.run(["doctor"]) == 1
        server.join()
    assert capsys.readouterr().out.splitlines()[-1].endswith("A server with security off wants http://")
