"""Where records of a person may lie on this machine: logs with their rotated files, the journal, dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from flywheel_log.delivery import purge
from flywheel_log.event import Event
from flywheel_log.sinks.elasticsearch import dead_letters

from ..sources.file import family, opened
from .person import Person
from .rewrite import rewrite


class Place(Protocol):
    """Something that holds records, and can let go of some."""

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def remains(self) -> str:
        """Why something may be left in it."""

    def records(self, person: Person) -> Iterator[bytes | Event]:
        """Yield all records that may be the person's, or mention them, as lines or as events."""

    def remove(self, person: Person) -> int:
        """Remove the person's records, and return how many."""


class Log:
    """A log, its rotated files and those that are compressed."""

    remains = "a program still records this user there, or the file could not be replaced"

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """The path, and how many rotated files there are."""
        rotated = sum(file != self._path for file in family(self._path))
        return f"{self._path}" + (f" and {rotated} rotated" if rotated else "")

    def records(self, person: Person) -> Iterator[bytes]:  # noqa: ARG002  every line is looked at
        """Yield every line of all files."""
        for file in family(self._path):
            with opened(file) as lines:
                yield from lines

    def remove(self, person: Person) -> int:
        """Rewrite each file that holds one of theirs."""
        removed = 0
        for file in family(self._path):
            done = rewrite(self._path, file, person.owns)
            removed += done.removed * done.changed
        return removed


class Journal:
    """What waits for its sinks, in files of programs that are gone and of those that run."""

    remains = "programs that run hold them; they are gone when these end, or have gone on: run this again then"

    def __init__(self, root: Path) -> None:
        self._root = root
        self.name = f"the journal {root}"

    def records(self, person: Person) -> Iterator[bytes]:  # noqa: ARG002  every line is looked at
        """Yield every line of all segments."""
        return purge.lines(self._root)

    def remove(self, person: Person) -> int:
        """Rewrite the segments of programs that are gone."""
        return purge.purge(self._root, person.owns)


class DeadLetters:
    """The file of what an index refused."""

    remains = "the index refuses records of this user at this moment"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = f"dead letters {path}"

    def records(self, person: Person) -> Iterator[bytes]:  # noqa: ARG002  every letter is looked at
        """Yield the line of each letter."""
        return (letter.line for letter in dead_letters.letters(self._path))

    def remove(self, person: Person) -> int:
        """Rewrite the file without theirs."""
        removed: list[dead_letters.DeadLetter] = []

        def others(letters: list[dead_letters.DeadLetter]) -> list[dead_letters.DeadLetter]:
            removed.extend(letter for letter in letters if person.owns(letter.line))
            return [letter for letter in letters if not person.owns(letter.line)]

        if any(map(person.owns, self.records(person))):
            dead_letters.resend(self._path, others)
        return len(removed)
