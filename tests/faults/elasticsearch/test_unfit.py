"""One index of two takes nothing: its documents wait, through kills, and those for the other do not."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from flywheel_log.delivery import Delivery, drain
from flywheel_log.delivery.tuning import Tuning
from tests.elasticsearch.api import Api
from tests.elasticsearch.proxy import Proxy, passed, refused
from tests.faults.elasticsearch.test_outages import put, sink_url
from tests.faults.oracle import NOTHING_WRONG, until, verdict


def spoil(api: Api, index: str) -> None:
    """Make *index* by Elasticsearch's own guesses, which are wrong for us."""
    api("PUT", f"{index}/_doc/foreign", {"client_id": "acme", "workload_id": "w", "timestamp": "2026-01-31T12:00:00Z"})


def put_both(delivery: Delivery) -> tuple[list[str], list[str]]:
    """Log chats and feedback in turns; return the ids of each."""
    both = [(put(delivery, 3), delivery.put(b'{"kind":"feedback","target":"t"}') or "") for _ in range(100)]
    return [one for some, _ in both for one in some], [one for _, one in both]


@pytest.mark.parametrize("suffix", ["-annotations", ""])
def test_an_index_that_is_unfit_holds_back_its_own_documents_only(
    suffix: str, elasticsearch_url: str, api: Api, index: str, tmp_path: Path
) -> None:
    spoil(api, index + suffix)
    url = sink_url(elasticsearch_url, index)
    delivery = Delivery([url], tmp_path / "journal", tuning=Tuning(batch_lines=50))
    calls, feedback = put_both(delivery)
    well, ill = (calls, feedback) if suffix else (feedback, calls)
    other = index if suffix else f"{index}-annotations"
    until(lambda: delivery.flush(0.1) == len(ill))
    assert verdict(well, Counter(api.ids(other))) == NOTHING_WRONG
    stats = delivery.stats()["sinks"][url]
    assert (stats["waiting"], stats["stored"], stats["last_error"]) == (len(ill), len(well), "unfit index")
    assert api.ids(index + suffix) == {"foreign"}
    api("DELETE", index + suffix)
    assert delivery.flush(60) == 0
    assert verdict(ill, Counter(api.ids(index + suffix))) == NOTHING_WRONG
    stats = delivery.stats()["sinks"][url]
    assert (stats["waiting"], stats["stored"], stats["duplicates"], stats["last_error"]) == (0, 400, 0, None)
    delivery.close(2.0)


@pytest.mark.parametrize("suffix", ["-annotations", ""])
def test_an_index_that_is_closed_holds_back_its_own_documents_only(
    suffix: str, elasticsearch_url: str, api: Api, index: str, tmp_path: Path
) -> None:
    url = sink_url(elasticsearch_url, index)
    delivery = Delivery([url], tmp_path / "journal", tuning=Tuning(batch_lines=50))
    put_both(delivery)
    assert delivery.flush(60) == 0
    api("POST", f"{index}{suffix}/_close")
    calls, feedback = put_both(delivery)
    ill = feedback if suffix else calls
    until(lambda: delivery.flush(0.1) == len(ill))
    stats = delivery.stats()["sinks"][url]
    assert (stats["waiting"], stats["stored"], stats["last_error"]) == (
        len(ill),
        800 - len(ill),
        "index_closed_exception",
    )
    api("POST", f"{index}{suffix}/_open")
    assert delivery.flush(60) == 0
    assert (
        verdict([*calls, *feedback], Counter(api.ids(index)) + Counter(api.ids(f"{index}-annotations")))
        == NOTHING_WRONG
    )
    stats = delivery.stats()["sinks"][url]
    assert (stats["waiting"], stats["stored"], stats["duplicates"], stats["last_error"]) == (0, 800, 0, None)
    delivery.close(2.0)


def test_an_index_that_is_forbidden_holds_back_its_own_documents_only(
    proxy: Proxy, api: Api, index: str, tmp_path: Path
) -> None:
    forbidden = refused(403)
    proxy.fault = lambda exchange: (forbidden if "-annotations" in exchange.path else passed)(exchange)
    url = sink_url(proxy.url, index)
    delivery = Delivery([url], tmp_path / "journal", tuning=Tuning(batch_lines=50))
    calls, feedback = put_both(delivery)
    until(lambda: delivery.flush(0.1) == len(feedback))
    assert delivery.stats()["sinks"][url]["last_error"] == "http 403"
    assert verdict(calls, Counter(api.ids(index))) == NOTHING_WRONG
    proxy.fault = passed
    assert delivery.flush(60) == 0
    assert verdict(feedback, Counter(api.ids(f"{index}-annotations"))) == NOTHING_WRONG
    delivery.close(2.0)


def test_what_waits_for_an_unfit_index_outlives_a_kill(
    elasticsearch_url: str, api: Api, index: str, tmp_path: Path
) -> None:
    spoil(api, f"{index}-annotations")
    program = (
        "import sys; from pathlib import Path; from flywheel_log.delivery import Delivery;"
        "d = Delivery([sys.argv[1]], Path(sys.argv[2]));"
        'ids = [d.put(b\'{"kind":"%b"}\' % kind) for kind in (b"llm", b"feedback") * 50];'
        "[None for _ in iter(lambda: d.flush(0.1), 50)]; print(*ids, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, sink_url(elasticsearch_url, index), str(tmp_path / "journal")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        ids = process.stdout.readline().split() if process.stdout else []
        process.kill()
    assert len(ids) == 100
    # A busy server takes a while to say so.
    until(lambda: [(report.left, report.why) for report in drain(tmp_path / "journal", 2)] == [(50, "unfit index")])
    api("DELETE", f"{index}-annotations")
    assert [(report.left, report.why) for report in drain(tmp_path / "journal", 60)] == [(0, None)]
    assert verdict(ids[::2], Counter(api.ids(index))) == NOTHING_WRONG
    assert verdict(ids[1::2], Counter(api.ids(f"{index}-annotations"))) == NOTHING_WRONG
