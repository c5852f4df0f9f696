"""What survives a power failure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flywheel_log.process import disk


def test_a_file_is_on_the_disk_when_it_is_written_and_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append((os.fstat(fd).st_ino, os.fstat(fd).st_size)))
    disk.write(tmp_path / "a", [b"one\n", b"two\n"])
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert synced == [((tmp_path / "a").stat().st_ino, 8)]
