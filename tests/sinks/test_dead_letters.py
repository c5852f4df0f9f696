"""The file of dead letters on disks that are full, that fail, or that lose their power."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from flywheel_log.sinks.elasticsearch.dead_letters import DeadLetter, bury, letters, resend

LETTERS = [DeadLetter("2026-01-31T10:00:00Z", "mapper_parsing_exception", "", b'{"id":"run-%d"}' % n) for n in range(3)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    bury(tmp_path / "letters.jsonl", LETTERS)
    return tmp_path / "letters.jsonl"


def test_letters_that_a_disk_does_not_take_stay_as_they_were_with_nothing_half_made_beside_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        resend(path, lambda refused: refused[:1])
    assert [*letters(path)] == LETTERS
    assert [*path.parent.iterdir()] == [path]


def test_what_is_sent_again_leaves_the_disk_only_when_the_rest_and_its_name_are_on_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, int]] = []

    def fsync(fd: int) -> None:
        synced.append((os.fstat(fd).st_ino, path.stat().st_size))

    monkeypatch.setattr(os, "fsync", fsync)
    before = path.stat().st_size
    resend(path, lambda refused: refused[:1])
    after = path.stat()
    assert synced == [(after.st_ino, before), (path.parent.stat().st_ino, after.st_size)]
    assert [*letters(path)] == LETTERS[:1]


def test_folders_made_for_letters_are_their_owners_alone(tmp_path: Path) -> None:
    bury(tmp_path / "deep" / "er" / "letters.jsonl", LETTERS)
    assert [one.stat().st_mode & 0o777 for one in (tmp_path / "deep", tmp_path / "deep" / "er")] == [0o700, 0o700]
