"""What is known of the machine, with and without its gauges."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

import flywheel_log
from flywheel_log.event import JSON
from flywheel_log.health import health
from flywheel_log.infrastructure import Gauge, Machine, graphics, installed, processor
from tests.delivery.turns import with_a_turn

HERE = {"host": socket.gethostname(), "pid": os.getpid()}


def test_without_gauges_host_and_pid_are_known() -> None:
    assert Machine(list).latest() == HERE


def test_below_another_root_where_no_process_is_found_there_is_no_gauge_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def raises() -> None:
        raise psutil.NoSuchProcess(1)

    monkeypatch.setattr(psutil, "Process", raises)
    assert [gauge for gauge in installed() if "memory_mb" in gauge()] == []
    assert health.dropped()["infrastructure"] == 1


def test_gauges_are_asked_in_a_thread_now_and_then() -> None:
    asked = threading.Semaphore(0)

    def gauge() -> JSON:
        asked.release()
        return {"cpu_percent": 7.0}

    machine = Machine(lambda: [gauge], interval_s=0.001, first_s=0)
    machine.latest()
    assert [asked.acquire(timeout=10) for _ in range(3)] == [True] * 3
    assert machine.latest() == {**HERE, "cpu_percent": 7.0}
    machine.stop()


def test_a_stop_that_interrupts_another_one_anywhere_does_not_hang() -> None:
    machine = Machine(lambda: [lambda: {"cpu_percent": 7.0}])
    moments: list[int] = []

    def interrupted() -> None:
        for moment in itertools.count(1):
            machine.latest()
            if not with_a_turn(moment, machine.stop, machine.stop, ""):
                moments.append(moment)
                return

    thread = threading.Thread(target=interrupted, daemon=True)
    thread.start()
    thread.join(20)
    assert len(moments) == 1, "hangs"
    assert moments[0] > 20


def test_between_the_making_of_a_gauge_and_its_first_answer_there_is_time_to_measure() -> None:
    moments: list[float] = []
    asked = threading.Event()

    def gauge() -> JSON:
        moments.append(time.monotonic())
        asked.set()
        return {}

    def made() -> list[Gauge]:
        moments.append(time.monotonic())
        return [gauge]

    machine = Machine(made, first_s=0.2)
    machine.latest()
    assert asked.wait(10)
    machine.stop()
    assert moments[1] - moments[0] >= 0.2


def test_a_machine_that_is_stopped_before_its_first_look_is_not_looked_at() -> None:
    made, asked = threading.Event(), threading.Event()

    def gauge() -> JSON:
        asked.set()
        return {}

    def gauges() -> list[Gauge]:
        made.set()
        return [gauge]

    before = set(threading.enumerate())
    machine = Machine(gauges, first_s=60)
    machine.latest()
    assert made.wait(10)
    machine.stop()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert not asked.is_set()


def test_a_gauge_that_fails_is_counted_and_the_others_go_on() -> None:
    asked = threading.Semaphore(0)

    def broken() -> JSON:
        raise OSError("driver")

    def sound() -> JSON:
        asked.release()
        return {}

    machine = Machine(lambda: [broken, sound], interval_s=0.001, first_s=0)
    machine.latest()
    assert [asked.acquire(timeout=10) for _ in range(2)] == [True] * 2
    machine.stop()
    assert health.dropped()["infrastructure"] >= 1


def test_psutil_tells_cpu_and_memory() -> None:
    found = processor(psutil)()
    assert {key: type(value) for key, value in found.items()} == {
        "cpu_percent": float,
        "memory_mb": float,
        "machine_cpu_percent": float,
        "machine_memory_percent": float,
    }
    assert found["memory_mb"] > 1


def test_every_gpu_is_told() -> None:
    nvml: Any = SimpleNamespace(
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetName=lambda index: ["H100", b"A100"][index],
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(used=1 << 30, total=80 << 30),
        nvmlDeviceGetUtilizationRates=lambda index: SimpleNamespace(gpu=50 + index),
    )
    assert graphics(nvml)() == {
        "gpus": [
            {"name": "H100", "busy_percent": 50, "memory_used_mb": 1024, "memory_total_mb": 81920},
            {"name": "A100", "busy_percent": 51, "memory_used_mb": 1024, "memory_total_mb": 81920},
        ]
    }


def test_every_event_tells_where_it_was_made_unless_that_is_off() -> None:
    for setting in ("on", "off"):
        flywheel_log.configure(infrastructure=setting)
        with flywheel_log.trace(setting):
            pass
        assert flywheel_log.flush() == 0
    on, off = flywheel_log.read()
    assert ({key: on["infrastructure"][key] for key in HERE}, "infrastructure" in off) == (HERE, False)
