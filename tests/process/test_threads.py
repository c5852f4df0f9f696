"""Threads of ours at the end of the interpreter, when none is started any more."""

from __future__ import annotations

import subprocess
import sys

import pytest

STARTS_ONE_AT_THE_END = """
from flywheel_log.process import threads

class Last:
    def __del__(self, start=threads.start):
        print("started", start("late", print))

last = Last()
"""


def test_a_program_ends_where_its_last_object_would_start_a_thread():
    done = subprocess.run(
        [sys.executable, "-c", STARTS_ONE_AT_THE_END], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "started None\n"


WAITS_FOR_A_SIGNAL = """
import os, signal, sys
{patch}
from flywheel_log.process import threads

at_work = threads.Queue()
done = threads.Queue()

def work():
    at_work.put(None)
    done.get()

thread = threads.start("waits", work)
at_work.get()
before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.kill(os.getpid(), signal.SIGTERM)
done.put(None)
thread.join()
print(signal.sigwait([signal.SIGTERM]).name, sorted(before))
"""


@pytest.mark.parametrize("patch", ["", "from gevent import monkey; monkey.patch_all()"])
def test_a_signal_that_a_program_blocks_and_waits_for_comes_to_it(patch: str) -> None:
    if patch:
        pytest.importorskip("gevent")
    program = WAITS_FOR_A_SIGNAL.format(patch=patch)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "SIGTERM []\n"
