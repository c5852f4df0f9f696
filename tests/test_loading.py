"""A process that forks while a thread of ours imports something has children that can import it, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SLOW = """
import threading, time
threading.main_thread().begun.set()
time.sleep(0.5)
VALUE = 1
"""
FORKS = """
import os, sys, threading
import flywheel_log.delivery
from flywheel_log.loading import loading

sys.path.insert(0, sys.argv[1])
begun = threading.main_thread().begun = threading.Event()

def load():
    with loading():
        import slow

threading.Thread(target=load).start()
begun.wait()
child = os.fork()
if child == 0:
    import slow
    os._exit(slow.VALUE)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
IN_A_LOADING_THREAD = """
import os, threading
import flywheel_log.delivery
from flywheel_log.loading import loading

def fork():
    with loading():
        child = os.fork()
        if child == 0:
            with loading():
                os._exit(1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

thread = threading.Thread(target=fork)
thread.start()
thread.join()
with loading():
    pass
"""


def printed(program: str, *arguments: str) -> str:
    run = [sys.executable, "-c", program, *arguments]
    return subprocess.run(run, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_a_child_imports_what_a_thread_was_importing_when_it_was_born(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    assert printed(FORKS, str(tmp_path)) == "1"


def test_what_is_imported_may_fork() -> None:
    assert printed(IN_A_LOADING_THREAD) == "1"
