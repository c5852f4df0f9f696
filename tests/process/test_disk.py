"""What survives a power failure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flywheel_log.delivery.destination import Destination
from flywheel_log.process import disk


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The inodes of what was synced, and how many bytes there were."""
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fsync", lambda fd: found.append((os.fstat(fd).st_ino, os.fstat(fd).st_size)))
    return found


def test_a_file_is_on_the_disk_when_it_is_written_and_its_owners_alone(tmp_path: Path, synced: list[tuple[int, int]]):
    disk.write(tmp_path / "a", [b"one\n", b"two\n"])
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert synced == [((tmp_path / "a").stat().st_ino, 8)]


def test_a_journal_is_described_on_the_disk_itself(tmp_path: Path, synced: list[tuple[int, int]]):
    """Its segments would be delivered by nobody after a power failure that the description did not survive."""
    destination = Destination.of(["stdout:"], tmp_path)
    destination.prepare()
    [description] = destination.directory.iterdir()
    assert [inode for inode, _ in synced] == [description.stat().st_ino, destination.directory.stat().st_ino]
