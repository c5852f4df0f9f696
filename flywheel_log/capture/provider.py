"""Who serves a client of one of the SDKs, told from its class."""

from __future__ import annotations

from functools import cache

# Parts of the names of clients that talk to a cloud's platform.
_PLATFORMS = {
    "AzureOpenAI": "azure.ai.openai",
    "AnthropicFoundry": "azure.ai.inference",
    "AnthropicBedrock": "aws.bedrock",
    "AnthropicVertex": "gcp.vertex_ai",
}


@cache
def provider_of(cls: type) -> str:
    """OpenTelemetry's `gen_ai.provider.name` for clients of *cls*, e.g. `openai`, `azure.ai.openai`, `anthropic`."""
    mro = cls.__mro__
    for part, provider in _PLATFORMS.items():
        if any(part in base.__name__ for base in mro):
            return provider
    *_, base = (base for base in mro if "request" in vars(base))
    return str(base.__module__).partition(".")[0]
