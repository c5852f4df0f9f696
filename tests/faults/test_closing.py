"""A fork in the middle of a close: it takes nothing with it, and nobody waits for ever."""

import subprocess
import sys
import threading

from flywheel_log.delivery import Delivery, drain
from flywheel_log.sinks import open_sink

from .oracle import outlived, stored

LINE = b'{"kind":"step"}'


def test_a_child_forked_while_a_sink_hangs_at_close_does_not_keep_the_parents_segments(tmp_path):
    root, log = tmp_path / "journal", tmp_path / "genai.log"

    def close():
        sink = open_sink(f"file:{log}")
        at_work = threading.Event()
        sink.write = lambda _lines: (at_work.set(), threading.Event().wait())
        delivery = Delivery([f"file:{log}"], root, run=lambda: "parent", open_sink=lambda _url: sink)
        delivery.put(LINE)
        at_work.wait(30)
        delivery.close(0.0)
        return delivery

    with outlived(close):
        assert [(report.delivered, report.left) for report in drain(root, 20)] == [(1, 0)]
    assert stored(log) == {"parent-1": 1}


# Who registers first is asked last: when a fork holds all that it waits for, another thread ends what close has begun.
FORK_IN_CLOSE = """
import os, sys, threading
parent, closing, go_on = os.getpid(), threading.Event(), threading.Event()
def inside():
    go_on.set()
    closer.join(0.3)
os.register_at_fork(before=inside)
from pathlib import Path
from flywheel_log.delivery import Delivery

def run():
    if closing.is_set():
        return "child" if os.getpid() != parent else "other"
    if threading.current_thread() is not threading.main_thread():
        closing.set()
        go_on.wait(30)
        return "next"
    return "first"

delivery = Delivery([sys.argv[1]], Path(sys.argv[2]), run=run)
delivery.put(b'{"kind":"step"}')
closer = threading.Thread(target=delivery.close, args=(5.0,), daemon=True)
closer.start()
closing.wait(30)
child = os.fork()
if child == 0:
    print(delivery.put(b'{"kind":"step"}'), delivery.close(5.0), flush=True)
    os._exit(0)
os.waitpid(child, 0)
closer.join(20)
print(closer.is_alive(), delivery.put(b'{"kind":"step"}'), delivery.close(5.0), flush=True)
"""


def test_a_fork_in_the_middle_of_a_close_holds_neither_up(tmp_path):
    root, log = tmp_path / "journal", tmp_path / "genai.log"
    command = [sys.executable, "-c", FORK_IN_CLOSE, f"file:{log}", str(root)]
    done = subprocess.run(command, check=False, capture_output=True, timeout=120, text=True)
    assert (done.stdout.splitlines(), done.stderr) == (["child-1 0", "False next-1 0"], "")
    assert stored(log) == {"first-1": 1, "child-1": 1, "next-1": 1}
    assert list(root.glob("*/*.seg")) == []
