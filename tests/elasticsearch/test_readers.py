"""An index is a source as a log is: every reading command says the same of both; and how a log gets into an index."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flywheel_log import cli
from flywheel_log.event import to_document
from flywheel_log.loop.reading import progress
from flywheel_log.loop.reading.latest import latest
from flywheel_log.loop.reading.read import read
from flywheel_log.sinks.elasticsearch.mapping import INDEX

from .api import Api
from .events import event, line
from .proxy import Exchange, Fault, Proxy, passed, refused, silent
from .sink import url_of

LOG = "genai.log"
TRACE = "0af7651916cd43dd8448eb211c80319c"
COMMANDS = [
    "tail SOURCE", "tail -n 3 --json SOURCE", "tail --status error SOURCE", "stats SOURCE", "stats --json SOURCE",
    "errors SOURCE", "errors --json SOURCE", "grep 21 SOURCE", "show run-7 SOURCE", f"trace {TRACE} SOURCE",
    "ready SOURCE", "verify SOURCE", "compare --by model --log SOURCE", "tail --feedback any SOURCE",
]  # fmt: skip


@pytest.fixture
def both(url: str, api: Api, index: str, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[str, str]]:
    """A log, and an index with the same events: calls of two models, a failure, a judgement."""
    stamp = "2026-01-31T12:00:{:02}.000Z".format
    calls = [line(n, timestamp=stamp(n), model="a" if n % 2 else "b", trace_id=TRACE) for n in range(1, 25)]
    failed = line(25, timestamp=stamp(25), status="error", error={"type": "RateLimitError", "status_code": 429})
    judged = line(26, timestamp=stamp(26), kind="feedback", target="run-7", name="thumb", quality={"score": 1})
    Path(LOG).write_bytes(b"".join(one + b"\n" for one in [*calls, failed, judged]))
    assert cli.run(["backfill", LOG, "--into", url]) == 0
    api.refresh(f"{index},{index}-annotations")
    capsys.readouterr()
    return LOG, url


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_of_an_index_what_it_says_of_the_log(
    command: str, both: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for source in both:
        code = cli.run(command.replace("SOURCE", source).split())
        printed = capsys.readouterr()
        lines = printed.out.replace(source, "SOURCE").splitlines()
        said.append((code, printed.err, [json.loads(one) for one in lines] if "--json" in command else lines))
    assert said[0] == said[1]
    assert said[0][2]


def test_a_dataset_of_an_index_is_that_of_the_log(both: tuple[str, str]) -> None:
    made = []
    for number, source in enumerate(both):
        folder = Path(f"dataset-{number}")
        assert cli.run(["export", source, "--out", str(folder)]) == 0
        made.append({path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".jsonl"})
    assert made[0] == made[1]
    assert any(made[0].values())


def test_a_manifest_names_the_index_its_records_and_the_newest(both: tuple[str, str]) -> None:
    secret = both[1].replace("://", "://somebody:secret@")
    assert cli.run(["export", secret, "--out", "dataset"]) == 0
    made_from = json.loads(Path("dataset/manifest.json").read_bytes())["made_from"]
    read = [{"index": both[1], "records": 26, "newest": "run-26"}]
    assert made_from == {"sources": [both[1]], "filter": {}, "read": read}


def test_an_index_says_how_many_of_its_records_are_read(both: tuple[str, str]) -> None:
    heard: list[tuple[object, ...]] = []

    class Meter:
        def begin(self, total: int, unit: str) -> None:
            heard.append((total, unit))

        def advance(self, count: int) -> None:
            heard.append((count,))

    with progress.told_to(Meter()):
        assert len([*read(both[1])]) == 26
    assert heard == [(26, "records"), *[(1,)] * 26]


@pytest.mark.parametrize(("stamp", "wrong"), [(1_769_860_800, True), (1_769_860_800_000, False)])
def test_documents_dated_in_seconds_are_found_and_move_into_an_index_with_the_right_time(
    stamp: int, wrong: bool, url: str, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = url.rpartition("/")[2]
    api("PUT", index, INDEX)
    foreign = {key: event(1)[key] for key in ("client_id", "workload_id", "request", "response")}
    api("PUT", f"{index}/_doc/1?refresh=true", {**foreign, "timestamp": stamp})
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", url)
    doctor = subprocess.run(
        [sys.executable, "-m", "flywheel_log", "doctor"], check=False, capture_output=True, text=True
    )
    said = f"FIX  1 documents of the index {index} are dated early 1970: their timestamps are seconds where"
    assert (doctor.returncode, said in doctor.stdout) == (int(wrong), wrong)
    assert cli.run(["backfill", url, "--into", f"{url}-2"]) == 0
    [moved] = api.sources(f"{index}-2").values()
    assert (moved["timestamp"], moved["request"]) == ("2026-01-31T12:00:00.000Z", foreign["request"])


def test_the_latest_of_a_large_index_come_with_one_search(url: str, api: Api, index: str, proxy: Proxy) -> None:
    stamp = "2026-01-31T12:{:02}:{:02}.000Z".format
    Path(LOG).write_bytes(b"".join(line(n, timestamp=stamp(*divmod(n, 60))) + b"\n" for n in range(1200)))
    assert cli.run(["backfill", LOG, "--into", url]) == 0
    api.refresh(index)
    found = latest(url_of(proxy.url, index), 3)
    assert [one["id"] for one in found] == ["run-1197", "run-1198", "run-1199"]
    assert [path.partition("?")[0].rpartition("/")[2] for _, path, _ in proxy.seen] == [index, "_search", "scroll"]
    assert proxy.seen[-1][0] == "DELETE"


def test_an_index_that_forgot_how_far_it_was_read_is_not_taken_for_a_short_one(
    url: str, api: Api, index: str, proxy: Proxy
) -> None:
    Path(LOG).write_bytes(b"".join(line(n) + b"\n" for n in range(600)))
    assert cli.run(["backfill", LOG, "--into", url]) == 0
    api.refresh(index)
    proxy.fault = spoiling("POST /_search/scroll", by=forgotten)
    with pytest.raises(ConnectionError, match="forgot where we were; read again"):
        list(read(url_of(proxy.url, index)))


def forgotten(exchange: Exchange) -> None:
    """Let the server forget this reader, and no other test's, before it is asked to read on."""
    asked = json.loads(exchange.body)
    Api(exchange.upstream)("DELETE", "_search/scroll", {"scroll_id": asked["scroll_id"]})
    passed(exchange)


def test_a_busy_server_is_asked_again_where_nothing_can_be_missed(url: str, api: Api, index: str, proxy: Proxy) -> None:
    Path(LOG).write_bytes(b"".join(line(n) + b"\n" for n in range(600)))
    assert cli.run(["backfill", LOG, "--into", url]) == 0
    api.refresh(index)
    through = url_of(proxy.url, index)
    proxy.fault = spoiling(f"GET /{index}", "POST /_search/scroll", by=refused(429))
    assert len(list(read(through))) == 600
    proxy.fault = spoiling(f"GET /{index}", f"POST /{index}", "DELETE /_search/scroll", by=refused(503))
    assert len(list(read(through))) == 600
    proxy.fault = spoiling("POST /_search/scroll", by=refused(503))  # Nobody knows whether it has read on.
    with pytest.raises(ConnectionError, match="HTTP 503 to POST /_search/scroll"):
        list(read(through))


def test_a_server_that_is_late_once_is_asked_again(
    url: str, api: Api, index: str, both: tuple[str, str], proxy: Proxy
) -> None:
    del both
    proxy.fault = spoiling(f"POST /{index}", by=silent)
    through = url_of(proxy.url, index, timeout="1")
    assert len(list(read(through))) == len(list(read(url)))


def spoiling(*beginnings: str, by: Fault) -> Fault:
    """Spoil the first request that begins with each of the *beginnings*, and no other."""
    left = list(beginnings)

    def fault(exchange: Exchange) -> None:
        asked = f"{exchange.handler.command} {exchange.path}"
        hit = next((one for one in left if asked.startswith(one)), None)
        if hit is None:
            passed(exchange)
            return
        left.remove(hit)
        by(exchange)

    return fault


def test_the_latest_of_an_index_that_cannot_sort_are_those_stored_last(url: str, api: Api, index: str) -> None:
    unsorted = {"timestamp": {"type": "text"}, "request": {"enabled": False}, "response": {"enabled": False}}
    api("PUT", index, {"mappings": {"properties": unsorted}, "settings": {"number_of_shards": 1}})
    for number in (3, 1, 2):
        api("PUT", f"{index}/_doc/{number}?refresh=true", to_document(event(number)))
    assert [one["id"] for one in latest(url, 2)] == ["run-1", "run-2"]
