"""What a call cost: by the user's table, else by the price list, else unknown."""

from __future__ import annotations

from datetime import datetime
from itertools import product
from typing import Any

import pytest
from genai_prices import Usage, calc_price, data_snapshot, extract_usage

from flywheel_log.capture.derive import derive
from flywheel_log.enrichment import priced
from flywheel_log.pipeline.price import Prices


def cost(own: Any = None, **fields: Any) -> dict[str, Any]:
    event = {"timestamp": "2026-11-02T03:04:05.000Z", "kind": "llm", "provider": "openai", **fields}
    return Prices(own or {})(event)  # type: ignore[arg-type]


def test_a_known_model_is_priced_by_the_list() -> None:
    assert cost(model="gpt-4.1-mini", input_tokens=1_000_000, output_tokens=1_000_000) == {"cost_usd": 2.0}


def test_cached_tokens_are_cheaper() -> None:
    fields = {"model": "gpt-4.1-mini", "input_tokens": 1_000_000, "output_tokens": 0}
    assert cost(**fields, cached_tokens=1_000_000) == {"cost_usd": 0.1}


def test_the_tier_that_served_the_call_has_its_price() -> None:
    fields = {"model": "gpt-5", "input_tokens": 1_000_000, "output_tokens": 0}
    assert cost(**fields, response={"model": "gpt-5", "service_tier": "flex"}) == {"cost_usd": 0.625}


def test_audio_tokens_have_their_price() -> None:
    usage = {"prompt_tokens_details": {"audio_tokens": 1_000_000}}
    fields = {"model": "gpt-audio", "input_tokens": 1_000_000, "output_tokens": 0}
    assert cost(**fields) == {"cost_usd": 2.5}
    assert cost(**fields, response={"usage": usage}) == {"cost_usd": 32.0}


def test_audio_that_the_list_has_no_price_for_is_not_priced_as_text() -> None:
    spoken = {"usage": {"completion_tokens_details": {"audio_tokens": 1_000_000}}}
    fields = {"model": "gpt-4o-audio-preview", "input_tokens": 0, "output_tokens": 1_000_000}
    assert cost(**fields) == {"cost_usd": 10.0}
    assert cost(**fields, response=spoken) == {}
    assert cost({"gpt-4o-audio-preview": {"output": 80.0}}, **fields, response=spoken) == {"cost_usd": 80.0}


def test_a_model_nobody_knows_has_no_price() -> None:
    assert cost(model="our-own-7b", input_tokens=5, output_tokens=5) == {}
    assert cost(model="gpt-4.1-mini", provider="nobody", input_tokens=5, output_tokens=5) == {}


def test_a_call_without_counts_has_no_price() -> None:
    assert cost(model="gpt-4.1-mini") == {}


def test_a_cost_that_is_known_stays() -> None:
    assert cost(model="gpt-4.1-mini", input_tokens=5, cost_usd=1.0) == {}


def test_the_users_table_comes_first() -> None:
    own = {"gpt-4.1-mini": {"input": 0.5, "output": 1.5, "cached": 0.1}}
    fields = {"model": "gpt-4.1-mini", "input_tokens": 1_000_000, "output_tokens": 1_000_000, "cached_tokens": 500_000}
    assert cost(own, **fields) == {"cost_usd": 1.8}


def test_the_users_table_knows_aliases_and_prices_cached_tokens_as_others() -> None:
    fields = {
        "model": "fast",
        "response": {"model": "our-own-7b"},
        "input_tokens": 2_000_000,
        "cached_tokens": 1_000_000,
    }
    assert cost({"fast": {"input": 1.0}}, **fields) == {"cost_usd": 2.0}


def test_a_table_without_the_rate_that_is_needed_gives_no_price() -> None:
    assert cost({"m": {"input": 1.0}}, model="m", input_tokens=1, output_tokens=1) == {}


MODELS = [(provider.id, model.id) for provider in data_snapshot.get_snapshot().providers for model in provider.models]
COUNTS = [
    {"input_tokens": 1234, "output_tokens": 567},
    {"input_tokens": 300_001, "output_tokens": 9, "cached_tokens": 300_000},
    {"input_tokens": 2_000_000, "output_tokens": 7, "cached_tokens": 5},
    {"input_tokens": 200_000, "output_tokens": 7, "cached_tokens": 5},
    {"input_tokens": 10, "output_tokens": 1, "cached_tokens": 11},
    {"input_tokens": 4321, "output_tokens": 5, "cached_tokens": 1000, "cache_creation_input_tokens": 2000},
]
TIMES = ["2026-11-02T00:29:59.999Z", "2026-11-02T00:30:00.000Z", "2024-05-06T16:30:00.000Z"]


def listed(provider: str, model: str, counts: dict[str, int], time: str) -> dict[str, Any]:
    names = {"cached_tokens": "cache_read_tokens", "cache_creation_input_tokens": "cache_write_tokens"}
    usage = Usage(**{names.get(name, name): count for name, count in counts.items()})
    try:
        when = datetime.fromisoformat(time)
        price = calc_price(usage, model, provider_id=provider, genai_request_timestamp=when)
    except (LookupError, ValueError):
        return {}
    return {"cost_usd": round(float(price.total_price), 10)}


@pytest.mark.parametrize(("counts", "time"), [*product(COUNTS, TIMES)])
def test_what_is_remembered_of_a_model_gives_the_figures_of_the_list(counts: dict[str, int], time: str) -> None:
    prices = Prices({})
    wrong = []
    for provider, model in MODELS[::7]:
        event: Any = {"timestamp": time, "kind": "llm", "provider": provider, "model": model, **counts}
        event["response"] = {"usage": counts}
        if prices(event) != listed(provider, model, counts, time):
            wrong.append((provider, model))
    assert wrong == []


CLAUDE = {
    "input_tokens": 1000,
    "output_tokens": 100,
    "cache_read_input_tokens": 500,
    "cache_creation_input_tokens": 200,
}
HEARD = [{"modality": "TEXT", "tokenCount": 100}, {"modality": "AUDIO", "tokenCount": 900}]
KNOWN = [{"modality": "TEXT", "tokenCount": 50}, {"modality": "AUDIO", "tokenCount": 450}]
DRAWN = [{"modality": "TEXT", "tokenCount": 10}, {"modality": "IMAGE", "tokenCount": 1290}]
REPORTED: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("messages", "anthropic", "claude-sonnet-4-5", "usage", CLAUDE),
    (
        *("messages", "anthropic", "claude-sonnet-4-5", "usage"),
        CLAUDE | {"cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 150}},
    ),
    (
        *("messages", "anthropic", "claude-sonnet-4-5", "usage"),
        {"input_tokens": 9, "output_tokens": 1, "server_tool_use": {"web_search_requests": 3}},
    ),
    (
        *("generate_content", "gcp.gemini", "gemini-2.5-flash", "usageMetadata"),
        {"promptTokenCount": 1000, "candidatesTokenCount": 100, "promptTokensDetails": HEARD},
    ),
    (
        *("generate_content", "gcp.vertex_ai", "gemini-2.5-flash", "usageMetadata"),
        {"promptTokenCount": 1000, "candidatesTokenCount": 100, "promptTokensDetails": HEARD}
        | {"cachedContentTokenCount": 500, "cacheTokensDetails": KNOWN},
    ),
    (
        *("generate_content", "gcp.gemini", "gemini-2.5-flash-image", "usageMetadata"),
        {"promptTokenCount": 1000, "candidatesTokenCount": 1300, "candidatesTokensDetails": DRAWN},
    ),
]


@pytest.mark.parametrize(
    ("surface", "provider", "model", "key", "usage"),
    REPORTED,
    ids=["a cache", "a cache for an hour", "searches", "a recording", "a cached recording", "a picture"],
)
def test_what_a_service_counts_apart_has_the_price_that_the_list_reads_from_its_answer(
    surface: str, provider: str, model: str, key: str, usage: dict[str, Any]
) -> None:
    listed = {"anthropic": "anthropic"}.get(provider, "google")
    answer: dict[str, Any] = {"model": model, "modelVersion": model, key: usage}
    event = {"timestamp": TIMES[0], "kind": "llm", "surface": surface, "provider": provider, "model": model}
    event |= {"response": answer if key == "usage" else {key: usage}}
    read = extract_usage(answer, provider_id=listed, api_flavor="default").usage
    total = calc_price(
        read, model, provider_id=listed, genai_request_timestamp=datetime.fromisoformat(TIMES[0])
    ).total_price
    assert Prices({})(priced({**event, **derive(event)})) == {"cost_usd": round(float(total), 10)}


def test_providers_are_found_by_their_usual_names() -> None:
    counts: Any = {"input_tokens": 1_000_000, "output_tokens": 0}
    assert cost(provider="x_ai", model="grok-4", **counts) == listed("x-ai", "grok-4", counts, TIMES[0])


@pytest.mark.parametrize("model", ["models/gemini-2.5-flash", "google/gemini-2.5-flash"])
def test_googles_models_are_found_by_their_paths(model: str) -> None:
    counts = {"input_tokens": 1000, "output_tokens": 1000}
    price = cost(provider="gcp.gemini", model="gemini-2.5-flash", **counts)
    assert cost(provider="gcp.gemini", model=model, **counts) == price != {}


@pytest.mark.parametrize(
    ("usage", "charged"),
    [
        ({"cost": 0.5}, 0.5),
        ({"cost": 0, "is_byok": False, "cost_details": {"upstream_inference_cost": None}}, 0.0),
        ({"cost": 0.05, "is_byok": True, "cost_details": {"upstream_inference_cost": 1}}, 1.05),
        ({"cost": 0.05, "is_byok": True, "cost_details": None}, 0.0125),
        ({"cost": None}, 0.0125),
    ],
)
def test_what_openrouter_has_charged_comes_before_the_list(usage: dict[str, Any], charged: float) -> None:
    fields = {"model": "openai/gpt-4o", "input_tokens": 1000, "output_tokens": 1000, "response": {"usage": usage}}
    assert cost(provider="openrouter", **fields) == {"cost_usd": charged}
    assert cost({"openai/gpt-4o": {"input": 1.0, "output": 1.0}}, provider="openrouter", **fields) == {
        "cost_usd": 0.002
    }
    assert cost(**fields | {"model": "gpt-4o"}) == {"cost_usd": 0.0125}


def test_a_part_is_not_more_than_the_whole() -> None:
    own = {"m": {"input": 1.0, "cached": 0.0, "output": 0.0}}
    assert cost(own, model="m", input_tokens=10, cached_tokens=50, output_tokens=1) == {"cost_usd": 0.0}


def test_half_a_price_is_no_price() -> None:
    own = {"m": {"input": 1.0, "output": 2.0}}
    assert [cost(own, model="m", input_tokens=5), cost(own, model="m", output_tokens=5)] == [{}, {}]
    assert [cost(model="gpt-4.1-mini", input_tokens=5), cost(model="gpt-4.1-mini", output_tokens=5)] == [{}, {}]


def test_an_embedding_needs_no_output_to_have_a_price() -> None:
    assert cost(model="text-embedding-3-small", input_tokens=1_000_000) == {"cost_usd": 0.02}


@pytest.mark.parametrize(
    ("provider", "model"),
    [("groq", "llama-3.3-70b-versatile"), ("mistral_ai", "mistral-small-latest"), ("x_ai", "grok-3")],
)
def test_a_service_that_speaks_openais_api_has_its_own_prices(provider: str, model: str) -> None:
    counts = {"input_tokens": 1_000_000, "output_tokens": 1_000_000, "timestamp": "2026-01-02T03:04:05.000Z"}
    price = Prices({})({"kind": "llm", "provider": provider, "model": model, "response": {"model": model}, **counts})
    assert price["cost_usd"] > 0
    assert Prices({})({"kind": "llm", "provider": "openai", "model": model, **counts}) == {}
