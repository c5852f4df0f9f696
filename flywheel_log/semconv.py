"""OpenTelemetry's words for what events say in ours: https://github.com/open-telemetry/semantic-conventions-genai."""

from __future__ import annotations

_OPERATIONS = {"completions": "text_completion", "embeddings": "embeddings", "moderations": "moderation"}


def operation_of(surface: str) -> str:
    """Return `gen_ai.operation.name` for a *surface*."""
    return _OPERATIONS.get(surface, "chat")
