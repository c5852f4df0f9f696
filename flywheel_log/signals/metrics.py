"""`metrics()`: figures of all calls of this process, for people, for Prometheus and for OpenTelemetry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..event import JSON
from ..health import health
from ..meter import Histogram, Key, Series, meter
from ..semconv import operation_of

# Names of OpenTelemetry's conventions for generative AI, as Prometheus writes them.
_DURATION = "gen_ai_client_operation_duration_seconds"
_FIRST_TOKEN = "gen_ai_client_operation_time_to_first_chunk_seconds"  # noqa: S105 - no password
_TOKENS = "gen_ai_client_token_usage"


@dataclass(frozen=True)
class Metrics:
    """Totals since the process began, as they were at one moment.

    Attributes:
        series: the totals by workload, provider, model, surface and class of error.
        dropped: what was dropped, by reason.
    """

    series: Mapping[Key, Series]
    dropped: Mapping[str, int]

    def rows(self) -> list[JSON]:
        """Return one row for each workload and model, the one with the most calls first.

        Keys: workload_id, provider, model, calls, errors, incomplete, retries, input_tokens, output_tokens,
        cached_tokens, reasoning_tokens, cost_usd (of the `priced_calls`), seconds (all calls together) and
        first_token_seconds (likewise).
        """
        rows: dict[tuple[str, str, str], JSON] = {}
        for key, series in self.series.items():
            names = {"workload_id": key.workload_id, "provider": key.provider, "model": key.model}
            row = rows.setdefault((key.workload_id, key.provider, key.model), names)
            for name, value in _sums(key, series).items():
                row[name] = round(row.get(name, 0) + value, 6)
        return sorted(rows.values(), key=lambda row: -row["calls"])

    def prometheus(self) -> str:
        """Return the totals in Prometheus' text format, to be served at `/metrics` as `text/plain; version=0.0.4`."""
        return "".join(f"{line}\n" for line in _exposition(self))


def metrics() -> Metrics:
    """Return the totals of all calls of this process so far: recorded, sampled out or dropped.

    The totals only grow, as Prometheus requires; a rate is the difference of two. A forked child starts at zero.
    """
    return Metrics(meter.series(), health.dropped())


def _sums(key: Key, series: Series) -> dict[str, Any]:
    calls = series.duration.count
    return {
        "calls": calls,
        "errors": calls if key.error else 0,
        "incomplete": series.incomplete,
        "retries": series.retries,
        "input_tokens": int(series.input_tokens.sum),
        "output_tokens": int(series.output_tokens.sum),
        "cached_tokens": series.cached_tokens,
        "reasoning_tokens": series.reasoning_tokens,
        "cost_usd": series.cost_usd,
        "priced_calls": series.priced,
        "seconds": series.duration.sum,
        "first_token_seconds": series.first_token.sum,
    }


def _exposition(totals: Metrics) -> Iterator[str]:
    by_labels: dict[str, Series] = {}
    for key, series in totals.series.items():  # Several surfaces are one operation, and a line stands there once.
        by_labels.setdefault(_labels(key), Series()).join(series)
    keys = list(by_labels.items())
    yield from _histogram(_DURATION, "Duration of calls.", [(labels, one.duration) for labels, one in keys])
    first = [(labels, one.first_token) for labels, one in keys if one.first_token.count]
    yield from _histogram(_FIRST_TOKEN, "Time to the first token of streams.", first)
    tokens = [
        (f'{labels},gen_ai_token_type="{kind}"', histogram)
        for labels, one in keys
        for kind, histogram in (("input", one.input_tokens), ("output", one.output_tokens))
        if histogram.count
    ]
    yield from _histogram(_TOKENS, "Tokens of calls.", tokens)
    retries = [(labels, one.retries) for labels, one in keys]
    yield from _counter("flywheel_log_retries_total", "Retries by the SDK.", retries)
    spent = [(labels, round(one.cost_usd, 10)) for labels, one in keys if one.priced]
    yield from _counter("flywheel_log_cost_usd_total", "Dollars spent, as far as prices are known.", spent)
    dropped = [(f'reason="{_quoted(reason)}"', count) for reason, count in totals.dropped.items()]
    yield from _counter("flywheel_log_dropped_total", "Records, or parts of them, that were dropped.", dropped)


def _histogram(name: str, about: str, series: list[tuple[str, Histogram]]) -> Iterator[str]:
    if not series:
        return
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} histogram"
    for labels, histogram in series:
        so_far = 0
        for bound, count in zip((*map(str, histogram.bounds), "+Inf"), histogram.counts, strict=True):
            so_far += count
            yield f'{name}_bucket{{{labels},le="{bound}"}} {so_far}'
        yield f"{name}_sum{{{labels}}} {histogram.sum}"
        yield f"{name}_count{{{labels}}} {so_far}"


def _counter(name: str, about: str, series: Sequence[tuple[str, float]]) -> Iterator[str]:
    if not series:
        return
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} counter"
    for labels, count in series:
        yield f"{name}{{{labels}}} {count}"


def _labels(key: Key) -> str:
    labels = {
        "workload_id": key.workload_id,
        "gen_ai_operation_name": operation_of(key.surface),
        "gen_ai_provider_name": key.provider,
        "gen_ai_request_model": key.model,
        "error_type": key.error,
    }
    return ",".join(f'{name}="{_quoted(value)}"' for name, value in labels.items() if value)


def _quoted(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
