"""Where in a log the latest events begin, so that reading the last minutes does not read the last year."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from ..values import instant

CHUNK_BYTES = 1 << 22
OLD_BYTES = 1 << 26
"""So many bytes of nothing but older events end the search: what a process left behind may arrive long afterwards."""

_PROBES, _PROBE_BYTES = 64, 1 << 16

_TIMESTAMP = re.compile(rb'"timestamp"\s*:\s*"([^"\\]{10,40})"')
_SKEW = timedelta(minutes=1)


def first_byte(
    file: int, since: datetime, *, packed: bool = False, chunk: int = CHUNK_BYTES, old: int = OLD_BYTES
) -> int | None:
    """Return the byte of the open *file* behind which all events lie that began at *since* or later; None if none did.

    An event is written after it began: what was written before *since* is older. So a file that nobody wrote to since
    then has none, and in others the search goes backwards until *old* bytes, looked at by *chunk*, are older. What lies
    before that is looked into here and there: where something newer turns up, the log is in no order, and all of it is
    to be read. The byte may lie inside a line. Of a *packed* file, a compressed one, it is the first one.
    """
    status = os.fstat(file)
    if status.st_mtime < (since - _SKEW).timestamp():
        return None
    if packed:
        return 0
    end, older, found = status.st_size, 0, 0
    while end > 0 and older < old:
        start = max(0, end - chunk)
        times = list(_times(os.pread(file, end - start, start)))
        is_old = bool(times) and max(times) < since
        # Of what is older, as much is read as a line could begin in whose time lies across the edge.
        found = start if not (is_old and older) else found
        older = older + end - start if is_old else 0
        end = start
    return found if older >= old and not any(time >= since for time in _probed(file, end)) else 0


def _probed(file: int, end: int) -> Iterator[datetime]:
    """Yield the times found at places that are spread over the first *end* bytes of *file*."""
    for place in range(0, end, max(_PROBE_BYTES, end // _PROBES)):
        yield from _times(os.pread(file, min(_PROBE_BYTES, end - place), place))


def _times(data: bytes) -> Iterator[datetime]:
    for found in _TIMESTAMP.finditer(data):
        if (time := instant(found[1].decode("ascii", "replace"))) is not None:
            yield time
