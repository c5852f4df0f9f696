"""Where a set of sinks keeps its part of the journal, so that an orphan reaches the sinks it was written for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import orjson

from ..process import directories, disk
from ..sinks import public, resolve

FILE = "sinks.json"


@dataclass(frozen=True)
class Destination:
    """A set of sinks and the directory of its segments.

    Attributes:
        urls: the sinks as they are opened, resolved and sorted.
        names: the same without credentials; what is written to disk and shown.
        directory: `<root>/<key>`; the key depends on the names alone.
    """

    urls: tuple[str, ...]
    names: tuple[str, ...]
    directory: Path

    @classmethod
    def of(cls, sinks: Sequence[str], root: Path) -> Destination:
        """Return the destination of *sinks* under *root*; their order and repetitions do not matter."""
        named = {public(url): url for url in map(resolve, sinks)}
        names = tuple(sorted(named))
        key = blake2b("\n".join(names).encode(), digest_size=8).hexdigest()
        return cls(tuple(named[name] for name in names), names, root / key)

    @classmethod
    def load(cls, directory: Path) -> Destination:
        """Read back the destination that `prepare` described in *directory*.

        Raises:
            OSError, ValueError: there is no readable description, or it says more than this version understands.
        """
        match orjson.loads((directory / FILE).read_bytes()):
            case {"sinks": [*sinks], **more} if not more:  # What more it says may be how its segments are to be read.
                names = tuple(map(str, sinks))
                return cls(names, names, directory)
        raise ValueError("the journal is of another version")

    def prepare(self) -> None:
        """Make the directory (0700) and its description (0600) unless they are there.

        Raises:
            OSError: the place cannot be written.
        """
        directories.make(self.directory)
        description = self.directory / FILE
        if description.exists():
            return
        draft = description.with_suffix(f".{os.urandom(6).hex()}.tmp")
        disk.write(draft, [orjson.dumps({"sinks": self.names}, option=orjson.OPT_APPEND_NEWLINE)])
        disk.replace(description, draft)
