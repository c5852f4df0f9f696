"""Remove old records from a log and its rotated files, except those to be kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flywheel_log.event import Event
from flywheel_log.process.compression import is_compressed
from flywheel_log.process.rotations import family

from ..feedback import Feedbacks, names_of, target_of
from ..filter import Filter
from ..reading import progress
from ..reading.read import Reading
from ..reading.sources.file import opened
from ..values import instant
from .person import as_event
from .rewrite import Doomed, Rewritten, count, lines, rewrite

_ROUNDS = 5


@dataclass
class Pruned:
    """What became of one file.

    Attributes:
        file: its path, when it was looked at.
        kept, removed: how many lines it had that stay, and how many that go.
        before, after: its size in bytes; with a dry run, *after* is an estimate.
        vanished: somebody else replaced it meanwhile, so nothing was done.
    """

    file: Path
    kept: int
    removed: int
    before: int
    after: int
    vanished: bool = False


class Kept:
    """Which events must stay: those that one of the *filters* matches, and what people said about them.

    Args:
        filters: each protects by itself; feedback is what their `feedback` asks for.
        events: reads all events anew, each time it is called.
    """

    def __init__(self, filters: Sequence[Filter], events: Callable[[], Iterable[Event]]) -> None:
        self._filters = filters
        self._feedbacks = Feedbacks(events() if filters else ())
        self._targets = set(self._said_about(events())) if len(self._feedbacks) else set()

    def __call__(self, event: Event) -> bool:
        """Tell whether *event* must stay."""
        return self._matches(event) or (event.get("kind") == "feedback" and target_of(event) in self._targets)

    def _matches(self, event: Event) -> bool:
        return any(True for one in self._filters for _ in one.select((event,), self._feedbacks))

    def _said_about(self, events: Iterable[Event]) -> Iterator[str]:
        for event in events:
            if self._matches(event):
                yield from (name for name in names_of(event) if name in self._feedbacks)


def prune(
    log: Path,
    *,
    before: datetime | None = None,
    most_bytes: int | None = None,
    keep: Sequence[Filter] = (),
    dry_run: bool = False,
) -> list[Pruned]:
    """Remove from *log* and its rotated files what began *before* a time, then the oldest records over *most_bytes*.

    What one of the filters *keep* matches stays, and with it the feedback on it. Lines that are no records have no age;
    they go only where space is needed. Programs may write to the log meanwhile. Returns one report for each file.

    Raises:
        OSError: as `rewrite`; files done before are done.
    """
    kept = Kept(keep, lambda: Reading(lines(log)))
    found: dict[Path, Pruned] = {}
    for _ in range(1 if dry_run else _ROUNDS):  # what a compressed file becomes is known only afterwards
        size = sum(file.stat().st_size for file in family(log))
        old = _Old(before, 0 if most_bytes is None else size - most_bytes, kept)
        if not _pass(found, log, old.of, dry_run=dry_run) or most_bytes is None:
            break
    return list(found.values())


def _pass(found: dict[Path, Pruned], log: Path, doomed: Callable[[Path], Doomed], *, dry_run: bool) -> int:
    """Go through all files once, and return how many lines went."""
    removed = 0
    progress.expect(family(log))
    for file in family(log):
        size = file.stat().st_size
        done = count(file, doomed(file)) if dry_run else rewrite(log, file, doomed(file))
        _note(found, file, done, size, dry_run=dry_run)
        removed += done.removed * (not done.vanished)
    return removed


def _note(found: dict[Path, Pruned], file: Path, done: Rewritten, size: int, *, dry_run: bool) -> None:
    one = found.setdefault(file, Pruned(file, 0, 0, size, size))
    one.vanished = done.vanished
    if done.vanished:
        return
    one.kept = done.kept
    one.removed += done.removed
    total = done.kept + done.removed
    after = file.stat().st_size if file.exists() else 0
    one.after = size * done.kept // max(1, total) if dry_run else after


class _Old:
    """What began *before* a time, and the oldest lines until *needed* bytes of the disk are free."""

    def __init__(self, before: datetime | None, needed: float, kept: Kept) -> None:
        self._before = before
        self._needed = needed
        self._kept = kept

    def of(self, file: Path) -> Doomed:
        """Return what dooms the lines of *file*; those of a compressed one weigh what they take on the disk."""
        weight = _weight(file) if self._needed > 0 else 1.0

        def doomed(line: bytes) -> bool:
            event = as_event(line)
            if not (self._needed > 0 or self._is_old(event)) or (event is not None and self._kept(event)):
                return False
            self._needed -= len(line) * weight
            return True

        return doomed

    def _is_old(self, event: Event | None) -> bool:
        time = instant(event["timestamp"]) if event else None
        return self._before is not None and time is not None and time < self._before


def _weight(file: Path) -> float:
    if not is_compressed(file):
        return 1.0
    with opened(file) as whole:
        return file.stat().st_size / max(1, sum(map(len, whole)))
