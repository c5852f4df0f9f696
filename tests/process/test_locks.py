"""A child that is forked while another thread is in a block of ours does not wait for that thread."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from flywheel_log.process.locks import Lock

FIRST_CALL = """
import os, signal, threading
import flywheel_log
from flywheel_log import config

begun, ended = threading.Event(), threading.Event()
load = config.load

@flywheel_log.logged_llm
def ask(prompt):
    return "an answer"

def slow(**settings):
    begun.set()
    ended.wait()
    return load(**settings)

config.load = slow
thread = threading.Thread(target=ask, args=("the parent's",))
thread.start()
begun.wait()
child = os.fork()
if child == 0:
    signal.alarm(10)
    config.load = load
    ask("the child's")
    os._exit(flywheel_log.stats()["accepted"])
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
ended.set()
"""


@pytest.fixture
def lock():
    return Lock()


def in_child(work) -> int:
    """Return the signal that a forked child got that does *work*; 0 if it came to an end, in a few seconds."""
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        work()
        os._exit(0)
    return -os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_child_makes_its_first_call_though_the_parent_was_at_its_own(tmp_path):
    environment = os.environ | {"FLYWHEEL_LOG_JOURNAL": str(tmp_path / "journal")}
    run = [sys.executable, "-c", FIRST_CALL]
    said = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=20, check=True)
    assert said.stdout == "1\n"


def test_a_lock_that_another_thread_holds_is_free_in_a_child(lock):
    def use():
        with lock:
            pass

    held, done = threading.Event(), threading.Event()

    def hold():
        with lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        assert in_child(use) == 0
    finally:
        done.set()
        thread.join()


def test_a_block_in_which_the_process_forks_ends_in_the_child_too(lock):
    with lock:
        child = os.fork()
        if child:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    if not child:
        os._exit(7)


def test_a_lock_keeps_others_out_and_lets_its_thread_in_again(lock):
    entered = threading.Event()

    def enter():
        with lock:
            entered.set()

    with lock, lock:
        thread = threading.Thread(target=enter)
        thread.start()
        assert not entered.wait(0.05)
    thread.join()
    assert entered.is_set()
