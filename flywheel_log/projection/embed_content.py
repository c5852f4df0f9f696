"""Google's embeddings as those of OpenAI: the texts as input, the vectors as data."""

from __future__ import annotations

from typing import Any

from . import chat
from .chat import JSON

SURFACE = "embed_content"


def is_mine(request: JSON, response: JSON) -> bool:  # noqa: ARG001 - the projections' common signature
    """Never: a call of an unnamed surface is taken for a chat, or for none."""
    return False


def request(body: JSON) -> JSON | None:
    """The request as that of embeddings: one text for each content."""
    instances = list(chat.objects(body.get("instances")))
    if instances and all(isinstance(one.get("content"), str) for one in instances):  # Vertex AI's
        return {"input": [one["content"] for one in instances]}
    asked = list(chat.objects(body.get("requests"))) or [body]
    if not all(isinstance(one.get("content"), dict) for one in asked):
        return None
    return {"input": ["\n".join(_texts(one["content"])) for one in asked]}


def response(body: JSON) -> JSON | None:
    """The answer as a list of embeddings."""
    predicted = [one.get("embeddings") for one in chat.objects(body.get("predictions"))]
    found = [*chat.objects(body.get("embeddings")), *chat.objects([body.get("embedding")]), *chat.objects(predicted)]
    if not found:
        return None
    data = [{"object": "embedding", "index": place, "embedding": one.get("values")} for place, one in enumerate(found)]
    return {"object": "list", "data": data}


def _texts(content: JSON) -> list[Any]:
    return [part["text"] for part in chat.objects(content.get("parts")) if isinstance(part.get("text"), str)]
