"""Where journals are kept: in the state directory, or where a user without a home has one to himself."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import flywheel_log
from flywheel_log import config
from flywheel_log.process.state_directory import state_directory

RECORD_AND_DIE = """
import os, signal, flywheel_log
@flywheel_log.logged_llm(workload_id="echo")
def echo(text): return text
echo("hello")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a user without a home gets; the folder it is in is there, the home is a file."""
    (tmp_path / "home").write_text("")
    (tmp_path / "tmp").mkdir()
    for name in ("XDG_STATE_HOME", "FLYWHEEL_LOG_JOURNAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path / "tmp" / f"flywheel-log-{os.geteuid()}"


def test_a_user_with_a_home_has_it_in_the_state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert state_directory() == tmp_path / "state" / "flywheel-log"
    assert not (tmp_path / "state").exists()


def test_a_user_without_one_has_it_among_the_temporary_files_alone(temporary: Path) -> None:
    assert [state_directory(), state_directory()] == [temporary] * 2
    assert temporary.stat().st_mode & 0o777 == 0o700
    assert config.load().journal == temporary / "journal"


def test_a_folder_that_others_can_open_is_not_used(temporary: Path) -> None:
    temporary.mkdir(0o755)
    assert state_directory() == temporary.parents[1] / "home" / ".local" / "state" / "flywheel-log"


def test_a_link_to_somebody_elses_folder_is_not_followed(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "trap").mkdir(0o700)
    temporary.symlink_to(tmp_path / "trap")
    assert state_directory() != temporary


def test_whoever_has_neither_is_told_the_setting(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert state_directory() == temporary
    temporary.chmod(0o755)
    with pytest.raises(ValueError, match="is not ours alone; set FLYWHEEL_LOG_JOURNAL"):
        config.load()


def test_a_call_of_a_user_without_a_home_survives_kill_9(temporary: Path, tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", RECORD_AND_DIE], cwd=tmp_path, check=False, timeout=60)
    assert (died.returncode, len([*temporary.rglob("*.seg")])) == (-signal.SIGKILL, 1)
    subprocess.run([sys.executable, "-m", "flywheel_log", "drain"], cwd=tmp_path, check=True, timeout=60)
    assert [event["workload_id"] for event in flywheel_log.read(tmp_path / "genai.log")] == ["echo"]
