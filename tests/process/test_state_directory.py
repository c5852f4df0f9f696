"""Where journals are kept: in the state directory, or where a user without a home has one to himself."""

from __future__ import annotations

import errno
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
from flywheel_log.cli import run
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


@pytest.fixture
def nowhere(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that is read-only throughout, and a user that the system does not know."""

    def nobody(_: int) -> None:
        raise KeyError

    def read_only() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(tempfile, "gettempdir", read_only)


def test_a_user_whom_the_system_does_not_know_has_it_among_the_temporary_files(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", lambda _: {}[0])
    assert state_directory() == temporary


def test_a_program_that_can_write_nowhere_delivers_from_memory_and_says_so_once(
    nowhere: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flywheel_log.configure(sinks=[f"file:{tmp_path}/volume/genai.log"])
    flywheel_log.log_feedback("run-1", thumbs="up")
    assert flywheel_log.flush() == 0
    assert [event["kind"] for event in flywheel_log.read(tmp_path / "volume" / "genai.log")] == ["feedback"]
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        "flywheel_log: the journal is not writable, so a crash loses events"
    ]


def test_where_nothing_can_be_written_elasticsearch_is_still_a_sink_and_doctor_says_what_to_do(
    nowhere: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FLYWHEEL_LOG_JOURNAL", raising=False)
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", "elasticsearch://127.0.0.1:1/llm-logs")
    assert run(["doctor"]) == 1
    assert next(line for line in capsys.readouterr().out.splitlines() if "journal" in line) == (
        "FIX  the journal /dev/null/flywheel-log/journal: /dev/null cannot be written, so events wait in memory, and a "
        "crash loses them; name another place in FLYWHEEL_LOG_JOURNAL"
    )


def test_a_call_of_a_user_without_a_home_survives_kill_9(temporary: Path, tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", RECORD_AND_DIE], cwd=tmp_path, check=False, timeout=60)
    assert (died.returncode, len([*temporary.rglob("*.seg")])) == (-signal.SIGKILL, 1)
    subprocess.run([sys.executable, "-m", "flywheel_log", "drain"], cwd=tmp_path, check=True, timeout=60)
    assert [event["workload_id"] for event in flywheel_log.read(tmp_path / "genai.log")] == ["echo"]
