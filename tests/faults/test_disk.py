"""Disks that fill up, refuse, fail at the n-th call or hand back garbage: callers never notice, the rest survives."""

import errno
import json
import os
import subprocess
from pathlib import Path

import pytest

from flywheel_log.delivery import Delivery, drain
from flywheel_log.delivery.tuning import Tuning
from flywheel_log.health import health

from .oracle import NOTHING_WRONG, rounds, stored, until, verdict

LINE = b'{"kind":"step","text":"%s"}' % (b"x" * 1000)
SMALL = Tuning(first_segment_bytes=1 << 14, segment_bytes=1 << 14, refused_s=0.02, linger_s=0.0, sync_s=0.02)
CALLS = ["open", "write", "pwrite", "pread", "fsync", "fstat", "rename", "posix_fallocate", "ftruncate", "statvfs"]


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of two megabytes, where the machine lets us; else give a journal with that quota."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", place], check=False).returncode == 0
    yield place
    if mounted:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_drops_the_newest_and_recovers(small_disk, tmp_path):
    blocked = tmp_path / "logs"
    blocked.write_text("for now the log cannot be written")
    log = blocked / "genai.log"
    delivery = Delivery([f"file:{log}"], small_disk / "journal", quota_bytes=1 << 21, tuning=SMALL, random=lambda: 0.01)
    answers = [delivery.put(LINE) for _ in range(4000)]
    returned = [identity for identity in answers if identity]
    assert 0 < len(returned) < 4000
    assert health.dropped() == {"journal_full": 4000 - len(returned)}
    blocked.unlink()
    until(lambda: delivery.flush(1.0) == 0)
    until(lambda: reported(log) >= 4000 - len(returned))
    assert reported(log) == 4000 - len(returned)
    assert delivery.put(LINE) is not None
    assert delivery.close(20) == 0
    assert verdict(returned, stored(log)) == NOTHING_WRONG


def reported(log):
    """How many events the loss reports in *log* speak of; they may come in parts."""
    return sum(json.loads(line)["count"] for line in log.read_bytes().splitlines() if b'"loss_report"' in line)


def test_a_log_on_a_full_disk_is_never_left_with_half_a_line(small_disk, tmp_path):
    log = small_disk / "genai.log"
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 1_900_000)
    delivery = Delivery([f"file:{log}"], tmp_path / "journal", tuning=SMALL, random=lambda: 0.01)
    returned = [delivery.put(LINE) for _ in range(400)]
    delivery.flush(0.3)
    filler.unlink()
    assert delivery.close(20) == 0
    assert verdict(returned, stored(log)) == NOTHING_WRONG
    assert len(log.read_bytes().splitlines()) == 400


@pytest.mark.parametrize("name", CALLS)
def test_the_nth_call_to_the_operating_system_may_fail(tmp_path, monkeypatch, name):
    real = getattr(os, name)
    for nth in range(1, rounds(6, 40) + 1):
        calls = 0

        def failing(*arguments, nth=nth, **options):
            nonlocal calls
            calls += 1
            if calls == nth:
                raise OSError(errno.EIO, "injected")
            return real(*arguments, **options)

        log = tmp_path / f"{nth}.log"
        delivery = Delivery([f"file:{log}"], tmp_path / "journal", tuning=SMALL, random=lambda: 0.0)
        monkeypatch.setattr(os, name, failing)
        returned = [delivery.put(LINE) for _ in range(60)]
        left = delivery.close(20)
        monkeypatch.setattr(os, name, real)
        drain(tmp_path / "journal", 20)
        returned = [identity for identity in returned if identity]
        assert (nth, left, verdict(returned, stored(log))) == (nth, 0, NOTHING_WRONG)
        assert len(returned) >= 59


def test_any_damaged_byte_costs_at_most_the_lines_it_is_in(tmp_path):
    root, log = tmp_path / "journal", tmp_path / "genai.log"
    child = os.fork()
    if child == 0:
        delivery = Delivery([f"file:{log}"], root, run=lambda: "dead", tuning=Tuning(linger_s=3600.0))
        for number in range(3):
            delivery.put(b'{"kind":"step","n":%d}' % number)
        os._exit(0)
    os.waitpid(child, 0)
    segment = next(root.glob("*/*.seg"))
    original = segment.read_bytes()
    used = original.rfind(b"\n") + 1
    lines = original[:used].splitlines(keepends=True)
    for at in range(0, used, max(1, used // rounds(48, used))):
        for garbage in (b"\0", b"\n", b"\xff"):
            log.unlink(missing_ok=True)
            segment.write_bytes(original[:at] + garbage + original[at + 1 :])
            [report] = drain(root, 20)
            hit = len(original[:at].splitlines(keepends=True)) - (0 if original[:at].endswith(b"\n") or at == 0 else 1)
            spoilt = {f"dead-{hit + 1}"}
            if original[at : at + 1] == b"\n":
                spoilt.add(f"dead-{hit + 2}")
            safe = {f"dead-{number + 1}" for number in range(len(lines))} - spoilt
            counts = stored(log) if log.exists() else {}
            assert (at, garbage, safe - set(counts), report.left) == (at, garbage, set(), 0)
            assert max(counts.values(), default=0) <= 1


def test_a_read_only_directory_is_memory_and_one_warning(tmp_path, caplog):
    log = tmp_path / "genai.log"
    # Root may write anywhere but there: the kernel's own file system takes no directory of ours.
    delivery = Delivery([f"file:{log}"], Path("/proc/journal"), tuning=SMALL)
    returned = [delivery.put(LINE) for _ in range(100)]
    assert delivery.close(20) == 0
    assert verdict(returned, stored(log)) == NOTHING_WRONG
    assert [record.message.partition(";")[0] for record in caplog.records if "writable" in record.message] == [
        "flywheel_log: the journal is not writable, so a crash loses events"
    ]


def test_a_file_system_that_cannot_preallocate_is_written_to_without_a_map(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.EOPNOTSUPP, "injected")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    log = tmp_path / "genai.log"
    delivery = Delivery([f"file:{log}"], tmp_path / "journal", tuning=SMALL)
    returned = [delivery.put(LINE) for _ in range(100)]
    assert delivery.close(20) == 0
    assert verdict(returned, stored(log)) == NOTHING_WRONG
