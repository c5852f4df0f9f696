"""The server is down, frozen, killed, wrong or busy: what was accepted is there afterwards, once."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from flywheel_log.delivery import Delivery, drain
from flywheel_log.delivery.tuning import Tuning
from flywheel_log.serialise import dumps
from tests.elasticsearch.api import Api
from tests.elasticsearch.events import event
from tests.elasticsearch.proxy import (
    Fault,
    Proxy,
    bulk_only,
    cut_short,
    passed,
    refused,
    shed,
    silent,
    sometimes,
    unanswered,
)
from tests.elasticsearch.server import Server, start
from tests.elasticsearch.sink import url_of
from tests.faults.oracle import NOTHING_WRONG, Program, rounds, until, verdict

ROOT = Path(__file__).parents[3]
QUICK = Tuning(linger_s=0.01)


def sink_url(url: str, index: str, **options: str) -> str:
    return url_of(url, index, **{"linger": "0.01", **options})


def put(delivery: Delivery, count: int) -> list[str]:
    """Log *count* chats; return the ids they were given."""
    lines = [dumps({key: value for key, value in event(n).items() if key != "id"}) for n in range(count)]
    return [identity for line in lines if (identity := delivery.put(line))]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [11, 4, 23, 57, 101, 2026][: rounds(1, 6)])
def test_programs_killed_at_random_behind_a_faulty_server_lose_nothing_and_repeat_nothing(
    seed: int, proxy: Proxy, api: Api, index: str, tmp_path: Path
) -> None:
    dice = random.Random(seed)
    faults = [refused(429), refused(503), unanswered, cut_short, bulk_only(shed(lambda: dice.random() < 1 / 3))]
    proxy.fault = sometimes(0.25, faults, dice)
    url = sink_url(proxy.url, index, timeout="3")
    returned: list[str] = []
    for _ in range(rounds(4, 40)):
        program = Program(tmp_path / "journal", url, "--segment-bytes", 1 << 20)
        program.await_first()
        time.sleep(dice.uniform(0, 0.5))
        returned += program.kill()
    assert [(report.left, report.why) for report in drain(tmp_path / "journal", 600)] == [(0, None)]
    ids = Counter(api.ids(f"{index}-annotations"))
    assert verdict(returned, ids) == NOTHING_WRONG


@pytest.mark.parametrize(
    "fault",
    [refused(401), refused(403), refused(429, retry_after="0"), refused(500), refused(503), unanswered, cut_short,
     silent, shed(lambda: True)],
    ids=["401", "403", "429", "500", "503", "unanswered", "cut short", "stalled", "429 for all items"],
)  # fmt: skip
def test_whatever_was_wrong_everything_is_there_once_when_it_is_mended(
    fault: Fault, proxy: Proxy, api: Api, index: str, tmp_path: Path
) -> None:
    proxy.fault = bulk_only(fault)
    url = sink_url(proxy.url, index, timeout="2")  # A busy server takes a while to make an index.
    delivery = Delivery([url], tmp_path / "journal", tuning=QUICK, random=lambda: 0.1)
    ids = put(delivery, 200)
    until(lambda: delivery.stats()["sinks"][url]["retried"] > 0)  # Not all: the first batch may be of a single line.
    proxy.fault = passed
    assert delivery.flush(60) == 0
    assert verdict(ids, Counter(api.ids(index))) == NOTHING_WRONG
    assert delivery.stats()["sinks"][url]["stored"] == 200
    delivery.close(2.0)


def test_bad_documents_among_many_are_kept_as_stubs(api: Api, index: str, tmp_path: Path) -> None:
    url = sink_url(api.url, index)
    delivery = Delivery([url], tmp_path / "journal", tuning=QUICK)
    ids = put(delivery, 499)
    ids.append(
        delivery.put(dumps({"timestamp": "2026-01-31T12:00:00Z", "kind": "llm", "error": "not an object"})) or ""
    )
    assert delivery.flush(60) == 0
    assert verdict(ids, Counter(api.ids(index))) == NOTHING_WRONG
    stats = delivery.stats()["sinks"][url]
    assert (stats["stored"], stats["stubs"]) == (500, 1)
    delivery.close(2.0)


def test_a_program_ends_in_time_though_its_server_hangs(proxy: Proxy, api: Api, index: str, tmp_path: Path) -> None:
    proxy.fault = silent
    url, root = sink_url(proxy.url, index), tmp_path / "journal"
    program = (
        "import sys, time; from pathlib import Path; from flywheel_log.delivery import Delivery;"
        "from flywheel_log.recorder import EXIT_SECONDS;"
        "d = Delivery([sys.argv[1]], Path(sys.argv[2]));"
        'print(*[d.put(b\'{"kind":"llm"}\') for _ in range(100)], flush=True);'
        "sys.stdin.readline(); begun = time.monotonic(); d.close(EXIT_SECONDS); print(time.monotonic() - begun)"
    )
    command = [sys.executable, "-c", program, url, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        ids = process.stdout.readline().split()
        until(lambda: proxy.seen)
        took = float(
            process.communicate("end\n", timeout=20)[0]
        )  # Not our time: the interpreter's end on a busy machine.
    assert (process.returncode, len(ids)) == (0, 100)
    assert took < 2.5
    proxy.fault = passed
    assert [(report.delivered, report.left) for report in drain(root, 60)] == [(100, 0)]
    assert verdict(ids, Counter(api.ids(index))) == NOTHING_WRONG


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_outage_costs_disk_but_no_memory_and_ends_with_everything_there(
    proxy: Proxy, api: Api, index: str, tmp_path: Path
) -> None:
    count = rounds(24_000, 120_000)  # The events of ten minutes at 200 a second
    proxy.fault = refused(503)
    module = [sys.executable, "-m", "tests.faults.elasticsearch.outage"]
    command = [*module, str(tmp_path / "journal"), sink_url(proxy.url, index), str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        down = json.loads(process.stdout.readline())
        proxy.fault = passed
        up = json.loads(process.communicate("up\n")[0])
    assert down["waiting"] == count
    assert down["grown"] < 20_000_000
    assert up["grown"] < 20_000_000
    assert verdict(up["ids"], Counter(api.ids(index))) == NOTHING_WRONG
    assert len(up["ids"]) == count


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_server_that_is_frozen_then_killed_and_started_again_has_everything(
    own_server: Server, tmp_path: Path
) -> None:
    api, root, run = Api(own_server.url), tmp_path / "journal", tmp_path / "elasticsearch"
    url = sink_url(own_server.url, "logs", timeout="2")
    program = Program(root, url)
    until(lambda: "logs-annotations" in api("GET", "_cat/indices?format=json&h=index").__str__())
    own_server.send(signal.SIGSTOP)
    until_more(program, 1000)
    own_server.send(signal.SIGCONT)
    until(lambda: api("GET", "logs-annotations/_count").get("count", 0) > 0)
    own_server.send(signal.SIGKILL)
    until_more(program, 1000)
    returned = program.kill()
    again = start(run, int(own_server.url.rpartition(":")[2]))
    assert [(report.left, report.why) for report in drain(root, 300)] == [(0, None)]
    assert verdict(returned, Counter(api.ids("logs-annotations"))) == NOTHING_WRONG
    again.leave()


def until_more(program: Program, count: int) -> None:
    """Wait until *program* has logged *count* events more."""
    wanted = len(program.returned) + count
    until(lambda: len(program.returned) >= wanted)
