"""The journal beside the threads that ship and keep it, each of which may take its turn anywhere."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flywheel_log.delivery import adopt, supply
from flywheel_log.delivery import journal as module
from flywheel_log.delivery.destination import Destination
from flywheel_log.delivery.journal import Journal
from flywheel_log.delivery.keeper import Keeper
from flywheel_log.delivery.segments import Segment
from flywheel_log.delivery.supply import Released
from flywheel_log.delivery.tuning import Tuning
from flywheel_log.health import health
from flywheel_log.process import forks
from flywheel_log.process.interruptions import interruptions

from .turns import turns_before, with_a_turn

PACKAGE = str(Path(module.__file__).parents[1])
LINE = b'{"kind":"step"}'
TUNING = Tuning(first_segment_bytes=1 << 12, segment_bytes=1 << 12)


@pytest.fixture
def make(tmp_path: Path) -> Callable[[int], Journal]:
    """Make a journal of so many segments, with a line in each; no thread looks after it."""
    destination = Destination.of(["stdout:"], tmp_path)

    def make(count: int) -> Journal:
        journal = Journal(destination, lambda: "a1b2", lambda: 1767323045.0, TUNING, quota=1 << 30, durable=False)
        for _ in range(count):
            journal.let_go()
            journal.put(LINE)
        return journal

    return make


def deliver(journal: Journal, segment: Segment) -> None:
    segment.acknowledge(0, segment.used, segment.events)
    segment.secure(0)
    journal.retire(segment)


def test_what_is_delivered_meanwhile_hides_nothing_that_waits(make: Callable[[int], Journal]) -> None:
    at, more = 1, True
    while more:
        journal = make(3)
        first, *others = journal.segments()
        seen: list[Segment] = []

        def look(journal: Journal = journal, seen: list[Segment] = seen) -> None:
            seen += [segment for segment, _ in journal.snapshot(adopted=False)]

        more = with_a_turn(at, lambda: deliver(journal, first), look, PACKAGE)  # noqa: B023 - called here
        assert [segment for segment in seen if segment is not first] == others, f"at instruction {at}"
        journal.release()
        at += 1
    assert at > 20


@pytest.mark.parametrize("goes", ["one before", "the latest"])
def test_a_segment_that_is_delivered_while_it_is_synced_is_no_failure(
    make: Callable[[int], Journal], goes: str
) -> None:
    at, more = 1, True
    while more:
        journal = make(2)
        going = journal.segments()[goes == "the latest"]

        def turn(journal: Journal = journal, going: Segment = going) -> None:
            if not going.sealed:
                journal.let_go()
                journal.put(LINE)
            deliver(journal, going)

        more = with_a_turn(at, turn, journal.sync, PACKAGE)
        count = len(journal.segments())
        journal.put(LINE)
        assert len(journal.segments()) == count, f"let go of another one at instruction {at}"
        journal.release()
        at += 1
    assert at > 50


def test_what_could_not_be_synced_is_synced_in_the_next_round(make: Callable[[int], Journal]) -> None:
    journal = make(2)
    first, _ = journal.segments()
    path = first.path
    assert path is not None
    first.rest()
    for number in Path("/proc/self/fd").iterdir():
        if number.resolve() == path:
            os.close(int(number.name))
    path.rename(path.with_suffix(".away"))
    with pytest.raises(FileNotFoundError):
        journal.sync()
    assert journal.unsynced
    path.with_suffix(".away").rename(path)
    journal.sync()
    assert not journal.unsynced
    journal.release()


def fork() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


@pytest.mark.parametrize("beside", ["a caller needs a segment", "the process forks"])
@pytest.mark.parametrize("puts", [0, 1], ids=["into the same journal", "into another one"])
def test_a_finaliser_in_a_thread_that_makes_segments_holds_nobody_up(
    make: Callable[[int], Journal], beside: str, puts: int
) -> None:
    journal, recorded = make(1), make(1)
    into = (journal, recorded)[puts]
    keeper = Keeper(journal, Tuning(), lambda: None)

    def other() -> None:
        if beside == "the process forks":
            fork()
        else:
            into.let_go()
            into.put(LINE)

    def turn() -> None:
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        thread.join(0.1)
        into.put(LINE)  # As a stream does that the garbage collector ends here.
        others.append(thread)

    others: list[threading.Thread] = []
    adopting = threading.Thread(target=with_a_turn, args=(10, turn, keeper.adopt, adopt.__file__), daemon=True)
    adopting.start()
    adopting.join(10)
    assert not adopting.is_alive(), "each waits for the other"
    others[0].join(10)
    assert not others[0].is_alive()
    journal.release()
    recorded.release()


@pytest.mark.parametrize("puts", ["into the first", "into the second"])
def test_a_finaliser_that_interrupts_a_put_into_another_journal_does_not_hold_up_a_fork(
    make: Callable[[int], Journal], puts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = make(1), make(1)
    held, inside = pair if puts == "into the second" else reversed(pair)
    waiting = threading.Thread(target=fork, daemon=True)
    mine = turns_before(monkeypatch, Segment, "append")

    def turn() -> None:
        waiting.start()
        waiting.join(0.1)
        inside.put(LINE)

    def put() -> None:
        mine.turn = turn
        held.put(LINE)

    putting = threading.Thread(target=put, daemon=True)
    putting.start()
    putting.join(10)
    assert not putting.is_alive(), "each waits for the other"
    waiting.join(10)
    assert not waiting.is_alive()
    for journal in pair:
        journal.release()


def test_finalisers_that_put_into_each_others_journals_do_not_wait_for_each_other(
    make: Callable[[int], Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, inside = (make(1), make(1)), threading.Barrier(2)
    mine = turns_before(monkeypatch, Segment, "append")

    def put(into: Journal, other: Journal) -> None:
        def turn() -> None:
            with suppress(threading.BrokenBarrierError):
                inside.wait(0.2)  # Where each is in the middle of its put, both go on.
            other.put(LINE)

        mine.turn = turn
        into.put(LINE)

    putting = [threading.Thread(target=put, args=order, daemon=True) for order in (pair, pair[::-1])]
    for thread in putting:
        thread.start()
    for thread in putting:
        thread.join(10)
    assert not any(thread.is_alive() for thread in putting), "each waits for the other"
    assert [journal.accepted for journal in pair] == [3, 3]  # Each has one from the beginning.
    for journal in pair:
        journal.release()


@pytest.mark.parametrize("work", ["put", "let_go", "snapshot", "prepare", "refuse"])
def test_who_holds_the_lock_of_the_journals_is_interrupted_by_no_other_event(
    make: Callable[[int], Journal], work: str
) -> None:
    """For its way to the journal leads through other locks, whose owners may wait for this one."""
    at, more, held = 1, True, 0
    while more:
        journal = make(1)
        journal.losses.add("journal_full", "a1b2-0")
        call: dict[str, Callable[[], object]] = {
            "put": lambda journal=journal: journal.put(LINE),
            "snapshot": lambda journal=journal: journal.snapshot(adopted=True),
        }
        kept: list[tuple[bool, bool]] = []

        def turn(kept: list[tuple[bool, bool]] = kept) -> None:
            kept.append((forks.lock._is_owned(), interruptions.postpones(list)))  # type: ignore[attr-defined]

        more = with_a_turn(at, turn, call.get(work, getattr(journal, work)), module.__file__)
        assert (True, False) not in kept, f"at instruction {at}"
        held += (True, True) in kept
        journal.release()
        at += 1
    assert held > 5


class Watched:
    """Stands for a journal, and for the lock that it waits for before it is watched: it is when a fork asks again."""

    def __init__(self) -> None:
        self.locks = (threading.RLock(),)

    def forget(self) -> None: ...

    def acquire(self, blocking: bool) -> bool:
        if not blocking:
            forks._watched[id(self)] = self
        return True

    def release(self) -> None: ...

    def _is_owned(self) -> bool:
        return False


def test_a_journal_that_is_made_just_before_all_locks_are_taken_is_guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    watched: Any = Watched()
    monkeypatch.setattr(forks, "lock", watched)
    forks._before()
    try:
        assert watched.locks[0]._is_owned()
    finally:
        forks._in_parent()


class Waiting(logging.Handler):
    """A handler of the program's that waits, when it is told of a loss, for a thread that records meanwhile."""

    def __init__(self, record: Callable[[], object]) -> None:
        super().__init__()
        self._record = record
        self.recorded: list[bool] = []

    def emit(self, record: logging.LogRecord) -> None:
        thread = threading.Thread(target=self._record, daemon=True)
        thread.start()
        thread.join(5)
        self.recorded.append(not thread.is_alive())


@pytest.mark.parametrize("reason", ["the journal is full", "the journal is not writable"])
def test_calls_do_not_wait_for_who_handles_a_warning(tmp_path: Path, reason: str) -> None:
    (tmp_path / "file").touch()
    root = tmp_path / "file" if "writable" in reason else tmp_path
    destination = Destination.of(["memory:"], root)
    journal = Journal(destination, lambda: "a1b2", lambda: 1767323045.0, Tuning(), quota=1, durable=False)
    handler = Waiting(lambda: journal.put(LINE))
    health.reset()
    log = logging.getLogger("flywheel_log")
    log.addHandler(handler)
    try:
        journal.put(LINE)
    finally:
        log.removeHandler(handler)
        journal.release()
    assert handler.recorded == [True]


def test_what_is_made_ahead_while_another_is_taken_is_not_used_behind_it(make: Callable[[int], Journal]) -> None:
    at, more = 1, True
    while more:
        journal = make(1)

        def roll(journal: Journal = journal) -> None:
            journal.let_go()
            journal.put(LINE)

        def prepare(journal: Journal = journal) -> None:
            journal.supply.prepare(journal.segments())

        more = with_a_turn(at, roll, prepare, supply.__file__)
        roll()
        paths = [segment.path for segment in journal.segments()]
        assert paths == sorted(filter(None, paths)), f"at instruction {at}"
        journal.release()
        at += 1
    assert at > 50


def test_a_put_that_a_signals_handler_interrupts_to_shut_down_is_on_disk(
    make: Callable[[int], Journal], tmp_path: Path
) -> None:
    at, more, ids = 1, True, list[str | None]()
    while more:
        journal = make(1)

        def put(journal: Journal = journal) -> None:
            with suppress(Released):
                ids.append(journal.put(LINE))

        more = with_a_turn(at, journal.release, put, PACKAGE)
        assert not (more and journal.segments()), f"held by nobody at instruction {at}"
        journal.release()
        at += 1
    left = b"".join(path.read_bytes() for path in tmp_path.glob("*/*.seg"))
    assert [identity for identity in ids if str(identity).encode() not in left] == []
    assert (at > 50, len(ids) > 50) == (True, True)
