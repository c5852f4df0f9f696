"""What a power failure may cost: nothing leaves the journal before it is on the disk itself, where a sink has one."""

import errno
import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from flywheel_log.delivery import Delivery, drain
from flywheel_log.delivery.tuning import Tuning
from flywheel_log.health import health
from flywheel_log.process.disk import boot
from flywheel_log.sinks import Sink
from tests.faults.oracle import until

from .dying import leave

LINE = b'{"kind":"step","text":"hello"}'


class Disk(Sink):
    """A sink whose lines are lost in a power failure until they were synced."""

    linger_s = 0.0

    def __init__(self, root, trouble=0):
        self.root = root
        self.lines, self.safe = [], []
        self.journals = []
        self._trouble = trouble

    def write(self, lines):
        self.lines += lines
        return ()

    def missing(self, lines):
        return [line for line in lines if line not in self.lines]

    def sync(self):
        journal = b"".join(path.read_bytes() for path in self.root.glob("*/*.seg"))
        self.journals.append((self.lines[len(self.safe) :], journal))
        if self._trouble:
            self._trouble -= 1
            raise OSError(errno.EIO, "injected")
        self.safe = list(self.lines)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "journal"


def delivered(root, sink, **options):
    delivery = Delivery(["disk:"], root, open_sink=lambda _: sink, random=lambda: 0.0, **options)
    for _ in range(50):
        delivery.put(LINE)
    return delivery


def left(root):
    lines = []
    for path in root.glob("*/*.seg"):
        with suppress(FileNotFoundError):  # The journal has let go of it just now.
            lines += path.read_bytes().rstrip(b"\0").splitlines()
    return lines


def test_a_line_is_in_the_journal_until_it_was_synced(root):
    sink = Disk(root)
    small = Tuning(first_segment_bytes=1000, segment_bytes=1000)
    assert delivered(root, sink, tuning=small).close(20) == 0
    for wanted, journal in sink.journals:
        assert [line for line in wanted if line not in journal] == []
    assert (len(sink.journals) > 1, len(sink.safe), left(root)) == (True, 50, [])


def test_what_cannot_be_synced_stays_in_the_journal(root):
    sink = Disk(root, trouble=1000)
    delivery = delivered(root, sink)
    assert delivery.flush(20) == 0
    until(lambda: delivery.stats()["sinks"]["disk:"]["last_error"])
    assert delivery.stats()["sinks"]["disk:"]["last_error"] == "OSError EIO"
    assert delivery.close(20) == 0
    assert (len(sink.lines), sink.safe, left(root)) == (50, [], sink.lines)
    heir = Disk(root)
    heir.lines = list(sink.lines)
    other = Delivery(["disk:"], root, open_sink=lambda _: heir)
    other.adopt()
    assert other.flush(20, adopted=True) == 0
    until(lambda: heir.safe)  # The dead process had it acknowledged, so nothing waits.
    other.close(20)
    assert (len(heir.lines), heir.safe, left(root)) == (50, heir.lines, [])
    assert health.dropped() == {}


def test_a_sync_that_failed_is_not_tried_again_for_each_segment_that_is_full(root):
    sink = Disk(root, trouble=1)
    delivery = delivered(root, sink, tuning=Tuning(first_segment_bytes=1000, segment_bytes=1000, sync_s=3600.0))
    assert delivery.flush(20) == 0
    until(lambda: delivery.stats()["sinks"]["disk:"]["last_error"])
    assert (len(sink.journals), delivery.close(20), len(sink.safe), left(root)) == (1, 0, 50, [])


def test_what_many_short_programs_left_is_synced_at_once(root):
    for _ in range(10):
        leave([LINE], "disk:", root)
    sink = Disk(root)
    sink.linger_s = 3600.0
    delivery = Delivery(["disk:"], root, open_sink=lambda _: sink)
    delivery.adopt()
    assert delivery.flush(20, adopted=True) == 0
    until(lambda: left(root) == [])
    assert (len(sink.safe), len(sink.journals), delivery.close(20)) == (10, 1, 0)


def test_after_a_restart_of_the_machine_a_log_is_believed_and_no_position(root, tmp_path):
    """The position may have come to the disk, and the lines that it speaks of not."""
    log = tmp_path / "genai.log"
    child = os.fork()
    if child == 0:
        delivery = Delivery([f"file:{log}"], root, run=lambda: "dead")
        for _ in range(3):
            delivery.put(LINE)
        delivery.flush(20)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0])
    [positions] = root.glob("*/*.pos")
    noted = positions.read_bytes()
    positions.write_bytes(noted.replace(boot(), bytes(reversed(boot()))))
    assert positions.read_bytes() != noted
    drain(root, 20)
    assert log.read_bytes().splitlines(keepends=True) == lines
    assert [json.loads(line)["id"] for line in lines] == ["dead-1", "dead-2", "dead-3"]


def test_what_a_dead_process_wrote_is_synced_by_its_heir(root, tmp_path, monkeypatch):
    log = tmp_path / "genai.log"
    child = os.fork()
    if child == 0:
        delivery = Delivery([f"file:{log}"], root, run=lambda: "dead", tuning=Tuning(sync_s=3600.0))
        delivery.put(LINE)
        delivery.flush(20)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    synced, fsync = [], os.fsync

    def told(fd):
        synced.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", told)
    drain(root, 20)
    assert str(log) in synced
    assert left(root) == []
