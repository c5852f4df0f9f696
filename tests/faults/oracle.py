"""What the fault suite knows for sure: the ids that were returned, kept where SIGKILL cannot reach them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

PROGRAM = str(Path(__file__).with_name("busy.py"))


def rounds(short: int, full: int) -> int:
    """How often a fault is repeated: *short* times, or with FLYWHEEL_TEST_FULL, which `make faults` sets, *full*."""
    return full if os.environ.get("FLYWHEEL_TEST_FULL") else short


class Program:
    """A running busy program and the ids it was given."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, bufsize=0
        )
        self.returned: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        rest = b""
        while data := self._process.stdout.read(1 << 16):
            *ids, rest = (rest + data).split(b"\n")
            self.returned += [identity.decode() for identity in ids]

    def await_first(self) -> None:
        """Wait until the program logs."""
        until(lambda: self.returned)

    def is_running(self) -> bool:
        """Tell whether the program has not ended."""
        return self._process.poll() is None

    def kill(self) -> list[str]:
        """Kill the program where it is; return the ids it was given."""
        self._process.kill()
        return self.wait()

    def wait(self) -> list[str]:
        """Wait for its end; return the ids it was given."""
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        return self.returned


def until(condition, seconds: float = 60.0) -> None:
    """Wait until *condition* holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


@contextmanager
def outlived(begin: Callable[[], object]) -> Iterator[None]:
    """In the block, a process that had what *begin* returns is dead, and a child that it forked then lives."""
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        _kept = begin()
        if os.fork() == 0:
            os.write(writer, f"{os.getpid()}\n".encode())
        signal.pause()
    child = int(os.read(reader, 100))
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.close(reader)
        os.close(writer)


def stored(*paths: Path) -> Counter[str]:
    """How often each id is stored in *paths*; torn lines are none."""
    counts: Counter[str] = Counter()
    for path in paths:
        for line in path.read_bytes().split(b"\n")[:-1]:
            try:
                counts[orjson.loads(line)["id"]] += 1
            except ValueError:
                continue
    return counts


def verdict(returned: list[str], counts: Counter[str]) -> dict[str, int]:
    """What the suite passes or fails on; all zeros is a pass."""
    return {
        "lost": len(set(returned) - set(counts)),
        "twice": sum(count > 1 for count in counts.values()),
        "same id": len(returned) - len(set(returned)),
    }


NOTHING_WRONG = {"lost": 0, "twice": 0, "same id": 0}
