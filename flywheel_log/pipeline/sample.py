"""Sample: keep a share of the calls, whole traces at a time, and always what is rare or failed."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from ..event import Event
from ..process import forks
from ..process.randomness import rng

_OTHERS = "*"
_SPAN = 1 << 64
_WINDOW_S = 3600
_TRACES = 10_000  # Remembered at once: those that are still going on are among the latest.


class Sampler:
    """A processor that drops events by chance; what it keeps says at which rate, so that counts can be scaled up.

    The trace decides where there is one, so its calls stay together, in every process. Errors, feedback, incomplete
    calls and the first events of a workload in an hour are kept always, the latter with the rest of their traces; their
    `sample_rate` is 1.

    Args:
        share: of the calls, 0 to 1; or shares by workload, `"*"` for all others (1 where it is not there).
        first: how many events of each workload are kept each hour whatever the share.
        clock: seconds.
        random: floats in [0, 1), for events without a trace.
    """

    def __init__(
        self,
        share: float | Mapping[str, float],
        first: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = rng.random,
    ) -> None:
        self._shares = dict(share) if isinstance(share, Mapping) else {_OTHERS: share}
        self._first = first
        self._clock = clock
        self._random = random
        self._admitted: OrderedDict[str, None] = OrderedDict()
        self.forget()
        forks.watch(self)

    def forget(self) -> None:
        """Begin anew, as in a forked child, where nobody gives the lock back; the parent tells what was left out."""
        self._lock = threading.RLock()  # The end of a dropped stream may come from the garbage collector, anywhere.
        self._hour = 0
        self._seen: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return any(share < 1 for share in self._shares.values())

    def __call__(self, _: Any, __: str, event: Event) -> Event:
        """Let *event* pass, with its `sample_rate`.

        Raises:
            structlog.DropEvent: it is not in the sample.
        """
        workload = event.get("workload_id", "")
        share = self._shares.get(workload, self._shares.get(_OTHERS, 1.0))
        if share >= 1:
            return event
        if _matters(event) or self._is_among_first(workload, event.get("trace_id")):
            share = 1.0
        elif self._draw(event) >= share:
            self._drop(workload)
        event["sample_rate"] = share
        return event

    def left_out(self) -> dict[str, int]:
        """How many events were dropped, by workload."""
        with self._lock:
            return dict(self._left_out)

    def _is_among_first(self, workload: str, trace: str | None) -> bool:
        with self._lock:
            hour = int(self._clock() // _WINDOW_S)
            if hour != self._hour:
                self._hour = hour
                self._seen.clear()
            self._seen[workload] += 1
            if trace in self._admitted:
                return True
            is_first = self._seen[workload] <= self._first
            if is_first and trace:
                self._admit(trace)
            return is_first

    def _admit(self, trace: str) -> None:
        self._admitted[trace] = None
        if len(self._admitted) > _TRACES:
            self._admitted.popitem(last=False)

    def _draw(self, event: Event) -> float:
        trace = event.get("trace_id")
        if not trace:
            return self._random()
        return int.from_bytes(blake2b(trace.encode(), digest_size=8).digest()) / _SPAN

    def _drop(self, workload: str) -> None:
        import structlog

        with self._lock:
            self._left_out[workload] += 1
        raise structlog.DropEvent


def _matters(event: Event) -> bool:
    return event.get("kind") in ("feedback", "loss_report") or event.get("status") in ("error", "incomplete")
