"""How far each sink has come in one segment, saved beside it so that a crash repeats at most one batch."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

from ..health import health
from ..process.descriptors import Descriptor
from ..process.disk import boot

SUFFIX = ".pos"
_WIDTH = 20
ALL = 10**_WIDTH - 1
"""The position of a sink that a segment has nothing for, whatever will be in it."""


_PLACE_WIDTH = 50
_BOOT_WIDTH = 36
_RECORD = re.compile(rb"(\d{%d}) (.{%d}) (.{%d})\n" % (_WIDTH, _PLACE_WIDTH, _BOOT_WIDTH))
_BYTES = _WIDTH + _PLACE_WIDTH + _BOOT_WIDTH + 3


class Positions:
    """The bytes of one segment that each sink has acknowledged, in a file of one record of fixed width a sink.

    Beside the number is the place, if the sink knows one, behind which it stores all that it has not acknowledged, and
    the start of the machine since which that holds. A record is overwritten in place by one write, so a kill leaves the
    old one or the new one. Losing the file costs nothing but a comparison with what is stored.

    Args:
        path: the file; None keeps the numbers in memory.
        sinks: how many sinks there are; the order is that of the destination.
    """

    def __init__(self, path: Path | None, sinks: int) -> None:
        self._path = path
        self._files: list[Descriptor] = []  # The last one counts; those before were deleted, and may be in use yet.
        self.acknowledged = [0] * sinks
        self.places = [b""] * sinks
        self._lock = threading.Lock()  # Only threads of ours are here, and none in a forked child.

    def load(self, limit: int) -> None:
        """Read what an earlier process noted; what is neither `ALL` nor a position up to *limit* counts as 0.

        So does a position from before the machine started, or from another one: it may be on the disk, and what it
        speaks of not.
        """
        try:
            data = self._path.read_bytes() if self._path else b""
        except OSError:
            data = b""  # No sink got anywhere, or nobody knows: everything is offered again.
        for sink in range(len(self.acknowledged)):
            if (record := _RECORD.fullmatch(data[sink * _BYTES : (sink + 1) * _BYTES])) is None:
                continue
            number, place, noted = record.groups()
            believed = limit if noted.strip() and noted.strip() == boot() else 0
            if (position := int(number)) <= believed or position == ALL:
                self.acknowledged[sink], self.places[sink] = position, place.strip()

    def note(self, sink: int, place: bytes) -> None:
        """Note that sink number *sink* will store everything that it has not acknowledged behind *place*."""
        self.places[sink] = place
        self.acknowledge(sink, self.acknowledged[sink])

    def acknowledge(self, sink: int, position: int) -> None:
        """Note that sink number *sink* holds every byte before *position*."""
        with self._lock:
            self._write(sink, position)
            # Last: once all is acknowledged, another thread may remove the file, and its descriptor be another one's.
            self.acknowledged[sink] = position

    def restore(self) -> None:
        """Write all anew, for somebody has deleted the file."""
        with self._lock:
            for sink, position in enumerate(self.acknowledged):
                self._write(sink, position)

    def _write(self, sink: int, position: int) -> None:
        try:
            if self._path is not None:
                self._overwrite(self._path, sink, position)
        except OSError as error:
            health.warn("the position of a sink in the journal could not be saved", error)

    def _overwrite(self, path: Path, sink: int, position: int) -> None:
        status = self._files[-1].status() if self._files else None
        if status is None or not status.st_nlink:
            self._files.append(Descriptor(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)))
        number = self._files[-1].number()
        record = b"%0*d %-*b %-*b\n" % (_WIDTH, position, _PLACE_WIDTH, self.places[sink], _BOOT_WIDTH, boot())
        if number is not None:
            os.pwrite(number, record, sink * _BYTES)

    def close(self) -> None:
        """Release the file and leave it."""
        while self._files:
            self._files.pop().close()

    def remove(self) -> None:
        """Release the file and delete it."""
        self.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
