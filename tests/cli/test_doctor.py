"""The doctor and what stands in the way on this machine: each is seen before events wait for it, with what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Ran

Command = Callable[..., Ran]


def test_a_machine_on_which_all_is_right_has_nothing_to_mend(command: Command, tmp_path: Path):
    ran = command("doctor")
    assert (ran.code, ran.out.splitlines()[-2:]) == (
        0,
        [f"ok   the journal {tmp_path}/journal", "ok   the file genai.log, which is created with the first event"],
    )


def test_a_journal_whose_quota_leaves_no_room_for_a_segment_is_seen(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FLYWHEEL_LOG_JOURNAL_QUOTA_MB", "16")
    used = tmp_path / "journal/somebody/segment"
    used.parent.mkdir(parents=True)
    used.parent.parent.chmod(0o700)
    used.touch()
    with used.open("r+b") as file:
        file.truncate((15 << 20) + 1)
    assert (
        f"FIX  the journal {tmp_path}/journal: the journal's quota is used up, so events are dropped; "
        "deliver what waits with `flywheel-log drain`, or set FLYWHEEL_LOG_JOURNAL_QUOTA_MB to more than 16"
    ) in command("doctor").out.splitlines()


QUEUE = """
from contextlib import ExitStack as Queue
from flywheel_log.sinks import Finding

def open(url):
    return Queue()

def check(url):
    yield Finding("the queue's server")
    yield Finding("the queue", f"it is full: empty {url}")
    {}["its workers"]
"""


def test_a_sink_of_another_package_says_itself_whether_it_is_well(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    about = tmp_path / "queue_sink-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: queue-sink\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[flywheel_log.sinks]\nqueue = queue_sink:open\n")
    (tmp_path / "queue_sink.py").write_text(QUEUE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", "queue:calls")
    assert command("doctor").out.splitlines()[-3:] == [
        "ok   the queue's server",
        "FIX  the queue: it is full: empty queue:calls",
        "FIX  the sink queue:: KeyError: 'its workers'",
    ]


def test_a_disk_without_room_for_what_waits_is_seen(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "genai.log").touch(mode=0o600)
    room = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room._replace(free=1000))
    assert command("doctor").out.splitlines()[-1] == (
        "FIX  the file genai.log: its disk is nearly full, so events wait in the journal; free some space"
    )
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room._replace(free=1 << 30))
    assert command("doctor").out.splitlines()[-1] == "ok   the file genai.log"


def test_a_directory_in_the_place_of_the_file_is_seen_and_not_to_be_closed_to_others(command: Command, tmp_path: Path):
    (tmp_path / "genai.log").mkdir(mode=0o755)
    assert command("doctor").out.splitlines()[-1] == (
        "FIX  the file genai.log: it is a directory; name the log in it, such as file:genai.log/genai.log"
    )


def test_a_link_to_where_nothing_can_be_made_is_seen(command: Command, tmp_path: Path):
    (tmp_path / "genai.log").symlink_to(tmp_path / "volume" / "genai.log")
    assert command("doctor").out.splitlines()[-1] == (
        f"FIX  the file genai.log: it is a link to {tmp_path}/volume/genai.log, whose directory does not exist; make "
        "that, or name another in FLYWHEEL_LOG_SINKS"
    )
    (tmp_path / "volume").mkdir()
    assert command("doctor").out.splitlines()[-1] == "ok   the file genai.log, which is created with the first event"


def test_a_device_is_not_to_be_closed_to_others(command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", "file:/dev/null")
    assert command("doctor").out.splitlines()[-1] == (
        "ok   the pipe or device /dev/null, from which nothing can be read back"
    )


def test_a_file_that_cannot_be_made_is_seen_before_it_is_wanted(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "logs").touch(mode=0o600)
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", f"file:{tmp_path}/logs/genai.log")
    assert command("doctor").out.splitlines()[-1] == (
        f"FIX  the file {tmp_path}/logs/genai.log, which is created with the first event: {tmp_path}/logs cannot be "
        "written; make it writable, or name another file in FLYWHEEL_LOG_SINKS"
    )
