"""Who serves a client: its SDK's own service, or the one whose host it was pointed at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest

from flywheel_log.capture.provider import provider_of


def client(url: str, make: Callable[..., Any] = openai.OpenAI) -> Any:
    return make(base_url=url, api_key="sk-1")


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("http://localhost:8000/v1", "openai"),
        ("https://llm.example.com/v1", "openai"),
        ("https://notapi.groq.com.example.com/v1", "openai"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://api.deepseek.com", "deepseek"),
        ("https://api.mistral.ai/v1", "mistral_ai"),
        ("https://api.x.ai/v1", "x_ai"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://ours.openai.azure.com/openai/v1/", "azure.ai.openai"),
        ("https://ours.services.ai.azure.com/models", "azure.ai.inference"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "gcp.gemini"),
        ("https://us-central1-aiplatform.googleapis.com/v1/openapi", "gcp.vertex_ai"),
        ("https://aiplatform.googleapis.com/v1/openapi", "gcp.vertex_ai"),
        ("https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1", "aws.bedrock"),
        ("https://bedrock-mantle.us-west-2.api.aws/openai/v1", "aws.bedrock"),
    ],
)
def test_a_client_pointed_at_another_service_is_that_ones(url: str, provider: str) -> None:
    assert [provider_of(client(url, make)) for make in (openai.OpenAI, openai.AsyncOpenAI)] == [provider] * 2


def test_a_client_that_is_pointed_elsewhere_later_is_followed() -> None:
    one = client("https://api.openai.com/v1")
    assert provider_of(one.with_options(base_url="https://api.x.ai/v1")) == "x_ai"
    one.base_url = "https://api.groq.com/openai/v1"
    assert provider_of(one) == "groq"


def test_azures_own_client_needs_no_host() -> None:
    azure = openai.AzureOpenAI(base_url="https://gateway.example.com/x", api_key="k", api_version="2024-10-21")
    assert provider_of(azure) == "azure.ai.openai"
