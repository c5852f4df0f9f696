"""Processes that write to one log at the same time, until they are told to end."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAM = """
import itertools, sys, threading
import orjson
from flywheel_log.sinks import open_sink
sink, name, stop = open_sink(sys.argv[1]), sys.argv[2], threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
with open(sys.argv[3], "w") as ids:
    for number in itertools.count():
        event = {"id": f"{name}-{number}", "timestamp": "2026-01-31T12:00:00.000Z", "kind": "llm"}
        event |= {"user_id": f"u{number % 3}", "request": {"messages": [{"role": "user", "content": "x" * 200}]}}
        sink.write([orjson.dumps(event)])
        print(event["id"], file=ids, flush=True)
        if stop.wait(0.0005):
            break
"""
_PATIENCE_S = 60


class Writers:
    """The processes, and the ids that they have written for sure."""

    def __init__(self, log: Path, count: int, options: str) -> None:
        names = [f"w{number}" for number in range(count)]
        self._files = [log.parent / f"{name}.ids" for name in names]
        self._processes = [
            subprocess.Popen([sys.executable, "-c", PROGRAM, f"file:{log}{options}", name, file], stdin=subprocess.PIPE)
            for name, file in zip(names, self._files, strict=True)
        ]

    def wait_for_more(self) -> None:
        """Wait until each has written once more."""
        before = [self._size(file) for file in self._files]
        deadline = time.monotonic() + _PATIENCE_S
        while any(self._size(file) <= size for file, size in zip(self._files, before, strict=True)):
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.002)

    def stop(self) -> list[str]:
        """End all of them, and return the ids of all that they have written."""
        for process in self._processes:
            process.communicate(timeout=_PATIENCE_S)
        return [identity for file in self._files for identity in file.read_text().split()]

    @staticmethod
    def _size(file: Path) -> int:
        return file.stat().st_size if file.exists() else 0


@contextlib.contextmanager
def writing(log: Path, count: int = 3, options: str = "") -> Iterator[Writers]:
    """Let *count* processes write to *log* during a `with` block."""
    writers = Writers(log, count, options)
    try:
        writers.wait_for_more()
        yield writers
    finally:
        writers.stop()
