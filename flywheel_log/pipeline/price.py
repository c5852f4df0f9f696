"""Price a call: dollars from its token counts, by the user's own table, else by the list of genai-prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from typing import Any, Literal, NamedTuple

from ..event import JSON, Event

Rate = Literal["input", "output", "cached"]

_MILLION = 1_000_000
_DECIMALS = 10
_TEN_MINUTES = len("2026-01-02T03:4")  # Prices that change by the time of the day do so at the half hour.
_MODELS = 1024
_PROVIDERS = {"gcp": "google"}  # OpenTelemetry's name, and the price list's.
# Where OpenAI, compatible servers and Anthropic count what has a price of its own, and the price list's name for it.
_DETAILS = (
    (("prompt_tokens_details", "audio_tokens"), "input_audio_tokens"),
    (("completion_tokens_details", "audio_tokens"), "output_audio_tokens"),
    (("cache_creation_input_tokens",), "cache_write_tokens"),
)


class _Rates(NamedTuple):
    """Dollars for a million tokens, and for a request, of more than *above* input tokens."""

    above: int
    request: float
    input: float
    cached: float
    written: float
    output: float


class Prices:
    """Tells what a call cost, off the caller's thread; a model nobody knows has no price, never 0.

    Args:
        own: dollars for a million tokens by model: `input`, `output`, and `cached` where cached input is cheaper.
    """

    def __init__(self, own: Mapping[str, Mapping[Rate, float]]) -> None:
        self._own = own
        # The list takes a hundred microseconds to look a model up, also one that it does not know.
        self._tiers = lru_cache(_MODELS)(self._look_up)

    def __call__(self, event: Event) -> JSON:
        """Return `{"cost_usd": …}` for *event*, or nothing."""
        if "cost_usd" in event or ("input_tokens" not in event and "output_tokens" not in event):
            return {}
        model = _model(event)
        own = (self._own.get(model) or self._own.get(event.get("model", ""))) if self._own else None
        cost = _by_table(event, own) if own else self._by_list(event, model)
        return {} if cost is None else {"cost_usd": round(cost, _DECIMALS)}

    def _by_list(self, event: Event, model: str) -> float | None:
        if self._list is None or not model:
            return None
        place, usage = (model, _provider(event), _tier(event)), _usage(event)
        tiers = self._tiers(*place, event["timestamp"][:_TEN_MINUTES])
        rates = next((one for one in tiers if usage.get("input_tokens", 0) > one.above), None)
        if rates is None or not _is_complete(event, rates):
            return None
        if (cost := _by_rates(usage, rates)) is not None:
            return cost
        try:
            return float(self._price(usage, *place, event["timestamp"]).total_price)
        except (LookupError, ValueError):
            return None

    def _look_up(self, model: str, provider: str | None, tier: str | None, time: str) -> tuple[_Rates, ...]:
        """The rates of *model* within the ten minutes of *time*, highest tier first; none where nobody knows it."""
        ask = partial(self._price, model=model, provider=provider, tier=tier, time=f"{time}0:00Z")
        try:
            prices = vars(ask({}).model_price).values()
            starts = sorted({one.start for price in prices for one in getattr(price, "tiers", ())})
            ends = [*starts, (starts or [0])[-1] + _MILLION]
            return tuple(map(partial(_rates, ask), reversed([-1, *starts]), reversed(ends)))
        except (LookupError, ValueError):
            return ()

    def _price(self, usage: Mapping[str, int], model: str, provider: str | None, tier: str | None, time: str) -> Any:
        return self._list.calc_price(
            self._list.Usage(**usage),
            model,
            provider_id=provider,
            genai_request_timestamp=datetime.fromisoformat(time),
            price_context={"service_tier": tier} if tier else None,
        )

    @cached_property
    def _list(self) -> Any:
        try:
            import genai_prices
        except ImportError:  # The extra `prices` is not installed; the user's own table may be all that is wanted.
            return None
        return genai_prices


def _model(event: Event) -> str:
    answered = (event.get("response") or {}).get("model")
    return answered if isinstance(answered, str) else event.get("model", "")


def _provider(event: Event) -> str | None:
    provider = event.get("provider", "").partition(".")[0]
    return _PROVIDERS.get(provider, provider) or None


def _tier(event: Event) -> str | None:
    tier = (event.get("response") or {}).get("service_tier")
    return tier if isinstance(tier, str) else None


def _rates(ask: Callable[[Mapping[str, int]], Any], above: int, count: int) -> _Rates:
    """The rates of a tier that begins *above* and has *count* in it: what the list says of one kind of tokens each."""

    def dollars(**usage: int) -> Decimal:
        total: Decimal = ask({"input_tokens": count, **usage}).total_price
        return total

    request: Decimal = ask({}).total_price
    million = Decimal(_MILLION) / count
    new, cached, written = (
        (dollars(**usage) - request) * million
        for usage in ({}, {"cache_read_tokens": count}, {"cache_write_tokens": count})
    )
    output = dollars(output_tokens=_MILLION) - dollars()
    return _Rates(above, *map(float, (request, new, cached, written, output)))


def _is_complete(event: Event, rates: _Rates) -> bool:
    """Whether all counts that cost something are there: half a price would be a wrong one."""
    return not (rates.input and "input_tokens" not in event) and not (rates.output and "output_tokens" not in event)


def _by_rates(usage: Mapping[str, int], rates: _Rates) -> float | None:
    """None is for the list to decide: audio has rates of its own, and parts are not more than the whole."""
    cached, written = usage.get("cache_read_tokens", 0), usage.get("cache_write_tokens", 0)
    new = usage.get("input_tokens", 0) - cached - written
    if new < 0 or "input_audio_tokens" in usage or "output_audio_tokens" in usage:
        return None
    tokens = new * rates.input + cached * rates.cached + written * rates.written
    return rates.request + (tokens + usage.get("output_tokens", 0) * rates.output) / _MILLION


def _usage(event: Event) -> JSON:
    counts: JSON = {
        "input_tokens": event.get("input_tokens"),
        "output_tokens": event.get("output_tokens"),
        "cache_read_tokens": event.get("cached_tokens"),
    }
    reported = (event.get("response") or {}).get("usage") or {}
    for path, name in _DETAILS:
        count: Any = reported
        for key in path:
            count = count.get(key) if isinstance(count, dict) else None
        counts[name] = count
    return {name: count for name, count in counts.items() if isinstance(count, int) and count}


def _by_table(event: Event, price: Mapping[Rate, float]) -> float | None:
    cached = event.get("cached_tokens", 0)
    counts: dict[Rate, int] = {
        "input": event.get("input_tokens", 0) - cached,
        "cached": cached,
        "output": event.get("output_tokens", 0),
    }
    if any(price.get(rate) and f"{rate}_tokens" not in event for rate in ("input", "output")):
        return None
    rates = {"cached": price["input"], **price} if "input" in price else price
    if any(count and rate not in rates for rate, count in counts.items()):
        return None
    return sum(count * rates.get(rate, 0.0) for rate, count in counts.items()) / _MILLION
