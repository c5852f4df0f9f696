"""What survives a power failure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flywheel_log.process import disk
from flywheel_log.sinks.elasticsearch.dead_letters import DeadLetter, bury, letters, resend


def test_a_file_is_on_the_disk_when_it_is_written_and_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced = watched(monkeypatch)
    disk.write(tmp_path / "a", [b"one\n", b"two\n"])
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert synced == [((tmp_path / "a").stat().st_ino, 8)]


def test_letters_that_are_kept_are_on_the_disk_before_the_old_ones_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "deep" / "er" / "dead.jsonl"
    kept, sent = (DeadLetter("2026-01-31T10:00:00Z", "refused", "why", b'{"id":"%d"}' % one) for one in (1, 2))
    bury(path, [kept, sent])
    synced = watched(monkeypatch)
    resend(path, lambda _: [kept])
    assert [*letters(path)] == [kept]
    assert [inode for inode, _ in synced] == [path.stat().st_ino, path.parent.stat().st_ino]
    assert path.parent.parent.stat().st_mode & 0o777 == 0o700


def watched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    synced: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append((os.fstat(fd).st_ino, os.fstat(fd).st_size)))
    return synced
