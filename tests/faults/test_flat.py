"""Records without ids, all alike: a crash beside the write to a flat log neither loses one nor stores one twice."""

import subprocess
import sys

import pytest

from flywheel_log.delivery import drain

# Logs three records and has them delivered, then three more, whose write it does not survive.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from flywheel_log.delivery import Delivery
from flywheel_log.delivery.tuning import Tuning
from flywheel_log.sinks import open_sink

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def mortal(url):
    sink = open_sink(url)
    write, batches = sink.write, []

    def mortal_write(lines):
        batches.append(lines)
        if len(batches) == 2 and sys.argv[3] == "before":
            die()
        left = write(lines)
        return die() if len(batches) == 2 else left

    sink.write = mortal_write
    return sink

delivery = Delivery([sys.argv[1]], Path(sys.argv[2]), tuning=Tuning(linger_s=0.05), open_sink=mortal)
for _ in range(2):
    for _ in range(3):
        delivery.put(b'{"kind":"step","timestamp":"2026-01-31T12:00:00.000Z"}')
    delivery.flush(5.0)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("rotated", [False, True], ids=["", "rotated"])
def test_equal_records_are_stored_as_often_as_they_were_logged(moment, rotated, tmp_path):
    root, log = tmp_path / "journal", tmp_path / "genai.log"
    killed = subprocess.run([sys.executable, "-c", PROGRAM, f"file:{log}?format=flat", str(root), moment], check=False)
    assert killed.returncode == -9
    assert len(log.read_bytes().splitlines()) == {"before": 3, "after": 6}[moment]
    if rotated:
        log.rename(f"{log}.1")
    assert [(report.left, report.why) for report in drain(root, 30)] == [(0, None)]
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("genai.log*")).splitlines()
    assert (len(stored), len(set(stored))) == (6, 1)
