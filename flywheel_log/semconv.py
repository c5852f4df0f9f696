"""OpenTelemetry's names for our providers and surfaces: https://github.com/open-telemetry/semantic-conventions-genai."""

from __future__ import annotations

_OPERATIONS = {
    "completions": "text_completion",
    "embed_content": "embeddings",
    "embeddings": "embeddings",
    "generate_content": "generate_content",
    "moderations": "moderation",
}
# How libraries that speak to many services call those that OpenTelemetry calls otherwise.
_PROVIDERS = {
    "amazon_bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "azure_text": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "cohere_chat": "cohere",
    "gemini": "gcp.gemini",
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "text-completion-openai": "openai",
    "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}


def provider_of(name: str) -> str:
    """Return `gen_ai.provider.name` for a service that a library calls *name*."""
    return _PROVIDERS.get(name, name)


def operation_of(surface: str) -> str:
    """Return `gen_ai.operation.name` for a *surface*."""
    return _OPERATIONS.get(surface, "chat")
