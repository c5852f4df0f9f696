"""Price a call: dollars from its token counts, by the user's own table, else by the list of genai-prices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from ..event import JSON, Event
from ..health import health

Rate = Literal["input", "output", "cached"]

_MILLION = 1_000_000
_DECIMALS = 10
# Where OpenAI, compatible servers and Anthropic count what has a price of its own, and the price list's name for it.
_DETAILS = (
    (("prompt_tokens_details", "audio_tokens"), "input_audio_tokens"),
    (("completion_tokens_details", "audio_tokens"), "output_audio_tokens"),
    (("cache_creation_input_tokens",), "cache_write_tokens"),
)


class Prices:
    """Tells what a call cost, off the caller's thread; a model nobody knows has no price, never 0.

    Args:
        own: dollars for a million tokens by model: `input`, `output`, and `cached` where cached input is cheaper.
    """

    def __init__(self, own: Mapping[str, Mapping[Rate, float]]) -> None:
        self._own = own

    def __call__(self, event: Event) -> JSON:
        """Return `{"cost_usd": …}` for *event*, or nothing."""
        if "cost_usd" in event or not {"input_tokens", "output_tokens"} & event.keys():
            return {}
        model = _model(event)
        own = self._own.get(model) or self._own.get(event.get("model", ""))
        cost = _by_table(event, own) if own else self._by_list(event, model)
        return {} if cost is None else {"cost_usd": round(cost, _DECIMALS)}

    def _by_list(self, event: Event, model: str) -> float | None:
        if self._list is None or not model:
            return None
        try:
            price = self._list.calc_price(
                self._list.Usage(**_usage(event)),
                model,
                provider_id=_provider(event),
                genai_request_timestamp=datetime.fromisoformat(event["timestamp"]),
                price_context=_tier(event),
            )
        except (LookupError, ValueError):
            return None
        return float(price.total_price)

    @cached_property
    def _list(self) -> Any:
        try:
            import genai_prices
        except ImportError as error:
            health.warn("price_list_missing", error)
            return None
        return genai_prices


def _model(event: Event) -> str:
    answered = (event.get("response") or {}).get("model")
    return answered if isinstance(answered, str) else event.get("model", "")


def _provider(event: Event) -> str | None:
    provider = event.get("provider", "")
    return provider.partition(".")[0] or None


def _tier(event: Event) -> JSON | None:
    tier = (event.get("response") or {}).get("service_tier")
    return {"service_tier": tier} if isinstance(tier, str) else None


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
    rates = {"cached": price["input"], **price} if "input" in price else price
    if any(count and rate not in rates for rate, count in counts.items()):
        return None
    return sum(count * rates.get(rate, 0.0) for rate, count in counts.items()) / _MILLION
