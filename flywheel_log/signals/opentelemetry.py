"""`export_metrics()`: every call as OpenTelemetry's own metrics for generative AI, through the program's provider."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..meter import DURATIONS, FIRST_TOKENS, TOKENS, meter
from ..process.background import BackgroundWorker
from ..process.locks import Lock
from ..semconv import operation_of

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, MeterProvider


_EXIT_SECONDS = 1.0
_MOST_WAITING = 20_000  # Calls are counted together, once a second or a thousand at a time.
_MEASURED = (
    *("surface", "provider", "model", "error", "workload_id", "latency_ms", "time_to_first_token_ms"),
    *("input_tokens", "output_tokens", "cost_usd"),
)


_running: list[Export] = []
_lock = Lock()


class Export:
    """What `export_metrics` began. Calls are handed to OpenTelemetry in a thread of its own, not in the caller's."""

    def __init__(self, provider: MeterProvider) -> None:
        self.provider = provider
        scope = provider.get_meter("flywheel_log")
        self._duration = scope.create_histogram(
            "gen_ai.client.operation.duration", "s", "Duration of calls", explicit_bucket_boundaries_advisory=DURATIONS
        )
        self._first_token = scope.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "Time to the first token of streams",
            explicit_bucket_boundaries_advisory=FIRST_TOKENS,
        )
        self._tokens = scope.create_histogram(
            "gen_ai.client.token.usage", "{token}", "Tokens of calls", explicit_bucket_boundaries_advisory=TOKENS
        )
        self._cost = scope.create_counter("flywheel_log.cost", "USD", "Dollars spent, as far as prices are known")
        self._worker: BackgroundWorker[Mapping[str, Any]] = BackgroundWorker("metrics", self._count, _MOST_WAITING)
        self.flush = self._worker.flush
        meter.settle()  # The calls before are not exported.
        meter.listeners.append(self._put)
        atexit.register(self._settle, _EXIT_SECONDS)  # After that of the provider, so that it is called before.

    def stop(self) -> None:
        """Export no more calls; those so far are exported."""
        with _lock:
            if self not in _running:
                return
            _running.remove(self)
        self._settle(None)
        meter.listeners.remove(self._put)
        atexit.unregister(self._settle)

    def _put(self, event: Mapping[str, Any]) -> None:
        """Have *event* counted later; what was said is not kept until then."""
        self._worker.put({key: event[key] for key in _MEASURED if key in event})

    def _settle(self, timeout: float | None) -> None:
        meter.settle()
        self.flush(timeout)

    def _count(self, event: Mapping[str, Any]) -> None:
        attributes = _attributes(event)
        _record(self._duration, event.get("latency_ms"), attributes, 1000)
        _record(self._first_token, event.get("time_to_first_token_ms"), attributes, 1000)
        for kind in ("input", "output"):
            _record(self._tokens, event.get(f"{kind}_tokens"), attributes | {"gen_ai.token.type": kind}, 1)
        if (cost := event.get("cost_usd")) is not None:
            self._cost.add(cost, attributes)


def export_metrics(provider: MeterProvider | None = None) -> Export:
    """Record every call from now on in the metrics that OpenTelemetry's conventions for generative AI name.

    Asked twice for the same provider, it returns the export that is under way: no call is counted twice.

    These are `gen_ai.client.operation.duration`, `gen_ai.client.operation.time_to_first_chunk` (the first one with
    something in it) and `gen_ai.client.token.usage`, by workload, operation, provider, model
    and class of error; and `flywheel_log.cost`, which they do not name yet.

    Args:
        provider: takes the metrics; the program's global one by default.

    Raises:
        ImportError: OpenTelemetry is not installed; `pip install 'flywheel-log[otel]'` does it.
    """
    try:
        from opentelemetry.metrics import get_meter_provider
    except ImportError:
        raise ImportError("OpenTelemetry is not installed; `pip install 'flywheel-log[otel]'` does it") from None
    provider = provider or get_meter_provider()
    with _lock:
        for export in _running:
            if export.provider is provider:
                return export
        _running.append(Export(provider))
        return _running[-1]


def _record(histogram: Histogram, value: Any, attributes: dict[str, str], divisor: int) -> None:
    if isinstance(value, int | float):
        histogram.record(value / divisor, attributes)


def _attributes(event: Mapping[str, Any]) -> dict[str, str]:
    named = {
        "gen_ai.operation.name": operation_of(event.get("surface") or ""),
        "gen_ai.provider.name": event.get("provider"),
        "gen_ai.request.model": event.get("model"),
        "error.type": (event.get("error") or {}).get("type"),
        "workload_id": event.get("workload_id"),
    }
    return {name: str(value) for name, value in named.items() if value}
