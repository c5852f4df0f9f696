"""Where records of a person may lie on this machine: logs with their rotated files, the journal, dead letters."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from flywheel_log.delivery import purge
from flywheel_log.event import Event
from flywheel_log.process.rotations import family
from flywheel_log.sinks.elasticsearch import dead_letters

from ..gaps import in_place_of
from ..reading import progress
from .person import Person, as_event
from .rewrite import append, lines, rewrite, sweep

PATIENCE_S = 15.0
"""Programs that run look every five seconds for what they are asked."""

_POLL_S = 0.05


class Place(Protocol):
    """Something that holds records, and can let go of some.

    Attributes:
        name: what to call it.
        remains: why something may be left in it.
    """

    name: str
    remains: str

    def sweep(self) -> None:
        """Delete what a killed process left half made, where nobody would look for records; most leave nothing."""
        return

    def records(self, person: Person) -> Iterator[bytes | Event]:
        """Yield all records that may be the person's, or mention them, as lines or as events."""

    def remove(self, person: Person) -> int:
        """Remove the person's records, and return how many."""

    def note(self, reports: Sequence[bytes]) -> None:  # noqa: ARG002  most keep none
        """Keep the *reports* of what was removed anywhere, if it holds what those who count ids look through."""
        return


class Log(Place):
    """A log, its rotated files and those that are compressed."""

    remains = "a program still records this user there, or the file could not be replaced"

    def __init__(self, path: Path) -> None:
        self._path = path
        rotated = sum(file != path for file in family(path))
        self.name = f"{path}" + (f" and {rotated} rotated" if rotated else "")

    def sweep(self) -> None:
        """Delete the drafts of commands that were killed."""
        sweep(self._path)

    def records(self, person: Person) -> Iterator[bytes]:  # noqa: ARG002  every line is looked at
        """Yield every line of all files."""
        return lines(self._path)

    def remove(self, person: Person) -> int:
        """Rewrite each file that holds one of theirs."""
        removed = 0
        progress.expect(family(self._path))
        for file in family(self._path):
            done = rewrite(self._path, file, person.owns)
            removed += done.removed * done.changed
        return removed

    def note(self, reports: Sequence[bytes]) -> None:
        """Append *reports*, unless nothing here has an id, as in a flat log."""
        if any(b'"id":' in line for line in lines(self._path)):
            append(self._path, reports)


class Journal(Place):
    """What waits for its sinks, in files of programs that are gone and of those that run."""

    remains = "programs that run have yet to deliver them; run this again when they have, or have ended"

    def __init__(self, root: Path, patience: float = PATIENCE_S) -> None:
        self._root = root
        self._patience = patience
        self.name = f"the journal {root}"

    def sweep(self) -> None:
        """Delete the drafts of commands that were killed."""
        purge.sweep(self._root)

    def records(self, person: Person) -> Iterator[bytes]:  # noqa: ARG002  every line is looked at
        """Yield every line of all segments."""
        return purge.lines(self._root)

    def remove(self, person: Person) -> int:
        """Rewrite the segments of programs that are gone, and wait for others to let go of what they have delivered.

        Whoever waits for a record of theirs is told that there was one.
        """

        def instead(line: bytes) -> bytes:
            if not person.owns(line):
                return line
            event = as_event(line)
            return in_place_of(str(event.get("id")), time.time()) if event else b""

        removed = purge.purge(self._root, instead)
        held = self._held(person)
        if held:
            purge.ask_to_let_go(self._root)
        deadline = time.monotonic() + self._patience
        while (left := self._held(person)) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        return removed + max(0, held - left)

    def _held(self, person: Person) -> int:
        return sum(map(person.owns, self.records(person)))


class DeadLetters(Place):
    """The file of what an index refused."""

    remains = "the index refuses records of this user at this moment"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = f"dead letters {path}"

    def sweep(self) -> None:
        """Delete a letter that was cut off, and the drafts of commands that were killed."""
        dead_letters.sweep(self._path)

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
