"""From put to the sinks: what is accepted arrives, once, in order, and the caller never notices trouble."""

import errno
import fcntl
import gc
import itertools
import json
import math
import os
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from flywheel_log.delivery import Delivery, drain, waiting
from flywheel_log.delivery import delivery as delivery_module
from flywheel_log.delivery import journal as delivery_journal
from flywheel_log.delivery.crew import Crew
from flywheel_log.delivery.destination import Destination
from flywheel_log.delivery.keeper import Keeper
from flywheel_log.delivery.segments import Segment
from flywheel_log.delivery.space import taken
from flywheel_log.delivery.tuning import Tuning
from flywheel_log.health import health
from flywheel_log.sinks import PutOff, RetryLater
from tests.faults.oracle import until

from .dying import leave
from .turns import turns_before, with_a_turn

LINE = b'{"kind":"step"}'


class Memory:
    """A sink that keeps lines, and first does what it is told: raise, or want lines again."""

    linger_s = 0.0

    def __init__(self, *trouble):
        self.lines = []
        self.offered = []
        self.closed = 0
        self._trouble = list(trouble)

    def write(self, lines):
        self.offered.append(len(lines))
        trouble = self._trouble.pop(0) if self._trouble else 0
        if isinstance(trouble, Exception):
            raise trouble
        kept = len(lines) - trouble
        self.lines += lines[:kept]
        return lines[kept:]

    def missing(self, lines):
        return [line for line in lines if line not in self.lines]

    def stats(self):
        return {"kept": len(self.lines)}

    def close(self):
        self.closed += 1


@pytest.fixture
def root(tmp_path):
    return tmp_path / "journal"


@pytest.fixture
def make(root):
    made = []

    def make(*sinks, **options):
        urls = [f"memory{number}:" for number in range(len(sinks))]
        options = {"run": lambda: "a1b2", "random": lambda: 0.0, "clock": lambda: 1767323045.0} | options
        by_url = dict(zip(urls, sinks, strict=True))
        made.append(Delivery(urls, root, open_sink=by_url.__getitem__, **options))
        return made[-1]

    yield make
    for delivery in made:
        delivery.close(0.0)


def files(root):
    return sorted(path.suffix for path in root.glob("*/*"))


def test_a_new_delivery_opens_and_starts_nothing(make, root):
    before = {*threading.enumerate()}
    make(Memory())
    assert (root.exists(), {*threading.enumerate()} - before) == (False, set())


def test_every_sink_gets_every_line_with_its_id_in_front_and_in_order(make):
    sinks = Memory(), Memory()
    delivery = make(*sinks)
    ids = [delivery.put(b'{"kind":"step","n":%d}' % number) for number in range(3)]
    assert delivery.flush(20) == 0
    assert ids == ["a1b2-1", "a1b2-2", "a1b2-3"]
    expected = [b'{"id":"a1b2-%d","kind":"step","n":%d}' % (number + 1, number) for number in range(3)]
    assert [sink.lines for sink in sinks] == [expected, expected]


@pytest.mark.parametrize("line", [b"", b"{}", b"[1]", b'{"a":\n1}', b'{"a":"\0"}'])
def test_what_is_no_line_is_dropped_and_counted(make, line):
    assert make(Memory()).put(line) is None
    assert health.dropped() == {"bad_line": 1}


def test_nothing_is_left_on_disk_after_a_clean_end(make, root):
    sink = Memory()
    delivery = make(sink)
    delivery.put(LINE)
    assert delivery.close(20) == 0
    assert {*files(root)} <= {".json", ".lock"}  # The second where orphans have been looked for.
    assert sink.closed == 1


def test_the_threads_are_daemons_named_after_the_schemes_and_end_at_close(make):
    others = {*threading.enumerate()}
    delivery = make(Memory(), Memory())
    delivery.put(LINE)
    known = ("flywheel_log:journal", "flywheel_log:memory")
    ours = [thread for thread in threading.enumerate() if thread.name.startswith(known) and thread not in others]
    assert sorted((thread.name, thread.daemon) for thread in ours) == [
        ("flywheel_log:journal", True),
        ("flywheel_log:memory0", True),
        ("flywheel_log:memory1", True),
    ]
    delivery.close(20)
    assert [thread for thread in ours if thread.is_alive()] == []


def test_a_closed_delivery_begins_anew_at_its_next_put(make):
    sink = Memory()
    delivery = make(sink)
    delivery.put(LINE)
    delivery.close(20)
    delivery.put(LINE)
    assert delivery.close(20) == 0
    assert (len(sink.lines), sink.closed) == (2, 2)


class Closing(bytes):
    """A line during whose put another thread closes the delivery."""

    delivery = None

    def startswith(self, *start):
        if delivery := self.delivery:
            Closing.delivery = None
            thread = threading.Thread(target=delivery.close, args=(5.0,))
            thread.start()
            thread.join()
        return super().startswith(*start)


def test_what_is_put_while_another_thread_closes_is_delivered_by_the_next_threads(make, root):
    sink = Memory()
    Closing.delivery = delivery = make(sink, run=map("run{}".format, itertools.count()).__next__)
    assert [delivery.put(LINE), delivery.put(Closing(LINE))] == ["run0-1", "run1-1"]
    assert delivery.flush(20) == 0
    assert len(sink.lines) == 2
    delivery.close(5.0)
    assert list(root.glob("*/*.seg")) == []


def test_a_failed_write_is_offered_again_whole(make):
    sink = Memory(OSError(errno.EIO, "no"), RetryLater("busy", after=0.01))
    delivery = make(sink)
    delivery.put(LINE)
    assert delivery.flush(20) == 0
    assert sink.lines == [b'{"id":"a1b2-1","kind":"step"}']
    stats = delivery.stats()["sinks"]["memory0:"]
    assert stats == {"acknowledged": 1, "waiting": 0, "retried": 2, "lag_s": 0.0, "last_error": None, "kept": 1}


def test_who_is_told_that_all_is_there_finds_it_in_the_figures(make, monkeypatch):
    """Another thread may have its turn as soon as nothing waits any more; so here."""
    told, acknowledge = [], Segment.acknowledge

    def acknowledged(segment, *given):
        acknowledge(segment, *given)
        told.append((delivery.flush(0.0), figures()))

    def figures():
        stats = delivery.stats()["sinks"]["memory0:"]
        return [stats[key] for key in ("acknowledged", "waiting", "last_error")]

    monkeypatch.setattr(Segment, "acknowledge", acknowledged)
    delivery = make(Memory(OSError(errno.EIO, "no")))
    delivery.put(LINE)
    assert delivery.flush(20) == 0
    assert told == [(0, [1, 0, None])]


def test_each_sink_that_fails_is_named_once_without_its_credentials(root, caplog):
    sinks = {"file:/tmp/a.log": Memory(OSError(), OSError()), "file:/tmp/b.log": Memory(OSError())}
    sinks["elasticsearch://me:secret@host/index"] = Memory(OSError())
    delivery = Delivery([*sinks], root, open_sink=sinks.__getitem__, random=lambda: 0.0)
    delivery.put(LINE)
    assert delivery.flush(20) == 0
    delivery.close(2.0)
    said = sorted(record.getMessage() for record in caplog.records)
    names = ["elasticsearch://host/index", "file:/tmp/a.log", "file:/tmp/b.log"]
    hint = "run `flywheel-log doctor` to find the cause"
    assert said == [f"flywheel_log: the sink {name} fails; {hint} (OSError)" for name in names]


def test_the_reason_of_a_sink_that_knows_it_is_said(make, caplog):
    delivery = make(Memory(RetryLater("unreachable")), random=lambda: 0.0)
    delivery.put(LINE)
    assert delivery.flush(20) == 0
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.endswith("run `flywheel-log doctor` to find the cause (unreachable)")


def test_a_log_that_cannot_be_opened_is_said_once(root, tmp_path, caplog):
    delivery = Delivery([f"file:{tmp_path}"], root, random=lambda: 0.0)
    delivery.put(LINE)
    until(lambda: delivery.stats()["sinks"][f"file:{tmp_path}"]["last_error"])
    delivery.close(2.0)
    said = [record.getMessage() for record in caplog.records]
    hint = "run `flywheel-log doctor` to find the cause"
    assert said == [f"flywheel_log: the sink file:{tmp_path} fails; {hint} (IsADirectoryError)"]


def test_lines_that_a_sink_wants_again_come_again_and_no_others(make):
    sink = Memory(2, 1)
    delivery = make(sink)
    for _ in range(3):
        delivery.put(LINE)
    assert delivery.flush(20) == 0
    assert [json.loads(line)["id"] for line in sink.lines] == ["a1b2-1", "a1b2-2", "a1b2-3"]


def test_flush_says_how_many_events_wait_and_why_is_in_the_stats(make):
    sink = Memory(*[RetryLater("down")] * 1000)
    delivery = make(Memory(), sink, random=lambda: 1.0)
    delivery.put(LINE)
    delivery.put(LINE)
    assert delivery.flush(0.05) == 2
    until(lambda: delivery.stats()["sinks"]["memory1:"]["last_error"] == "down")
    assert delivery.close(0.05) == 2


def test_what_a_close_could_not_delete_is_warned_of(make, root, caplog):
    delivery = make(Memory())
    delivery.put(LINE)
    (segment,) = root.rglob("*.seg")
    segment.unlink()
    segment.mkdir()
    assert delivery.close(5) == 0
    (said,) = [record.getMessage() for record in caplog.records]
    assert said == "flywheel_log: a delivered journal file could not be deleted (IsADirectoryError)"


def test_flush_and_close_do_not_wait_for_the_back_off(make):
    sink = Memory(RetryLater("down", after=3600.0))
    delivery = make(sink)
    delivery.put(LINE)
    until(lambda: sink.offered)
    started = time.monotonic()
    assert delivery.flush(60) == 0
    delivery.close(60)
    assert time.monotonic() - started < 30


def test_a_sink_that_cannot_be_opened_is_tried_again(root):
    sink, attempts = Memory(), []

    def open_sink(url):
        attempts.append(url)
        if len(attempts) < 3:
            raise PermissionError
        return sink

    delivery = Delivery(["memory:"], root, open_sink=open_sink, random=lambda: 0.0, run=lambda: "a1b2")
    delivery.put(LINE)
    assert delivery.close(20) == 0
    assert (attempts, sink.lines) == (["memory:"] * 3, [b'{"id":"a1b2-1","kind":"step"}'])


def test_a_hanging_sink_does_not_hang_close(make, root):
    release = threading.Event()

    class Hanging(Memory):
        def write(self, lines):
            release.wait(60)
            return super().write(lines)

    delivery = make(Hanging())
    delivery.put(LINE)
    started = time.monotonic()
    assert delivery.close(0.1) == 1
    assert time.monotonic() - started < 30  # It would be 60.
    release.set()


def test_batches_keep_to_the_sinks_own_limits(make):
    sink = Memory()
    sink.batch_lines = 4
    sink.linger_s = 0.2
    delivery = make(sink)
    for _ in range(10):
        delivery.put(LINE)
    assert delivery.flush(20) == 0
    assert (max(sink.offered) <= 4, sum(sink.offered)) == (True, 10)


def test_lines_longer_than_a_batch_or_a_segment_come_through(make):
    sink = Memory()
    delivery = make(sink, tuning=Tuning(first_segment_bytes=4096, segment_bytes=8192, batch_bytes=1000))
    lines = [b'{"text":"%s"}' % (b"x" * size) for size in (10, 3000, 100_000, 7000, 10)]
    for line in lines:
        delivery.put(line)
    assert delivery.flush(20) == 0
    assert [line.partition(b",")[2] for line in sink.lines] == [line[1:] for line in lines]


def test_segments_are_deleted_when_all_sinks_have_them(make, root):
    delivery = make(Memory(), Memory(), tuning=Tuning(first_segment_bytes=4096, segment_bytes=4096))
    for _ in range(500):
        delivery.put(LINE)
    assert delivery.flush(20) == 0
    until(lambda: files(root).count(".seg") <= 2)


def test_many_threads_lose_and_mix_nothing(make):
    sink = Memory()
    delivery = make(sink, tuning=Tuning(first_segment_bytes=4096, segment_bytes=16_384))
    returned = []
    threads = [
        threading.Thread(target=lambda: returned.extend(delivery.put(LINE) for _ in range(500))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert delivery.flush(20) == 0
    assert sorted(json.loads(line)["id"] for line in sink.lines) == sorted(returned)
    assert len(set(returned)) == 4000


def assert_stored_once(returned, sink):
    """Of what is put inside of another put, no id is known."""
    stored = [json.loads(line)["id"] for line in sink.lines]
    assert len({*stored}) == len(stored) == len(returned)
    assert {*filter(None, returned)} <= {*stored}


def test_a_put_from_a_finaliser_inside_a_put_is_stored(make):
    sink = Memory()
    returned = []

    class Dropped:
        def __init__(self):
            self.cycle = self

        def __del__(self):
            returned.append(delivery.put(LINE))

    delivery = make(sink)
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(200):
            Dropped()
            returned.append(delivery.put(LINE))
    finally:
        gc.set_threshold(*threshold)
    until(lambda: gc.collect() >= 0 and len(returned) == 400)  # While another thread collects, this one does not.
    assert delivery.flush(20) == 0
    assert_stored_once(returned, sink)


def test_a_put_from_a_finaliser_inside_the_first_one_starts_no_second_set_of_threads(make):
    sink = Memory()
    delivery = make(sink)
    others, returned = set(threading.enumerate()), []

    def trace(frame, *_):
        if frame.f_code is Keeper.__init__.__code__:
            sys.settrace(None)
            returned.append(delivery.put(LINE))

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        returned.append(delivery.put(LINE))
    finally:
        sys.settrace(before)
    assert delivery.flush(20) == 0
    threads = set(threading.enumerate()) - others
    assert sorted(thread.name for thread in threads) == ["flywheel_log:journal", "flywheel_log:memory0"]
    assert_stored_once(returned, sink)
    delivery.close(20)
    assert not any(thread.is_alive() for thread in threads)


def test_a_flush_without_end_ends_where_another_thread_closes(make):
    delivery, left = make(Memory(*[RetryLater("down", 60.0)] * 99)), []
    delivery.put(LINE)
    waiting = threading.Thread(target=lambda: left.append(delivery.flush(None)), daemon=True)
    waiting.start()
    until(lambda: delivery.stats()["sinks"]["memory0:"]["last_error"])
    assert delivery.close(0.4) == 1
    waiting.join(10)
    assert left == [1]


def test_a_flush_that_interrupts_another_one_anywhere_does_not_hang(make):
    delivery = make(Memory())
    returned = []

    def flush():
        returned.append(delivery.flush(20))

    def interrupted():
        at = 1
        while with_a_turn(at, flush, flush, threading.__file__):
            at += 1
        returned.append(at)

    delivery.put(LINE)
    thread = threading.Thread(target=interrupted, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), f"hangs after {len(returned)}"
    *left, at = returned
    assert (set(left), at > 20) == ({0}, True)


def test_a_put_from_a_signal_handler_inside_a_put_is_stored(make):
    sink = Memory()
    returned, inside = [], []
    delivery = make(sink, tuning=Tuning(first_segment_bytes=1 << 16, segment_bytes=1 << 16))
    before = signal.signal(signal.SIGALRM, lambda *_: inside.append(delivery.put(LINE)))
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    try:
        deadline = time.monotonic() + 20
        while len(inside) < 2000 and time.monotonic() < deadline:
            returned.append(delivery.put(b'{"kind":"step","text":"outer"}'))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert delivery.flush(20) == 0
    assert_stored_once(returned + inside, sink)


@pytest.mark.parametrize("size", [1 << 16, 1], ids=["into the same segment", "into a new one"])
def test_a_put_that_interrupts_another_one_anywhere_is_stored_once(make, size):
    """The interpreter runs finalisers and handlers between any two of its instructions; so here, at each in turn."""
    sink = Memory()
    delivery = make(sink, tuning=Tuning(first_segment_bytes=size, segment_bytes=size))
    returned = [delivery.put(LINE)]
    ours = str(Path(delivery_journal.__file__).parent)

    def put():
        returned.append(delivery.put(LINE))

    at = 1
    while with_a_turn(at, put, put, ours):
        assert delivery.flush(20) == 0
        assert len(sink.lines) == len(returned), f"lost at instruction {at}"
        at += 1
    assert delivery.flush(20) == 0
    assert_stored_once(returned, sink)
    assert at > 100


def test_a_put_beside_a_close_anywhere_in_it_is_delivered_and_starts_one_set_of_threads(make):
    """Another thread may have its turn between any two instructions; so here, at each in turn."""
    sink, returned, beside = Memory(), [], []
    delivery = make(sink)
    ours = delivery_module.__file__

    def put_beside():
        beside.append(threading.Thread(target=lambda: returned.append(delivery.put(LINE))))
        beside[-1].start()
        beside[-1].join(0.05)  # Where close holds the lock that it needs, it is done later.

    others, at = {*threading.enumerate()}, 1
    while with_a_turn(at, put_beside, lambda: delivery.close(20), ours):
        beside[-1].join()
        assert delivery.flush(20) == 0, f"nobody delivers what was put at instruction {at}"
        assert len({*threading.enumerate()} - others) in (0, 2)
        at += 1
        returned.append(delivery.put(LINE))
        assert delivery.flush(20) == 0
    delivery.close(20)
    other = make(sink)
    other.adopt()
    assert other.flush(20, adopted=True) == 0
    assert len(sink.lines) == len(returned)
    assert at > 50


def test_a_full_journal_drops_the_newest_and_reports_the_loss_when_there_is_room(make):
    sink = Memory(*[RetryLater("down")] * 1_000_000)
    tuning = Tuning(first_segment_bytes=4096, segment_bytes=4096, refused_s=0.05)
    delivery = make(sink, quota_bytes=8192, tuning=tuning)
    line = b'{"text":"%s"}' % (b"x" * 1500)
    ids = [delivery.put(line) for _ in range(6)]
    assert ids == ["a1b2-1", "a1b2-2", "a1b2-3", "a1b2-4", None, None]
    assert health.dropped() == {"journal_full": 2}
    sink._trouble.clear()
    delivery.flush(20)
    until(lambda: len(sink.lines) == 5)
    assert json.loads(sink.lines[4]) == {
        "id": "a1b2-7",
        "kind": "loss_report",
        "timestamp": "2026-01-02T03:04:05.000Z",
        "reason": "journal_full",
        "count": 2,
        "first": "a1b2-5",
        "last": "a1b2-6",
    }


def test_on_a_nearly_full_disk_what_is_delivered_at_once_has_smaller_segments_to_pass_through(
    make, root, monkeypatch, caplog
):
    free = 1 << 16  # Less than one of the usual segments, of which two are 5 % of the disk.

    def disk(_):
        return SimpleNamespace(f_blocks=320 << 16, f_frsize=1, f_bavail=free - taken(root))

    monkeypatch.setattr(os, "statvfs", disk)
    sink = Memory()
    delivery = make(sink, tuning=Tuning(first_segment_bytes=1 << 14, segment_bytes=1 << 17, sync_s=0.01))
    for _ in range(100):
        assert delivery.put(b'{"text":"%s"}' % (b"x" * 2000)) is not None
        assert delivery.flush(20) == 0
        until(lambda: len(list(root.glob("*/*.seg"))) <= 2)  # The current one, and the next.
    assert (len(sink.lines), caplog.messages) == (100, [])


def test_of_a_full_disk_there_is_one_warning(make, monkeypatch, caplog):
    refused = []
    monkeypatch.setattr(os, "posix_fallocate", lambda *_: refused.append(1) or _no_room())
    delivery = make(Memory(), tuning=Tuning(refused_s=0.0))
    assert delivery.put(LINE) is None
    until(lambda: len(refused) > 3)
    assert [message.split()[1] for message in caplog.messages] == ["journal_full;"]


def test_what_waits_for_long_takes_no_memory_of_the_program(make, root):
    tuning = Tuning(first_segment_bytes=1 << 16, segment_bytes=1 << 16)
    delivery = make(Memory(*[RetryLater("down")] * 1_000_000), tuning=tuning)
    for _ in range(40):
        delivery.put(b'{"text":"%s"}' % (b"x" * 30_000))
    assert len(list(root.glob("*/*.seg"))) >= 20
    until(lambda: Path("/proc/self/maps").read_text().count(f"{root}/") <= 2)  # The current one, and the next.
    assert delivery.flush(0.0) == 40


@pytest.mark.parametrize("room", [0, 300], ids=["no room", "a little room"])
def test_what_a_program_lost_before_it_ended_is_told_though_its_quota_is_full_to_the_last(make, room):
    tuning = Tuning(first_segment_bytes=4096, segment_bytes=4096, refused_s=3600.0, adopt_s=3600.0)
    delivery = make(Memory(*[RetryLater("down")] * 1_000_000), quota_bytes=5000, tuning=tuning)
    head = len(b'{"id":"a1b2-1",')
    line = b'{"text":"%s"}' % (b"x" * (4096 - head - room - len(b'"text":"x"}')))
    assert [delivery.put(line) for _ in range(3)] == ["a1b2-1", None, None]
    assert delivery.close(0.0) == 2
    heir = Memory()
    make(heir).adopt()
    until(lambda: len(heir.lines) == 2)
    told = json.loads(heir.lines[1])
    assert [told[key] for key in ("id", "kind", "count", "first", "last")] == [
        "a1b2-4", "loss_report", 2, "a1b2-2", "a1b2-3"
    ]  # fmt: skip


def test_without_a_writable_directory_events_go_through_memory(make, root):
    root.write_text("a file where the directory should be")
    sink = Memory()
    delivery = make(sink, tuning=Tuning(first_segment_bytes=4096, segment_bytes=4096))
    for _ in range(300):
        delivery.put(LINE)
    assert delivery.close(20) == 0
    assert len(sink.lines) == 300


def test_memory_is_bounded_and_what_it_loses_is_counted(make, root):
    root.write_text("a file where the directory should be")
    tuning = Tuning(first_segment_bytes=4096, segment_bytes=4096, memory_bytes=8192)
    delivery = make(Memory(*[RetryLater("down")] * 1_000_000), tuning=tuning)
    line = b'{"text":"%s"}' % (b"x" * 1500)
    assert [delivery.put(line) is None for _ in range(6)] == [False] * 4 + [True] * 2
    assert delivery.close(0.0) == 5  # And the report of the two.
    assert health.dropped() == {"journal_full": 2, "memory_lost": 5}


@pytest.mark.parametrize("fsync", [False, True])
def test_a_deleted_directory_costs_nothing_that_was_put(make, root, fsync):
    sink = Memory()
    delivery = make(sink, tuning=Tuning(sync_s=0.01), fsync=fsync)
    delivery.put(LINE)
    until(lambda: shutil.rmtree(root, ignore_errors=True) or not root.exists())  # Its threads are at work in there.
    until(lambda: delivery.put(LINE) and list(root.glob("*/*.seg")))
    assert delivery.close(20) == 0
    assert len(sink.lines) == int(json.loads(sink.lines[-1])["id"].removeprefix("a1b2-"))
    assert len(sink.lines) < 10_000, "only a full segment brought a new one, which a crash would not lose"


class Down(Memory):
    """A sink that never takes anything."""

    def write(self, lines):
        raise RetryLater("down")


def test_short_programs_fill_no_quota_with_room_that_they_did_not_need(make, root):
    for number in range(20):  # Each begins with a megabyte.
        run = f"run{number}"
        delivery = make(Down(), run=lambda run=run: run, quota_bytes=4 << 20, random=lambda: 1.0)
        assert delivery.put(LINE) == f"{run}-1"
        assert delivery.close(0.0) == 1
    assert len(list(root.glob("*/*.seg"))) == 20


def test_what_a_killed_program_leaves_is_cut_to_what_it_holds(make, root):
    abandon(root, "memory0:", 3)
    [left] = root.glob("*/*.seg")
    before = left.stat().st_size
    make(Down(), random=lambda: 1.0).adopt()
    assert left.stat().st_size < 1000 < before


def test_what_a_program_on_another_machine_may_still_write_to_is_not_cut(make, root):
    """Locks need not reach that far, and a program whose mapped file is cut is killed by SIGBUS."""
    abandon(root, "memory0:", 3)
    [left] = root.glob("*/*.seg")
    left = left.rename(left.with_name(left.name.replace(os.uname().nodename, f"{os.uname().nodename}-2")))
    before = left.stat().st_size
    delivery = make(Down(), random=lambda: 1.0)
    delivery.adopt()
    assert (delivery.stats()["adopted"], left.stat().st_size) == (3, before)
    assert (delivery.close(0.0), left.stat().st_size) == (0, before)


def test_fsync_brings_each_event_to_the_disk_before_put_returns(make):
    sink = Memory()
    delivery = make(sink, fsync=True)
    assert [delivery.put(LINE), delivery.put(LINE)] == ["a1b2-1", "a1b2-2"]
    assert delivery.flush(20) == 0


def abandon(root, url, count, text="x", clock=time.time):
    events = [b'{"kind":"step","n":%d,"text":"%s"}' % (number, text.encode()) for number in range(count)]
    leave(events, url, root, run=lambda: "dead", clock=clock)


def stored(path):
    return [json.loads(line)["id"] for line in Path(path).read_bytes().split(b"\n")[:-1]]


def test_the_next_process_ships_what_a_dead_one_left(root, tmp_path):
    url = f"file:{tmp_path}/genai.log"
    abandon(root, url, 3)
    delivery = Delivery([url], root, run=lambda: "next")
    delivery.put(LINE)
    until(lambda: delivery.stats()["adopted"] == 3)
    assert delivery.flush(20, adopted=True) == 0
    delivery.close(20)
    assert sorted(stored(tmp_path / "genai.log")) == ["dead-1", "dead-2", "dead-3", "next-1"]
    assert files(root) == [".json", ".lock"]


def test_what_a_dead_process_had_stored_without_noting_it_is_not_stored_twice(root, tmp_path):
    url = f"file:{tmp_path}/genai.log"
    abandon(root, url, 3)
    segment = next(root.glob("*/*.seg"))
    first, second = segment.read_bytes().split(b"\n")[:2]
    (tmp_path / "genai.log").write_bytes(first + b"\n" + second + b"\n")
    assert [report.left for report in drain(root, 20)] == [0]
    assert stored(tmp_path / "genai.log") == ["dead-1", "dead-2", "dead-3"]


@pytest.mark.parametrize("clock", [time.time, itertools.count(2e9, -3600).__next__], ids=["clock", "clock set back"])
def test_many_segments_of_a_dead_process_are_stored_in_the_order_of_its_events(root, tmp_path, clock):
    abandon(root, f"file:{tmp_path}/genai.log", 2000, "x" * 2000, clock)
    assert len(list(root.glob("*/*.seg"))) > 1
    drain(root, 20)
    assert stored(tmp_path / "genai.log") == [f"dead-{number}" for number in range(1, 2001)]


def test_a_position_is_written_before_another_thread_may_remove_its_file(tmp_path, monkeypatch):
    """Its descriptor may be that of another file by then."""
    segment = Segment.create(tmp_path / "one.seg", 4096, 1)
    segment.append(b"{", LINE)
    done, pwrite = [], os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda *given: (done.append(segment.done()), pwrite(*given))[1])
    segment.acknowledge(0, segment.used, 1)
    assert (done, segment.done()) == ([False], True)
    segment.remove()


def test_drain_delivers_to_the_sinks_the_events_were_meant_for(root, tmp_path):
    urls = [f"file:{tmp_path}/a.log", f"file:{tmp_path}/b.log"]
    for url in urls:
        abandon(root, url, 2)
    reports = drain(root, 20)
    assert sorted((report.sinks, report.delivered, report.left, report.why) for report in reports) == [
        ((urls[0],), 2, 0, None),
        ((urls[1],), 2, 0, None),
    ]
    assert stored(tmp_path / "a.log") == stored(tmp_path / "b.log") == ["dead-1", "dead-2"]


def test_drain_of_some_sinks_leaves_what_is_meant_for_others(root, tmp_path):
    urls = [f"file:{tmp_path}/a.log", f"file:{tmp_path}/b.log"]
    for url in urls:
        abandon(root, url, 2)
    [report] = drain(root, 20, only=urls[:1])
    assert (report.sinks, report.delivered, report.left) == ((urls[0],), 2, 0)
    assert not Path(tmp_path / "b.log").exists()


def test_drain_says_what_is_left_and_why(root, tmp_path):
    (tmp_path / "blocked").write_text("a file where the directory should be")
    abandon(root, f"file:{tmp_path}/blocked/genai.log", 2)
    [report] = drain(root, 3)
    assert (report.delivered, report.left, report.why) == (0, 2, "NotADirectoryError")


def test_drain_counts_what_it_had_no_time_to_adopt(make, root, tmp_path):
    (tmp_path / "blocked").write_text("a file where the directory should be")
    for number in range(40):
        dead = Delivery([f"file:{tmp_path}/blocked/genai.log"], root, run=lambda number=number: f"dead{number}")
        dead.put(LINE)
        dead.close(0.0)
    reports = []
    until(lambda: reports.append(*drain(root, 0.3)) or reports[-1].why != "too slow")  # The machine, that is.
    assert (reports[-1].delivered, reports[-1].left, reports[-1].why) == (0, 40, "NotADirectoryError")


def test_drain_leaves_the_segments_of_living_processes_alone(make, root):
    delivery = make(Memory(*[RetryLater("down")] * 1_000_000))
    delivery.put(LINE)
    assert [(report.delivered, report.left) for report in drain(root, 20)] == [(0, 0)]
    assert delivery.flush(0.0) == 1


def test_drain_of_nothing_is_nothing(root):
    assert drain(root, 1.0) == []


@pytest.mark.parametrize("said", [None, "5", '{"sinks": 5}', '{"sinks": ["file:genai.log"], "compressed": true}'])
def test_what_waits_where_nobody_says_for_which_sinks_or_a_later_version_does_is_left_alone_and_said(
    root, tmp_path, said
):
    abandon(root, f"file:{tmp_path}/genai.log", 2)
    [description] = root.glob("*/sinks.json")
    description.unlink() if said is None else description.write_text(said)
    before = {path: path.read_bytes() for path in root.glob("*/*.seg")}
    [report] = drain(root, 20)
    assert (report.delivered, report.left) == (0, 2)
    assert report.why == f"{description} is not readable to this version"
    assert waiting(root) == {}
    assert {path: path.read_bytes() for path in root.glob("*/*.seg")} == before
    assert not (tmp_path / "genai.log").exists()


def test_half_made_segments_of_the_dead_are_swept_away(make, root):
    destination = Destination.of(["memory0:"], root)
    destination.prepare()
    for name in ("a.tmp", "b.pos"):
        (destination.directory / name).write_bytes(b"x")
        os.utime(destination.directory / name, (1, 1))
    make(Memory()).adopt()
    assert files(root) == [".json", ".lock"]


def test_a_segment_that_another_machine_makes_is_left_though_its_clock_is_behind(make, root):
    destination = Destination.of(["memory0:"], root)
    destination.prepare()
    with (destination.directory / "a.tmp").open("wb") as made:
        fcntl.flock(made, fcntl.LOCK_EX)
        os.utime(made.name, (1, 1))
        make(Memory()).adopt()
        assert Path(made.name).exists()


SMALL = Tuning(first_segment_bytes=1 << 16, segment_bytes=1 << 16, linger_s=0.0)


class Picky(Memory):
    """A sink that puts off the lines that name what is `closed`, and stores all others."""

    def __init__(self, *closed):
        super().__init__()
        self.closed_lanes = set(closed)
        self.after = 30.0
        self.refused = 0

    def write(self, lines):
        off = {lane: [line for line in lines if lane in line] for lane in self.closed_lanes}
        off = {lane.decode(): waiting for lane, waiting in off.items() if waiting}
        waiting = [line for some in off.values() for line in some]
        self.offered.append(len(lines))
        self.lines += [line for line in lines if line not in waiting and line not in self.lines]
        if off:
            self.refused += 1
            raise PutOff("closed", self.after, off)
        return []


def test_lines_that_are_put_off_hold_back_no_others_and_follow_as_soon_as_they_can(make):
    sink = Picky(b"red", b"blue")
    delivery = make(sink, tuning=Tuning(batch_lines=3))
    for number in range(12):
        delivery.put(b'{"kind":"%b"}' % (b"red", b"blue", b"plain", b"plain")[number % 4])
    until(lambda: len(sink.lines) == 6)
    until(lambda: delivery.flush(0.1) == 6)
    stats = delivery.stats()["sinks"]["memory0:"]
    assert (stats["acknowledged"], stats["waiting"], stats["last_error"]) == (6, 6, "closed")
    sink.closed_lanes = {b"blue"}
    until(lambda: delivery.flush(0.1) == 3)
    assert [line for line in sink.lines if b"red" in line] == [
        b'{"id":"a1b2-%d","kind":"red"}' % number for number in (1, 5, 9)
    ]
    sink.closed_lanes = set()
    assert delivery.flush(20) == 0
    assert (len(sink.lines), len(set(sink.lines))) == (12, 12)
    stats = delivery.stats()["sinks"]["memory0:"]
    assert (stats["acknowledged"], stats["waiting"], stats["last_error"]) == (12, 0, None)


def test_what_was_put_off_when_a_program_ended_is_offered_by_the_next(make, root):
    first = Picky(b"red")
    delivery = make(first)
    for kind in (b"plain", b"red", b"plain"):
        delivery.put(b'{"kind":"%b"}' % kind)
    until(lambda: len(first.lines) == 2)
    assert delivery.close(0.5) == 1
    assert len(list(root.glob("*/*.seg"))) == 1
    second = Memory()
    second.missing = list
    other = make(second, run=lambda: "c3d4")
    other.adopt()
    until(lambda: second.lines)
    assert second.lines == [b'{"id":"a1b2-2","kind":"red"}']
    other.close(5.0)
    assert list(root.glob("*/*.seg")) == []


def test_what_is_put_off_keeps_nothing_else_in_the_journal(make, root):
    sink, other = Picky(b"red"), Memory()
    delivery = make(sink, other, tuning=SMALL, quota_bytes=8 << 16)
    red = [delivery.put(b'{"kind":"red"}')]
    for _ in range(20):  # Twice the quota
        for _ in range(10):
            delivery.put(b'{"kind":"plain","text":"%b"}' % (b"x" * 5000))
        red.append(delivery.put(b'{"kind":"red"}'))
        until(lambda: delivery.flush(0.1) == len(red))
    assert health.dropped() == {}
    assert (len(sink.lines), len(other.lines)) == (200, 221)
    delivery.close(0.5)
    left = [line for path in root.glob("*/*.seg") for line in path.read_bytes().rstrip(b"\0").splitlines()]
    assert left == [b'{"id":"%b","kind":"red"}' % identity.encode() for identity in red]


def test_what_was_put_off_for_one_sink_is_offered_to_no_other_after_a_crash(make, root):
    first = Picky(b"red"), Memory()
    delivery = make(*first)
    for kind in (b"plain", b"red"):
        delivery.put(b'{"kind":"%b"}' % kind)
    until(lambda: len(first[0].lines) + len(first[1].lines) == 3)
    assert delivery.close(0.5) == 1
    second = Memory(), Memory()
    other = make(*second, run=lambda: "c3d4")
    other.adopt()
    until(lambda: second[0].lines)
    assert other.flush(20, adopted=True) == 0
    assert [sink.lines for sink in second] == [[b'{"id":"a1b2-2","kind":"red"}'], []]


def test_orphans_are_adopted_though_many_of_them_hold_what_is_put_off(make):
    for number in range(20):
        dead = make(Picky(b"red", b"plain"), run=lambda number=number: f"dead{number}")
        for kind in (b"red", b"plain"):
            dead.put(b'{"kind":"%b"}' % kind)
        dead.close(0.0)
    sink = Picky(b"red")
    delivery = make(sink, tuning=Tuning(adopt_s=0.05))
    delivery.start()
    until(lambda: len(sink.lines) == 20)
    sink.closed_lanes = set()
    until(lambda: delivery.flush(1.0, adopted=True) == 0 and len(sink.lines) == 40)
    assert sorted(json.loads(line)["id"] for line in sink.lines) == sorted(
        f"dead{number}-{count}" for number in range(20) for count in (1, 2)
    )


def test_orphans_reach_the_sinks_that_are_well_though_many_wait_for_one_that_is_not(make):
    for number in range(40):
        dead = make(Down(), Down(), run=lambda number=number: f"dead{number}")
        dead.put(LINE)
        dead.close(0.0)
    well = Memory()
    delivery = make(Down(), well, tuning=Tuning(adopt_s=0.05))
    delivery.start()
    until(lambda: len(well.lines) == 40)
    assert sorted(json.loads(line)["id"] for line in well.lines) == sorted(f"dead{number}-1" for number in range(40))


def test_drain_counts_as_delivered_what_every_sink_has(root, tmp_path):
    (tmp_path / "blocked").write_text("no directory")
    sinks = [f"file:{tmp_path}/genai.log", f"file:{tmp_path}/blocked/genai.log"]
    for number in range(40):
        dead = Delivery(sinks, root, run=lambda number=number: f"dead{number}", tuning=Tuning(linger_s=3600.0))
        dead.put(LINE)
        dead.close(0.0)
    [report] = drain(root, 2.0)
    assert (report.delivered, report.left) == (0, 40)
    assert len(stored(tmp_path / "genai.log")) > 16, "no more was adopted than at first"


def test_what_is_put_off_without_a_time_is_offered_ever_more_seldom(make):
    sink = Picky(b"red")
    sink.after = None
    delivery = make(sink, random=lambda: 1.0, tuning=Tuning(linger_s=0.0))
    delivery.put(b'{"kind":"red"}')
    begun = time.monotonic()
    while time.monotonic() < begun + 2.0:
        stored = len(sink.lines)
        delivery.put(b'{"kind":"plain"}')
        until(lambda stored=stored: len(sink.lines) > stored)
    assert 2 <= sink.refused <= 2 + math.log2((time.monotonic() - begun) / 0.1 + 1)


def test_lines_wait_where_they_are_while_there_is_no_room_to_put_them_aside(make, root, monkeypatch):
    sink = Picky(b"red")
    delivery = make(sink, random=lambda: 0.0)
    delivery.put(b'{"kind":"plain"}')
    assert delivery.flush(20) == 0
    monkeypatch.setattr(os, "posix_fallocate", _no_room)
    delivery.put(b'{"kind":"red"}')
    until(lambda: delivery.stats()["sinks"]["memory0:"]["last_error"] == "journal_failing")
    assert (delivery.flush(0.1), health.dropped()) == (1, {})
    sink.closed_lanes = set()
    assert delivery.flush(20) == 0
    assert sink.lines == [b'{"id":"a1b2-1","kind":"plain"}', b'{"id":"a1b2-2","kind":"red"}']


def _no_room(*_):
    raise OSError(errno.ENOSPC, "full")


def test_finalisers_that_put_into_each_others_deliveries_do_not_wait_for_the_start_of_one(make, monkeypatch):
    running, new = make(Memory()), make(Memory(), run=lambda: "other")
    running.put(LINE)
    inside = threading.Barrier(2)

    def put(into, other, mine):
        def turn():
            with suppress(threading.BrokenBarrierError):
                inside.wait(0.2)  # Where one may be in the middle of its start, and the other of its put, both go on.
            other.put(LINE)

        mine.turn = turn
        into.put(LINE)

    starts, puts = turns_before(monkeypatch, Crew, "hire"), turns_before(monkeypatch, Segment, "append")
    orders = (new, running, starts), (running, new, puts)
    putting = [threading.Thread(target=put, args=order, daemon=True) for order in orders]
    for thread in putting:
        thread.start()
    for thread in putting:
        thread.join(10)
    assert not any(thread.is_alive() for thread in putting), "each waits for the other"
    assert (running.flush(20), new.flush(20)) == (0, 0)
    assert (running.stats()["accepted"], new.stats()["accepted"]) == (3, 2)
