"""Threads of ours at the end of the interpreter, when none is started any more."""

from __future__ import annotations

import subprocess
import sys

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
