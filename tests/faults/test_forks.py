"""Forks at any moment, pools of workers and every way to exit: each process delivers its own events, once."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading

import pytest

from flywheel_log.delivery import Delivery, drain
from flywheel_log.delivery.tuning import Tuning

from .oracle import NOTHING_WRONG, Program, outlived, rounds, stored, until, verdict

LINE = b'{"kind":"step","text":"%s"}' % (b"x" * 500)


@pytest.fixture
def places(tmp_path):
    return tmp_path / "journal", tmp_path / "genai.log"


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_children_forked_under_writing_threads_deliver_their_own(places, tmp_path):
    root, log = places
    delivery = Delivery([f"file:{log}"], root, tuning=Tuning(first_segment_bytes=1 << 15, segment_bytes=1 << 15))
    returned, done = [], threading.Event()

    def write():
        while not done.wait(0.0005):
            returned.append(delivery.put(LINE))

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    reader, writer = os.pipe()
    children = 0
    for _ in range(rounds(40, 500)):
        child = os.fork()
        if child == 0:
            os.write(writer, f"{delivery.put(LINE)}\n".encode())
            delivery.close(5.0)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        children += 1
    done.set()
    for thread in threads:
        thread.join()
    os.close(writer)
    with os.fdopen(reader) as ids:
        theirs = ids.read().split()
    assert delivery.close(20) == 0
    drain(root, 20)
    assert len(theirs) == children
    assert verdict(returned + theirs, stored(log)) == NOTHING_WRONG
    assert len({identity.split("-")[0] for identity in returned + theirs}) == children + 1


def test_a_child_that_outlives_its_parent_does_not_keep_the_parents_segments(places):
    root, log = places

    def put():
        delivery = Delivery([f"file:{log}"], root, run=lambda: "parent", tuning=Tuning(linger_s=3600.0))
        delivery.put(LINE)
        return delivery

    with outlived(put):
        assert [(report.delivered, report.left) for report in drain(root, 20)] == [(1, 0)]
    assert stored(log) == {"parent-1": 1}


def work(delivery):
    return [delivery.put(LINE) for _ in range(50)]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_workers_of_multiprocessing_lose_nothing(places, method):
    root, log = places
    with multiprocessing.get_context(method).Pool(3, initializer=_begin, initargs=(str(root), str(log))) as pool:
        returned = [identity for ids in pool.map(_work, range(6)) for identity in ids]
    drain(root, 20)
    assert (len(returned), verdict(returned, stored(log))) == (300, NOTHING_WRONG)


def _begin(root, log):
    global _delivery  # noqa: PLW0603 - what a pool's initializer is for
    from pathlib import Path

    _delivery = Delivery([f"file:{log}"], Path(root))


def _work(_number):
    return work(_delivery)


def test_a_prefork_server_delivers_from_each_worker(places):
    root, log = places
    delivery = Delivery([f"file:{log}"], root)
    master = [delivery.put(LINE)]
    reader, writer = os.pipe()
    workers = []
    for _ in range(4):
        worker = os.fork()
        if worker == 0:
            os.write(writer, ("\n".join(work(delivery)) + "\n").encode())
            signal.pause()
        workers.append(worker)
    os.close(writer)
    returned = []
    with os.fdopen(reader) as ids:
        returned = [ids.readline().strip() for _ in range(200)]
    for worker in workers:
        os.kill(worker, signal.SIGTERM)
        os.waitpid(worker, 0)
    delivery.close(20)
    drain(root, 20)
    assert verdict(master + returned, stored(log)) == NOTHING_WRONG


EXITS = {
    "end": "",
    "sys.exit": "import sys; sys.exit(3)",
    "os._exit": "os._exit(0)",
    "exception": "raise SystemError",
    "abort": "os.abort()",
    "SIGTERM": "os.kill(os.getpid(), 15)",
    "SIGINT": "os.kill(os.getpid(), 2)",
    "SIGKILL": "os.kill(os.getpid(), 9)",
    "exec": "os.execv('/bin/true', ['true'])",
    "in a thread": 'threading.Thread(target=lambda: delivery.put(b\'{"kind":"step"}\')).start()',
    "in atexit": 'import atexit; atexit.register(lambda: delivery.put(b\'{"kind":"step"}\'))',
    "closed at exit": "import atexit; atexit.register(delivery.close, 2.0)",
}


@pytest.mark.parametrize("way", EXITS)
def test_every_way_to_exit_keeps_what_was_accepted(places, way):
    root, log = places
    program = (
        "import os, threading\nfrom pathlib import Path\nfrom flywheel_log.delivery import Delivery\n"
        f"delivery = Delivery(['file:{log}'], Path({str(root)!r}), run=lambda: 'run')\n"
        'for _ in range(20): delivery.put(b\'{"kind":"step"}\')\n' + EXITS[way]
    )
    subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, timeout=60)
    drain(root, 20)
    expected = 21 if way.startswith("in ") else 20
    assert stored(log) == {f"run-{number}": 1 for number in range(1, expected + 1)}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_sixteen_processes_share_one_log_that_is_renamed_under_them(places):
    root, log = places
    programs = [
        Program(root, f"file:{log}", "--size", 200, "--count", rounds(200, 2_500), "--close") for _ in range(16)
    ]
    until(log.exists)
    renamed = []
    while any(program.is_running() for program in programs):
        target = log.with_name(f"genai.log.{len(renamed) + 100}")
        if log.exists():
            log.rename(target)
            renamed.append(target)
        until(lambda: log.exists() or not any(program.is_running() for program in programs))
    returned = [identity for program in programs for identity in program.wait()]
    drain(root, 60)
    assert verdict(returned, stored(*renamed, *filter(lambda path: path.exists(), [log]))) == NOTHING_WRONG
    assert len(renamed) > 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_sixteen_processes_rotate_one_log_together(places):
    root, log = places
    url = f"file:{log}?rotate_mb=1&keep=1000"
    programs = [Program(root, url, "--size", 2000, "--count", rounds(200, 2_500), "--close") for _ in range(16)]
    returned = [identity for program in programs for identity in program.wait()]
    drain(root, 60)
    assert verdict(returned, stored(*log.parent.glob("genai.log*"))) == NOTHING_WRONG
