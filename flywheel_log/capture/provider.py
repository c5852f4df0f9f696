"""Who serves a client of one of the SDKs, told from its class and from the host it talks to."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

# Parts of the names of clients that talk to a cloud's platform.
_PLATFORMS = {
    "AzureOpenAI": "azure.ai.openai",
    "AnthropicFoundry": "azure.ai.inference",
    "AnthropicAWS": "anthropic",
    "AnthropicBedrock": "aws.bedrock",
    "AnthropicVertex": "gcp.vertex_ai",
    "BedrockOpenAI": "aws.bedrock",
}
# Services that speak another's API, by the ends of their hosts' names. The words are OpenTelemetry's where it has one
# (https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/), else those of the price list.
_SERVICES = {
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "amazonaws.com": "aws.bedrock",
    "api.aws": "aws.bedrock",
    "api.anthropic.com": "anthropic",
    "api.cerebras.ai": "cerebras",
    "api.cohere.ai": "cohere",
    "api.cohere.com": "cohere",
    "api.deepseek.com": "deepseek",
    "api.fireworks.ai": "fireworks",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.moonshot.ai": "moonshotai",
    "api.moonshot.cn": "moonshotai",
    "api.novita.ai": "novita",
    "api.perplexity.ai": "perplexity",
    "api.together.ai": "together",
    "api.together.xyz": "together",
    "api.x.ai": "x_ai",
    "cognitiveservices.azure.com": "azure.ai.openai",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "openai.azure.com": "azure.ai.openai",
    "openai.com": "openai",
    "openrouter.ai": "openrouter",
    "services.ai.azure.com": "azure.ai.inference",
}

_MOST_KNOWN = 256
_known: dict[int, tuple[Any, type, str]] = {}  # By the identity of a URL, which stays its own while it is kept here.


def provider_of(client: Any) -> str:
    """OpenTelemetry's `gen_ai.provider.name` for *client*, e.g. `openai`, `azure.ai.openai`, `groq`.

    A host that nobody knows, such as one's own server, speaks for nobody: then it is the SDK's own service.
    """
    cls, url = type(client), getattr(client, "base_url", None)
    known = _known.get(id(url))  # To hash a URL, or to ask it for its host, takes longer than all else here.
    if known is None or known[0] is not url or known[1] is not cls:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        provider = _provider(cls, host_of(client))  # type: ignore[arg-type]  # mypy takes no class for hashable
        known = _known[id(url)] = url, cls, provider
    return known[2]


def host_of(client: Any) -> str:
    """The host that *client* talks to, or an empty string."""
    return str(getattr(getattr(client, "base_url", None), "host", ""))


@lru_cache(maxsize=256)
def service_at(host: str) -> str | None:
    """The service that answers at *host*; None where nobody knows."""
    name = f".{host}".replace("-aiplatform.", ".aiplatform.")  # Behind the region.
    return next((service for end, service in _SERVICES.items() if name.endswith(f".{end}")), None)


@lru_cache(maxsize=256)
def _provider(cls: type, host: str) -> str:
    for part, provider in _PLATFORMS.items():
        if any(part in base.__name__ for base in cls.__mro__):
            return provider
    if service := service_at(host):
        return service
    *_, base = (base for base in cls.__mro__ if "request" in vars(base))
    return str(base.__module__).partition(".")[0]
