"""Several processes finish what one dead one left: in its order, and once, whichever of them dies in turn."""

import subprocess
import sys
import threading
from pathlib import Path

from flywheel_log.delivery import Delivery, drain
from flywheel_log.delivery.keeper import MOST_ADOPTED
from flywheel_log.delivery.tuning import Tuning
from flywheel_log.sinks import open_sink

from .oracle import NOTHING_WRONG, stored, until, verdict

SMALL = Tuning(first_segment_bytes=1 << 12, segment_bytes=1 << 12, linger_s=0.0, adopt_s=3600.0)

# Logs a hundred events that its sink never gets, in segments of four or five, and dies.
DEAD = """
import os, sys
from pathlib import Path
from flywheel_log.delivery import Delivery
from flywheel_log.delivery.tuning import Tuning
tuning = Tuning(first_segment_bytes=1 << 12, segment_bytes=1 << 12, linger_s=3600.0)
delivery = Delivery([sys.argv[1]], Path(sys.argv[2]), tuning=tuning)
for _ in range(100):
    print(delivery.put(b'{"kind":"step","text":"%b"}' % (b"x" * 800)), flush=True)
os._exit(0)
"""

# Adopts once, and is killed between the write to the log and the note of how far it came.
KILLED = """
import os, signal, sys
from pathlib import Path
from flywheel_log.delivery import Delivery
from flywheel_log.delivery.tuning import Tuning
from flywheel_log.sinks import open_sink

def mortal(url):
    sink = open_sink(url)
    write = sink.write
    sink.write = lambda lines: (write(lines), os.kill(os.getpid(), signal.SIGKILL))
    return sink

delivery = Delivery([sys.argv[1]], Path(sys.argv[2]), tuning=Tuning(linger_s=0.0, adopt_s=3600.0), open_sink=mortal)
delivery.adopt()
delivery.flush(60.0, adopted=True)
"""


def run(program: str, url: str, root: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program, url, str(root)], stdout=subprocess.PIPE, check=False, timeout=60, text=True
    )
    return done.stdout.split()


def slow_adopter(url: str, root: Path) -> tuple[Delivery, threading.Event]:
    """A process that holds as many segments as it takes at once, and writes when it is let."""
    may_write, at_work = threading.Event(), threading.Event()

    def slow(url):
        sink = open_sink(url)
        write, sink.write = sink.write, lambda lines: (at_work.set(), may_write.wait(60), write(lines))[-1]
        return sink

    first = Delivery([url], root, tuning=SMALL, open_sink=slow)
    first.adopt()
    until(at_work.is_set)
    return first, may_write


def test_a_second_adopter_of_a_run_that_dies_after_its_write_stores_nothing_twice(tmp_path):
    root, log = tmp_path / "journal", tmp_path / "genai.log"
    url = f"file:{log}"
    returned = run(DEAD, url, root)
    assert len(list(root.glob("*/*.seg"))) > MOST_ADOPTED
    first, may_write = slow_adopter(url, root)
    run(KILLED, url, root)
    may_write.set()
    assert first.flush(60, adopted=True) == 0
    first.close(2.0)
    assert [(report.left, report.why) for report in drain(root, 60)] == [(0, None)]
    assert verdict(returned, stored(log)) == NOTHING_WRONG
    assert list(stored(log)) == returned


def test_what_another_process_must_deliver_first_is_waited_for_and_told(tmp_path):
    root, log = tmp_path / "journal", tmp_path / "genai.log"
    url = f"file:{log}"
    returned = run(DEAD, url, root)
    first, may_write = slow_adopter(url, root)
    held = first.stats()["adopted"]
    [report] = drain(root, 0.3)
    assert (report.delivered, report.left, report.why) == (0, 100 - held, "another process is delivering them")
    threading.Timer(0.3, may_write.set).start()
    assert [(report.delivered, report.left) for report in drain(root, 60)] == [(100 - held, 0)]
    assert list(stored(log)) == returned
    first.close(2.0)
