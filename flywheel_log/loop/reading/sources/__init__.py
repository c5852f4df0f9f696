"""Where records are read from; a source is a module named after its URL scheme with `records(source)`."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from types import ModuleType
from typing import Protocol
from urllib.parse import urlsplit

from flywheel_log.event import JSON


class Source(Protocol):
    """What the module of a source is."""

    def records(self, source: str, since: datetime | None = None) -> Iterator[bytes | JSON]:
        """Begin to read *source*: lines as they are, or objects that are parsed already, oldest first.

        What began before *since* may be left out. Raises at once, not at the first record, if there is nothing to read.
        A module may also have `backwards(source, since)`, the same records newest first, and `growing(source)`, what
        `follow` watches.
        """


def find(source: str) -> Source | ModuleType:
    """Return the module that reads *source*: `-` is stdin, a URL has its scheme's, and all else is a file.

    Raises:
        ValueError: nothing reads this scheme; the message lists those that are read.
    """
    known = {module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")}
    scheme = "stdin" if source == "-" else _scheme(source)
    if scheme not in known:
        raise ValueError(f"source {scheme!r} is unknown; expected one of {', '.join(sorted(known))}")
    return import_module(f"{__name__}.{scheme}")


def _scheme(source: str) -> str:
    scheme = urlsplit(source).scheme
    # One letter is a drive of Windows; without slashes or a known name it is a file with a colon in it.
    return scheme if len(scheme) > 1 and (source == f"{scheme}:" or scheme == "file" or "://" in source) else "file"
