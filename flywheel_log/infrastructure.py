"""What the machine was doing during a call: host, process, CPU, memory, GPU; sampled now and then, not per call."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from queue import Empty
from typing import Any

from .event import JSON, Event
from .health import health
from .process import threads
from .process.forks import loading
from .process.threads import Queue

INTERVAL_S = 10.0
FIRST_S = 1.0
_MB = 1 << 20

Gauge = Callable[[], JSON]


class Machine:
    """Knows host and pid at once, and the values of the gauges once its thread has read them.

    Args:
        gauges: makes the gauges, in the thread.
        interval_s: seconds between two looks.
        first_s: seconds from making the gauges to the first look; percents are about the time between.
    """

    def __init__(
        self, gauges: Callable[[], list[Gauge]], interval_s: float = INTERVAL_S, first_s: float = FIRST_S
    ) -> None:
        self._gauges = gauges
        self._interval_s = interval_s
        self._first_s = first_s
        self._lock = threading.RLock()
        self._latest: JSON | None = None
        # Of the thread. An event would do, but `set` in the handler of a signal that interrupts `set` hangs.
        self._ending: Queue[None] = Queue()
        os.register_at_fork(after_in_child=self._forget)

    def latest(self) -> JSON:
        """Return what is known; the first call starts the thread. Do not change the result."""
        return self._latest or self._start()

    def stop(self) -> None:
        """Stop the thread, until the next `latest`."""
        with self._lock:
            ending, self._ending = self._ending, Queue()
            self._latest = None
        ending.put(None)

    def _forget(self) -> None:
        self._lock = threading.RLock()
        self._ending = Queue()  # Where threads are greenlets, a forked child has the one of its parent, too.
        self._latest = None

    def _start(self) -> JSON:
        with self._lock:
            if (latest := self._latest) is not None:
                return latest
            self._latest = latest = {"host": socket.gethostname(), "pid": os.getpid()}
            ending = self._ending
        # Without the lock: a finaliser may want it in the new thread, before that has begun.
        threads.start("machine", self._look, latest, ending)
        return latest

    def _look(self, known: JSON, ending: Queue[None]) -> None:
        gauges = self._gauges()
        _wait(ending, self._first_s if gauges else 0)
        while gauges and ending is self._ending:
            found = dict(known)
            for gauge in gauges:
                try:
                    found |= gauge()
                except Exception as error:  # noqa: BLE001 - a driver that fails is no reason to look no more
                    health.drop("infrastructure", error)
            with self._lock:
                if ending is not self._ending:
                    return
                self._latest = found
            _wait(ending, self._interval_s)


def _wait(ending: Queue[None], seconds: float) -> None:
    with suppress(Empty):
        ending.get(timeout=seconds)


def installed() -> list[Gauge]:
    """Return the gauges that this machine has: psutil and nvidia-ml-py come with the extra `flywheel-log[infra]`."""
    gauges: list[Gauge] = []
    try:
        gauges.append(processor(_loaded("psutil")))
    except ImportError:
        return gauges
    except Exception as error:  # noqa: BLE001 - where /proc cannot be read, as below another root, it finds no process
        health.drop("infrastructure", error)
    try:
        pynvml = _loaded("pynvml")
        pynvml.nvmlInit()
        gauges.append(graphics(pynvml))
    except Exception:  # noqa: BLE001 - not installed, or no driver (the library's own errors): no GPU to look at
        return gauges
    return gauges


def _loaded(module: str) -> Any:
    with loading():
        return import_module(module)


def processor(psutil: Any) -> Gauge:
    """Return the gauge of this process and the whole machine: percents, megabytes."""
    own = psutil.Process()
    own.cpu_percent(None)  # The first answer is always 0; the next ones are about the time since the one before.
    psutil.cpu_percent(None)

    def look() -> JSON:
        return {
            "cpu_percent": own.cpu_percent(None),
            "memory_mb": round(own.memory_info().rss / _MB, 1),
            "machine_cpu_percent": psutil.cpu_percent(None),
            "machine_memory_percent": psutil.virtual_memory().percent,
        }

    return look


def graphics(nvml: Any) -> Gauge:
    """Return the gauge of NVIDIA's GPUs: percents, megabytes."""
    handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]

    def look() -> JSON:
        return {"gpus": [_gpu(nvml, handle) for handle in handles]} if handles else {}

    return look


def _gpu(nvml: Any, handle: Any) -> JSON:
    name, memory = nvml.nvmlDeviceGetName(handle), nvml.nvmlDeviceGetMemoryInfo(handle)
    return {
        "name": name.decode() if isinstance(name, bytes) else name,
        "busy_percent": nvml.nvmlDeviceGetUtilizationRates(handle).gpu,
        "memory_used_mb": round(memory.used / _MB),
        "memory_total_mb": round(memory.total / _MB),
    }


machine = Machine(installed)
"""The one this process runs on."""


def stamp(_: Any, __: str, event: Event) -> Event:
    """Put into *event*, which is made here and now, what is known of the machine."""
    event["infrastructure"] = machine.latest()
    return event
