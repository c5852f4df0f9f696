"""Price a call: dollars from its token counts, by the user's own table, else by the list of genai-prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache, partial
from typing import Any, Literal, NamedTuple

from ..event import JSON
from ..process.forks import loading

Rate = Literal["input", "output", "cached"]

_MILLION = 1_000_000
_DECIMALS = 10
_TEN_MINUTES = len("2026-01-02T03:4")  # Prices that change by the time of the day do so at the half hour.
_MODELS = 1024
# Usual names, and the list's.
_PROVIDERS = {"fireworks_ai": "fireworks", "gcp": "google", "mistral_ai": "mistral", "x_ai": "x-ai"}
_COUNTS = (
    ("input_tokens", "input_tokens"),
    ("output_tokens", "output_tokens"),
    ("cached_tokens", "cache_read_tokens"),
)
# Where OpenAI, compatible servers and Anthropic count what has a price of its own, and the price list's name for it.
_DETAILS = (
    ("prompt_tokens_details", "audio_tokens", "input_audio_tokens"),
    ("completion_tokens_details", "audio_tokens", "output_audio_tokens"),
    ("", "cache_creation_input_tokens", "cache_write_tokens"),
    ("cache_creation", "ephemeral_1h_input_tokens", "cache_write_1h_tokens"),
    ("server_tool_use", "web_search_requests", "web_searches"),
)
_DETAILED = frozenset(whole or name for whole, name, _ in _DETAILS)
# Google counts them by modality; what is no text may have a price of its own.
_BY_MODALITY = (
    ("promptTokensDetails", "input_{}_tokens"),
    ("toolUsePromptTokensDetails", "input_{}_tokens"),
    ("candidatesTokensDetails", "output_{}_tokens"),
    ("cacheTokensDetails", "cache_{}_read_tokens"),
)
_MODALITIES = {"AUDIO": "audio", "DOCUMENT": "image", "IMAGE": "image", "VIDEO": "video"}
_AUDIO_COSTS_MORE = ("openai", "azure")  # Google's is listed wherever it has another price than text.
_PLAIN = frozenset({"input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"})


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

    def __call__(self, event: Mapping[str, Any]) -> JSON:
        """Return `{"cost_usd": …}` for *event*, or nothing."""
        if "cost_usd" in event or ("input_tokens" not in event and "output_tokens" not in event):
            return {}
        answer = event.get("response") or {}
        answered = answer.get("model")
        model = answered if isinstance(answered, str) else event.get("model", "")
        own = (self._own.get(model) or self._own.get(event.get("model", ""))) if self._own else None
        cost = _by_table(event, own) if own else _charged(event, answer)
        if cost is None and not own:
            cost = self._by_list(event, answer, model)
        return {} if cost is None else {"cost_usd": round(cost, _DECIMALS)}

    def _by_list(self, event: Mapping[str, Any], answer: JSON, model: str) -> float | None:
        if not model or _list() is None:
            return None
        tier = answer.get("service_tier")
        place = model, event.get("provider", ""), tier if isinstance(tier, str) else None
        tiers = self._tiers(*place, event["timestamp"][:_TEN_MINUTES])
        usage = _usage(event, answer)
        rates = _of_size(tiers, usage.get("input_tokens", 0))
        if rates is None or not _is_complete(event, rates):
            return None
        if (cost := _by_rates(usage, rates)) is not None:
            return cost
        try:
            price = self._price(usage, *place, event["timestamp"])
            return None if _lacks_audio(price, usage) else float(price.total_price)
        except (LookupError, ValueError):
            return None

    def _look_up(self, model: str, provider: str, tier: str | None, time: str) -> tuple[_Rates, ...]:
        """The rates of *model* within the ten minutes of *time*, highest tier first; none where nobody knows it."""
        ask = partial(self._price, model=model, provider=provider, tier=tier, time=f"{time}0:00Z")
        try:
            prices = vars(ask({}).model_price).values()
            starts = sorted({one.start for price in prices for one in getattr(price, "tiers", ())})
            ends = [*starts, (starts or [0])[-1] + _MILLION]
            return tuple(map(partial(_rates, ask), reversed([-1, *starts]), reversed(ends)))
        except (LookupError, ValueError):
            return ()

    def _price(self, usage: Mapping[str, int], model: str, provider: str, tier: str | None, time: str) -> Any:
        listed = _listed(provider)
        return _list().calc_price(
            _list().Usage(**usage),
            model.rpartition("/")[2] if listed == "google" else model,  # `models/…`, `publishers/google/models/…`
            provider_id=listed,
            genai_request_timestamp=datetime.fromisoformat(time),
            price_context={"service_tier": tier} if tier else None,
        )


@cache
def _list() -> Any:
    try:
        with loading():
            import genai_prices

            with suppress(LookupError, ValueError):  # Its first price loads the list itself, and what reads it.
                genai_prices.calc_price(genai_prices.Usage(input_tokens=1), "gpt-4o", provider_id="openai")
    except ImportError:  # The extra `prices` is not installed; the user's own table may be all that is wanted.
        return None
    return genai_prices


def _listed(provider: str) -> str | None:
    """The price list's name of *provider*, such as `azure.ai.openai`; None where nobody knows it."""
    name = provider.partition(".")[0]
    return _PROVIDERS.get(name, name) or None


def _of_size(tiers: tuple[_Rates, ...], count: int) -> _Rates | None:
    """The rates of *tiers*, highest first, for *count* input tokens."""
    for rates in tiers:
        if count > rates.above:
            return rates
    return None


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


def _lacks_audio(price: Any, usage: Mapping[str, int]) -> bool:
    """Whether the list has no rate for the audio in *usage*, and takes it for text: OpenAI's costs far more."""
    audio = [side for side in ("input", "output") if usage.get(f"{side}_audio_tokens")]
    rates = vars(price.model_price)
    return price.provider.id in _AUDIO_COSTS_MORE and any(rates.get(f"{side}_audio_mtok") is None for side in audio)


def _is_complete(event: Mapping[str, Any], rates: _Rates) -> bool:
    """Whether all counts that cost something are there: half a price would be a wrong one."""
    return not (rates.input and "input_tokens" not in event) and not (rates.output and "output_tokens" not in event)


def _by_rates(usage: Mapping[str, int], rates: _Rates) -> float | None:
    """Dollars by *rates*; None, for the list to decide, if some tokens are no text, or the parts exceed the whole."""
    _, request, new, cached, written, output = rates
    get = usage.get
    reads, writes = get("cache_read_tokens", 0), get("cache_write_tokens", 0)
    count = get("input_tokens", 0) - reads - writes
    if count < 0 or not usage.keys() <= _PLAIN:
        return None
    tokens = count * new + reads * cached + writes * written
    return request + (tokens + get("output_tokens", 0) * output) / _MILLION


def _usage(event: Mapping[str, Any], answer: JSON) -> dict[str, int]:
    """The counts of *event* that are there and not 0, by the price list's names; details as its *answer* reports."""
    usage: dict[str, int] = {}
    for name, listed in _COUNTS:
        if (count := event.get(name)) and isinstance(count, int):
            usage[listed] = count
    reported = answer.get("usage")
    if not isinstance(reported, dict) or _DETAILED.isdisjoint(reported):
        return usage | _by_modality(answer["usageMetadata"]) if "usageMetadata" in answer else usage
    for whole, name, listed in _DETAILS:
        details = reported.get(whole) if whole else reported
        if details and isinstance(details, dict) and (count := details.get(name)) and isinstance(count, int):
            usage[listed] = count
    return usage


def _by_modality(reported: Any) -> dict[str, int]:
    """What *reported*, Google's, counts of what is no text, by the price list's names."""
    found: Counter[str] = Counter()
    for details, listed in _BY_MODALITY if isinstance(reported, dict) else ():
        for one in reported.get(details) or ():
            if (modality := _MODALITIES.get(one.get("modality"))) and isinstance(one.get("tokenCount"), int):
                found[listed.format(modality)] += one["tokenCount"]
    return dict(found)


def _charged(event: Mapping[str, Any], answer: JSON) -> float | None:
    """The dollars that OpenRouter says it took; with a key of the user's own, those of the service behind it, too."""
    usage = answer.get("usage")
    if event.get("provider") != "openrouter" or not isinstance(usage, dict):
        return None
    charged: list[Any] = [usage.get("cost")]
    if usage.get("is_byok"):
        details = usage.get("cost_details")
        charged.append(details.get("upstream_inference_cost") if isinstance(details, dict) else None)
    return sum(map(float, charged)) if all(isinstance(one, int | float) for one in charged) else None


def _by_table(event: Mapping[str, Any], price: Mapping[Rate, float]) -> float | None:
    if any(price.get(rate) and f"{rate}_tokens" not in event for rate in ("input", "output")):
        return None
    cached = min(event.get("cached_tokens", 0), event.get("input_tokens", 0))
    counts: dict[Rate, int] = {
        "input": event.get("input_tokens", 0) - cached,
        "cached": cached,
        "output": event.get("output_tokens", 0),
    }
    rates = {"cached": price["input"], **price} if "input" in price else price
    if any(count and rate not in rates for rate, count in counts.items()):
        return None
    return sum(count * rates.get(rate, 0.0) for rate, count in counts.items()) / _MILLION
