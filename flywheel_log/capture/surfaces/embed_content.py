"""POST …:embedContent and …:batchEmbedContents of Google's Gemini, and …:predict of Vertex AI where it embeds."""

from __future__ import annotations

from typing import Any

from ...event import JSON, Kind
from . import generate_content
from .unstreamed import FIRST_TEXT, SAYS, SUMS_UP, TEXT, assemble, finished, marks

__all__ = ["FIRST_TEXT", "KIND", "NAME", "PATH", "SAYS", "SUMS_UP", "TEXT", "assemble", "finished", "marks", "tokens"]

NAME = "embed_content"
PATH = ":embedContent"
KIND: Kind = "embedding"


def tokens(response: JSON) -> JSON:
    """The event's token counts: Vertex AI tells them with each of its predictions."""
    counts = [_count(one) for one in response.get("predictions") or ()]
    if counts and all(isinstance(count, int) for count in counts):
        return {"input_tokens": sum(counts)}
    return generate_content.tokens(response)


def _count(prediction: Any) -> Any:
    match prediction:
        case {"embeddings": {"statistics": {"token_count": count}}}:
            return int(count) if isinstance(count, float) else count
    return None
