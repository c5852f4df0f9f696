"""Keep examples on disk: memory holds only what choosing and dividing them needs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import Self, overload

from ..feedback import Feedback
from ..values import as_text
from .example import Example, example
from .formats._lines import line


@dataclass(frozen=True, slots=True)
class Kept:
    """An example on the shelf: where it lies, and its attributes of the same names.

    Attributes:
        place, size: the bytes that it is.
        prompt: name and version of its prompt, `support@2`; empty if it has none.
    """

    place: int
    size: int
    id: str
    timestamp: str
    rank: tuple[bool, bool, str, str]
    content: bytes
    openings: tuple[bytes, ...]
    belongs_to: tuple[Hashable, ...]
    tool: str
    prompt: str
    model: str


class Shelf:
    """A nameless file (0600) with examples; it is gone when it is closed, or when the process is.

    Args:
        folder: on whose disk it lies.
        clean: what is done to each before it is set aside; whose it is, is known from before.
    """

    def __init__(self, folder: Path, clean: Callable[[Example], Example] = lambda one: one) -> None:
        self._clean = clean
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  it is closed with the shelf
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._file.close()

    def put(self, one: Example) -> Kept:
        """Set *one* aside."""
        belongs_to, one = one.belongs_to, self._clean(one)
        data = line({"event": one.event, "feedback": vars(one.feedback)})
        place = self._end
        self._file.seek(place)
        self._end += self._file.write(data)
        prompt = one.event.get("prompt") or {}
        named = "@".join(filter(None, (as_text(prompt.get("name")), as_text(prompt.get("version")))))
        model = intern(str(one.event.get("model") or ""))
        known = (one.id, one.timestamp, one.rank, one.content, one.openings, belongs_to)
        return Kept(place, len(data), *known, intern(one.tool), intern(named), model)

    def get(self, kept: Kept) -> Example:
        """Return the example that was set aside."""
        self._file.seek(kept.place)
        said = json.loads(self._file.read(kept.size))
        found = example(said["event"], Feedback(**said["feedback"]))
        if found is None:
            raise ValueError(f"call {kept.id} is no longer a conversation")
        return found


class Shelved(Sequence[Example]):
    """Examples that lie on a shelf, in an order; each is loaded when it is its turn.

    Args:
        load: loads one, and may change it.
        kept: which, in order.
    """

    def __init__(self, load: Callable[[Kept], Example], kept: Sequence[Kept]) -> None:
        self._load, self._kept = load, kept

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Example]:
        return map(self._load, self._kept)

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> Shelved: ...
    def __getitem__(self, place: int | slice) -> Example | Shelved:
        if isinstance(place, slice):
            return Shelved(self._load, self._kept[place])
        return self._load(self._kept[place])
