"""The bar that shows how far reading has come."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from flywheel_log.cli._progress import Bar
from flywheel_log.loop.reading import progress
from flywheel_log.loop.reading.read import read, remarks
from flywheel_log.loop.retention.prune import prune


class Heard:
    """Listens, and remembers each pass: how much was expected, and how much came."""

    def __init__(self) -> None:
        self.passes: list[list[int]] = []

    def begin(self, total: int, unit: str) -> None:
        assert unit == "bytes"
        if not self.passes or self.passes[-1][1]:
            self.passes.append([0, 0])
        self.passes[-1][0] += total

    def advance(self, count: int) -> None:
        self.passes[-1][1] += count


def logs(tmp_path: Path) -> tuple[str, int]:
    """A log and what was rotated away from it; their glob, and how many bytes they are."""
    line = json.dumps({"timestamp": "2026-01-31T10:00:00.000Z", "kind": "llm"}).encode() + b"\n"
    (tmp_path / "genai.log").write_bytes(line * 5000)
    (tmp_path / "genai.log.1.gz").write_bytes(gzip.compress(line * 100))
    return str(tmp_path / "genai.log*"), sum(file.stat().st_size for file in tmp_path.iterdir())


def test_all_bytes_of_all_files_are_told_as_they_are_read(tmp_path: Path):
    pattern, size = logs(tmp_path)
    heard = Heard()
    with progress.told_to(heard):
        assert len([*remarks(pattern)]) == 0
        assert len([*read(pattern)]) == 5100
    assert heard.passes == [[size, size], [size, size]]


def test_what_is_rewritten_is_told_too(tmp_path: Path):
    _, size = logs(tmp_path)
    heard = Heard()
    with progress.told_to(heard):
        prune(tmp_path / "genai.log", before=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1))
    assert heard.passes == [[size, size]]


def test_a_bar_is_there_after_a_second_and_gone_when_it_ends():
    now, out = [0.0], io.StringIO()
    bar = Bar(Console(file=out, force_terminal=True, width=100), clock=lambda: now[0])
    bar.begin(2_000_000, "bytes")
    bar.advance(500_000)
    assert out.getvalue() == ""
    now[0] = 1.5
    bar.advance(500_000)
    bar.hide()
    assert "1.0/2.0 MB" in out.getvalue()
    before = out.getvalue()
    bar.advance(1)
    assert out.getvalue() == before
    bar.begin(1200, "records")
    now[0] = 3
    bar.advance(600)
    bar.hide()
    assert "600/1200" in out.getvalue()


def test_what_is_sent_is_shown_at_once_and_how_it_goes():
    out = io.StringIO()
    bar = Bar(Console(file=out, force_terminal=True, width=100), clock=lambda: 0.0)
    bar.begin(10, "requests")
    bar.show()
    assert " 0/10" in out.getvalue()
    bar.advance(1, "1 failed")
    bar.hide()
    assert " 1/10" in out.getvalue()
    assert "1 failed" in out.getvalue()


# Its second is over at once: how long a command takes is the machine's.
AT_ONCE = """
import sys
from flywheel_log.cli import _progress, run
_progress.AFTER_S = 0.0
sys.exit(run(sys.argv[1:]))
"""


def test_a_command_shows_it_on_a_terminal_and_only_there(tmp_path: Path):
    pattern, size = logs(tmp_path)
    command = [sys.executable, "-c", AT_ONCE, "grep", "--count", "nothing", pattern]
    screen, terminal = os.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, env=os.environ | {"TERM": "xterm"}) as it:
        os.close(terminal)
        shown = b"".join(_until_closed(screen))
        assert (it.stdout.read() if it.stdout else None) == b"0\n"
    os.close(screen)
    assert f"/{size / 1000:.1f} kB".encode() in shown
    piped = subprocess.run(command, capture_output=True, check=False)
    assert piped.stderr.decode().startswith("flywheel-log: none of the records in ")


def _until_closed(screen: int) -> Iterator[bytes]:
    with contextlib.suppress(OSError):  # What a pseudo-terminal says when its other end is closed.
        while part := os.read(screen, 1 << 16):
            yield part
