"""Running totals of all calls of this process, by workload and model: cheap enough to count every call as it ends."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping
from operator import add
from typing import Any, NamedTuple

from .event import JSON
from .health import health

Figures = Callable[[JSON], JSON]

CALLS = ("llm", "embedding", "moderation")
"""The kinds of events that are calls of a model; the others are not counted."""

MOST_SERIES = 1000
"""Series of this process at most; calls of further ones are counted under the workload `other`."""

MOST_NOTED = 1000
"""Calls that wait to be counted at most; one more, and the call itself counts them."""

# The boundaries that OpenTelemetry's conventions for generative AI advise; seconds and tokens.
DURATIONS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
FIRST_TOKENS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
TOKENS = tuple(4**power for power in range(14))


class Key(NamedTuple):
    """What calls are counted by. `error` is the class of the error, empty where there was none."""

    workload_id: str
    provider: str
    model: str
    surface: str
    error: str


class Histogram:
    """How often values fell between *bounds* (upper ones, inclusive), their number and their sum."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self.counts)

    def add(self, value: float) -> None:
        """Count *value*."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def join(self, other: Histogram) -> None:
        """Count what *other*, of the same bounds, has counted."""
        self.counts = [*map(add, self.counts, other.counts)]
        self.sum += other.sum


class Series:
    """The calls of one key: durations in seconds, tokens, retries."""

    def __init__(self) -> None:
        self.duration = Histogram(DURATIONS)
        self.first_token = Histogram(FIRST_TOKENS)
        self.input_tokens = Histogram(TOKENS)
        self.output_tokens = Histogram(TOKENS)
        self.cached_tokens = self.reasoning_tokens = self.retries = self.incomplete = 0
        self.cost_usd = 0.0
        self.priced = 0

    def add(self, get: Callable[[str], Any]) -> None:
        """Count one call, of whose fields *get* returns one, or None."""
        self.duration.add((get("latency_ms") or 0.0) / 1000)
        if (first := get("time_to_first_token_ms")) is not None:
            self.first_token.add(first / 1000)
        if (tokens := get("input_tokens")) is not None:
            self.input_tokens.add(tokens)
        if (tokens := get("output_tokens")) is not None:
            self.output_tokens.add(tokens)
        if few := get("cached_tokens"):
            self.cached_tokens += few
        if few := get("reasoning_tokens"):
            self.reasoning_tokens += few
        if few := get("retries"):
            self.retries += few
        if get("status") == "incomplete":
            self.incomplete += 1
        if (cost := get("cost_usd")) is not None:
            self.cost_usd += cost
            self.priced += 1

    def join(self, other: Series) -> None:
        """Count what *other* has counted."""
        for name, value in vars(self).items():
            more = getattr(other, name)
            value.join(more) if isinstance(value, Histogram) else setattr(self, name, value + more)

    def copy(self) -> Series:
        """Return a series that stays as it is."""
        copied = Series()
        copied.join(self)
        return copied


class Meter:
    """Counts calls, whatever becomes of their records: also those that sampling or a processor drops.

    A call is noted by whoever makes it, which costs next to nothing, and counted by the next `settle`.

    Attributes:
        listeners: told of each call when it is counted, by the names it is counted under; they must neither raise nor
            take their time.
    """

    def __init__(self) -> None:
        self._noted: deque[tuple[JSON, str, Figures]] = deque()
        self._lock = threading.RLock()  # The end of a dropped stream may be counted by the garbage collector, anywhere.
        self._settling = threading.RLock()
        self._series: dict[Key, Series] = {}
        self._quick: dict[tuple[str | None, ...], tuple[Key, Series]] = {}
        self.listeners: list[Callable[[Mapping[str, Any]], object]] = []

    def note(self, event: JSON, workload_id: str, figures: Figures) -> None:
        """Have the call *event* counted soon, with what *figures* finds in it; it must not change any more."""
        self._noted.append((event, workload_id, figures))
        if len(self._noted) > MOST_NOTED and self._settling.acquire(blocking=False):
            try:
                self._settle()
            finally:
                self._settling.release()

    def settle(self) -> None:
        """Count what was noted; when it returns, all of that is counted, by whichever thread."""
        with self._settling:
            self._settle()

    def _settle(self) -> None:
        while self._noted:
            try:
                event, workload_id, figures = self._noted.popleft()
            except IndexError:  # Another thread was faster.
                return
            try:
                self.add(event | figures(event), workload_id)
            except Exception as error:  # noqa: BLE001 - what is missing are figures; the next calls are counted
                health.drop("meter", error)

    def add(self, event: Mapping[str, Any], workload_id: str) -> None:
        """Count the call *event*; *workload_id* where it names none."""
        get = event.get
        error = get("error")
        # As a plain tuple, equal to its Key, and found in half the time that it takes to make one.
        key = (
            get("workload_id") or workload_id,
            get("provider"),
            get("model"),
            get("surface"),
            error["type"] if error else "",
        )
        with self._lock:
            counted = self._quick.get(key)
            if counted is None:
                counted = self._quick[key] = self._new(Key(*(part or "" for part in key)))
            named, series = counted
            series.add(get)
        for listener in tuple(self.listeners):  # Another thread may take one out.
            listener({**event, "workload_id": named.workload_id, "model": named.model})

    def _new(self, key: Key) -> tuple[Key, Series]:
        if len(self._quick) > MOST_SERIES:
            self._quick.clear()
        if len(self._series) >= MOST_SERIES and key not in self._series:
            key = key._replace(workload_id="other", model="other")
        return key, self._series.setdefault(key, Series())

    def series(self) -> dict[Key, Series]:
        """Return the totals so far, as they are now."""
        self.settle()
        with self._lock:
            return {key: series.copy() for key, series in list(self._series.items())}

    def reset(self) -> None:
        """Start over with a new lock; a forked child calls this, for the parent goes on counting its own calls."""
        self._lock = threading.RLock()
        self._settling = threading.RLock()
        self._noted = deque()
        self._series = {}
        self._quick = {}


meter = Meter()
"""The process's own."""
os.register_at_fork(after_in_child=meter.reset)
