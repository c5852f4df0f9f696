"""What a dataset was made from, so that making it again can tell whether the source is still the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO

from flywheel_log.event import JSON
from flywheel_log.sinks import public

from ..reading import progress
from ..reading.read import Where, opened
from ..reading.sources import file

_BLOCK = 1 << 20


def provenance(source: Where | Iterable[Where], since: datetime | None = None) -> list[JSON]:
    """Return what *source* is at this moment, as JSON.

    Of each file its name, how many bytes it has and their SHA-256; programs may add to it meanwhile. Of an index its
    name, how many records it has and the id of the newest. Files that nobody wrote to *since* then are left out.

    Raises:
        FileNotFoundError: a file does not exist.
        ConnectionError: the server does not answer.
        ValueError: nothing reads the URL's scheme.
    """
    return [one for module, where in opened(source) for one in _told(module, where, since)]


def _told(module: object, where: str | file.Log, since: datetime | None) -> Iterator[JSON]:
    if isinstance(where, file.Log):
        with where.held() as files:
            for one, _ in file.parts(files, since):
                yield {"file": str(one.path), **_hashed(one.data)}
        return
    count, growing = getattr(module, "count", None), getattr(module, "growing", None)
    if count is None or growing is None:
        yield {"source": public(where)}
        return
    index = growing(where)
    try:
        newest: JSON = next(iter(index.last(1)), {})
    finally:
        index.close()
    yield {"index": public(where), "records": count(where), "newest": newest.get("id") or newest.get("timestamp")}


def _hashed(data: BinaryIO) -> JSON:
    digest = hashlib.sha256()
    left = size = os.fstat(data.fileno()).st_size
    progress.begin(size)
    while left and (block := data.read(min(left, _BLOCK))):
        digest.update(block)
        left -= len(block)
    return {"bytes": size - left, "sha256": digest.hexdigest()}
