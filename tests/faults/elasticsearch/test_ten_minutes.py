"""Ten minutes without the server at 200 calls a second, in real time; `make test` runs but seconds of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.elasticsearch.api import Api
from tests.elasticsearch.server import Server, start
from tests.elasticsearch.sink import url_of
from tests.faults.oracle import rounds, until

ROOT = Path(__file__).parents[3]
RATE = 200
SECONDS = rounds(5, 600)


class Paced:
    """The running program of `paced.py`."""

    def __init__(self, sink: str) -> None:
        command = [sys.executable, "-m", "tests.faults.elasticsearch.paced", sink, "--rate", str(RATE)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def after(self, seconds: float, name: str) -> dict[str, Any]:
        """Let it run for *seconds*; return what it says of them."""
        time.sleep(seconds)
        return self._told(f"{name}\n")

    def end(self) -> dict[str, Any]:
        """Let it make no more calls; return what it says when all is delivered."""
        with self._process:
            return json.loads(self._process.communicate()[0])

    def _told(self, line: str) -> dict[str, Any]:
        self._process.stdin.write(line)
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@pytest.mark.slow
@pytest.mark.timeout(SECONDS * 3 + 300)
def test_ten_minutes_without_the_server_cost_the_callers_nothing_and_end_with_everything_there(
    own_server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api = Api(own_server.url)
    program = Paced(url_of(own_server.url, "calls", linger="0.1"))
    until(lambda: api("GET", "calls/_count").get("count", 0) > 0, 120)
    program.after(1, "warming up")
    before = program.after(SECONDS / 10 + 2, "server up")
    own_server.send(signal.SIGKILL)
    outage = program.after(SECONDS, "server gone")
    again = start(tmp_path / "elasticsearch", int(own_server.url.rpartition(":")[2]))
    start_up = program.after(2, "server starts again")
    begun = time.monotonic()
    end = program.end()
    figures = [before, outage, start_up, f"all delivered {time.monotonic() - begun:.1f} s later"]
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(map(str, figures)) + "\n")
    stored = api.sources("calls")
    again.leave()
    assert end["left"] == 0
    assert outage["calls"] > RATE * SECONDS * 0.9
    asked = sorted(int(one["response"]["flywheel_log"]["prompt_text"].split()[0]) for one in stored.values())
    assert asked == list(range(end["calls"]))
    assert outage["most_mb"] - outage["first_mb"] < 20
    # Two busy cores are shared by parallel tests; waiting for the server would show as seconds.
    assert outage["p50_us"] < 3 * before["p50_us"] + 1_000
    assert outage["p99_us"] < 3 * before["p99_us"] + 100_000
