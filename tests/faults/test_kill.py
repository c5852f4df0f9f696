"""Killed at any moment, as often as you like: every event whose put returned is in the file, exactly once."""

import random
import time

import pytest

from flywheel_log.delivery import drain

from .oracle import NOTHING_WRONG, Program, rounds, stored, verdict


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("size", "hogs", "threads"),
    [(2_000, 0, 1), (2_000, 2, 2), (300_000, 0, 1)],
    ids=["2 KB", "2 KB, two threads and two CPU hogs", "300 KB"],
)
def test_what_was_accepted_before_kill_9_is_stored_once_after_the_next_start(tmp_path, size, hogs, threads):
    root, log = tmp_path / "journal", tmp_path / "genai.log"
    moments = random.Random(size + hogs)
    returned = []
    for _ in range(rounds(4, 50)):
        program = Program(root, f"file:{log}", "--size", size, "--hogs", hogs, "--threads", threads)
        program.await_first()
        time.sleep(moments.uniform(0, 0.3))
        returned += program.kill()
    assert [(report.left, report.why) for report in drain(root, 600)] == [(0, None)]
    assert verdict(returned, stored(log)) == NOTHING_WRONG
    assert list(root.glob("*/*.seg")) == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_an_adopter_may_be_killed_as_well(tmp_path):
    root, log, blocked = tmp_path / "journal", tmp_path / "logs" / "genai.log", tmp_path / "logs"
    blocked.write_text("for now the log cannot be written")
    returned = []
    for _ in range(3):
        returned += Program(root, f"file:{log}", "--count", 1500).wait()
    blocked.unlink()
    moments = random.Random(1)
    for _ in range(rounds(5, 50)):
        adopter = Program(root, f"file:{log}", "--count", 1)
        adopter.await_first()
        time.sleep(moments.uniform(0, 0.1))
        returned += adopter.kill()
    drain(root, 600)
    assert verdict(returned, stored(log)) == NOTHING_WRONG


def test_a_program_that_just_ends_loses_nothing(tmp_path):
    root, log = tmp_path / "journal", tmp_path / "genai.log"
    returned = Program(root, f"file:{log}", "--count", 500).wait()
    drain(root, 600)
    assert (len(returned), verdict(returned, stored(log))) == (500, NOTHING_WRONG)


def test_a_program_that_closes_leaves_nothing_to_drain(tmp_path):
    root, log = tmp_path / "journal", tmp_path / "genai.log"
    returned = Program(root, f"file:{log}", "--count", 500, "--close").wait()
    assert verdict(returned, stored(log)) == NOTHING_WRONG
    assert list(root.glob("*/*.seg")) == []
