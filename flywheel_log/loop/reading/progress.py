"""Progress of reading: files report how many bytes are read, to anyone who listens."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO, Protocol, cast

_POLL_S = 0.2
_BUFFER = 1 << 17


class Meter(Protocol):
    """Who listens."""

    def begin(self, total: int, unit: str) -> None:
        """Expect *total* more `bytes` or `records` (the *unit*) in this pass, or in the next if this one has begun."""

    def advance(self, count: int) -> None:
        """So many more are read."""


_METER: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def told_to(meter: Meter) -> Iterator[None]:
    """Tell *meter* how far everything comes that is read in the block."""
    token = _METER.set(meter)
    try:
        yield
    finally:
        _METER.reset(token)


def heard() -> bool:
    """Tell whether anybody listens."""
    return _METER.get() is not None


def begin(total: int, unit: str = "bytes") -> None:
    """Report how many are going to be read."""
    if meter := _METER.get():
        meter.begin(total, unit)


def advance(count: int) -> None:
    """Report how many more have been read."""
    if meter := _METER.get():
        meter.advance(count)


def expect(files: Iterable[Path]) -> None:
    """Say that all bytes of *files* are going to be read."""
    if heard():
        begin(sum(file.stat().st_size for file in files))


def opened(path: Path) -> BinaryIO:
    """Open *path* to read its bytes, and report them to anyone who listens."""
    if not heard():
        return path.open("rb")
    return cast(BinaryIO, io.BufferedReader(_Counted(path), _BUFFER))


@contextmanager
def polled(total: int, share: Callable[[], float]) -> Iterator[None]:
    """Ask *share* from time to time how much (0 to 1) of *total* bytes the block has done, where anybody listens."""
    meter = _METER.get()
    if meter is None:
        yield
        return
    begin(total)
    done = Event()
    asking = Thread(target=_ask, args=(meter, total, share, done), daemon=True)
    asking.start()
    try:
        yield
    finally:
        done.set()
        asking.join()


def _ask(meter: Meter, total: int, share: Callable[[], float], done: Event) -> None:
    told = 0
    while not done.wait(_POLL_S):
        now = int(total * min(1.0, max(0.0, share())))
        meter.advance(max(0, now - told))
        told = max(told, now)


class _Counted(io.FileIO):
    """A file that says what is read of it."""

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        count = super().readinto(buffer)
        advance(count or 0)
        return count
