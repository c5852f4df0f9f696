"""Work that waits until after the call: in order, bounded, and never in the way."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from functools import partial

import pytest

from flywheel_log.health import health
from flywheel_log.pipeline.sample import Sampler
from flywheel_log.process import threads
from flywheel_log.process.background import WAITING_AT_MOST, BackgroundWorker
from tests.delivery.turns import with_a_turn


def test_items_are_worked_on_in_their_order_in_another_thread() -> None:
    done: list[tuple[int, bool]] = []
    worker = BackgroundWorker[int]("test", lambda item: done.append((item, threading.current_thread().daemon)))
    for number in range(3):
        worker.put(number)
    assert (worker.flush(10), done) == (True, [(0, True), (1, True), (2, True)])


def test_no_thread_is_started_before_there_is_work() -> None:
    before = {*threading.enumerate()}
    assert BackgroundWorker[int]("idle", print).flush(0)
    assert {*threading.enumerate()} <= before


def test_a_failure_is_counted_and_the_rest_is_done() -> None:
    done: list[float] = []
    worker = BackgroundWorker[float]("test", lambda item: done.append(1 / item))
    for number in (0, 1):
        worker.put(number)
    worker.flush(10)
    assert (done, health.dropped()) == ([1.0], {"test_failed": 1})


def test_what_is_too_much_is_left_out_and_counted() -> None:
    go = threading.Event()
    worker = BackgroundWorker[int]("test", lambda _: go.wait(10))
    for number in range(WAITING_AT_MOST + 5):
        worker.put(number)
    left_out = health.dropped()["test_left_out"]
    patient = worker.flush(0.01)
    go.set()
    assert (left_out in (4, 5), patient, worker.flush(10)) == (True, False, True)


def test_what_has_not_begun_at_the_end_is_counted_and_not_done() -> None:
    begun, go = threading.Event(), threading.Event()
    done: list[int] = []

    def work(item: int) -> None:
        begun.set()
        go.wait(10)
        done.append(item)

    worker = BackgroundWorker[int]("test", work)
    for number in range(4):
        worker.put(number)
    begun.wait(10)
    worker.close(0.01)
    go.set()
    assert (worker.flush(10), done, health.dropped()) == (True, [0], {"test_left_out": 3})


def test_work_that_flushes_does_not_wait_for_itself() -> None:
    flushed: list[bool] = []
    worker: BackgroundWorker[int] = BackgroundWorker("test", lambda _: flushed.append(worker.flush(None)))
    worker.put(1)
    assert (worker.flush(10), flushed) == (True, [True])


def test_who_is_not_needed_any_more_goes() -> None:
    """Each `configure()` makes new ones, and a hook of the interpreter's for forks would keep all of them."""
    made = [BackgroundWorker[int]("test", print), Sampler(0.5, 0)]
    gone = [weakref.ref(one) for one in made]
    made.clear()
    gc.collect()
    assert [one() for one in gone] == [None, None]


def test_a_forked_child_begins_anew() -> None:
    worker = BackgroundWorker[int]("test", os._exit)
    other = BackgroundWorker[int]("other", lambda _: None)
    other.put(0)
    other.flush(10)
    child = os.fork()
    if child == 0:
        worker.put(7)
        worker.flush(10)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.timeout(30)
def test_a_close_that_interrupts_a_flush_anywhere_does_not_hang() -> None:
    """As in the handler of a signal."""
    go = threading.Event()
    worker = BackgroundWorker[int]("test", lambda _: go.wait(60))
    worker.put(0)
    try:
        at = 1
        while with_a_turn(at, partial(worker.close, 0.0), partial(worker.flush, 0.001), ""):
            at += 1
    finally:
        go.set()
    assert (at > 10, worker.flush(10)) == (True, True)


def test_a_finaliser_that_puts_while_the_thread_is_started_starts_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    worker, starts = BackgroundWorker[int]("test", print), list[str]()

    def start(name: str, _: object) -> threading.Thread:
        starts.append(name)
        if len(starts) == 1:
            worker.put(2)
        return threading.Thread()

    monkeypatch.setattr(threads, "start", start)
    worker.put(1)
    assert starts == ["test"]
