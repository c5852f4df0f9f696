"""POST /embeddings: unit vectors made of a hash of the text, as numbers or in base64."""

from __future__ import annotations

import math
import struct
from base64 import b64encode
from hashlib import blake2b

from flywheel_log.standin.answers import count
from flywheel_log.standin.wire import JSON, Received, Reply

METHOD = "POST"
PATH = "/embeddings"
REQUIRED = ("model", "input")

# The real default is 1536; a stand-in's vectors mean nothing, so they need not fill anybody's screen.
_DIMENSIONS = 8


def answer(body: JSON, received: Received) -> Reply:  # noqa: ARG001  the signature of every surface
    """Return one vector an input, of `dimensions` numbers (8 unless asked)."""
    inputs = texts_in(body["input"])
    vectors = [vector(text, body.get("dimensions")) for text in inputs]
    encode = _base64 if body.get("encoding_format") == "base64" else list
    data = [{"object": "embedding", "index": index, "embedding": encode(one)} for index, one in enumerate(vectors)]
    tokens = sum(map(count, inputs))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return Reply.json({"object": "list", "data": data, "model": body["model"], "usage": usage})


def vector(text: str, wanted: int | None) -> list[float]:
    """Return the unit vector for *text*, of as many numbers as are *wanted*, or 8: equal texts have equal vectors."""
    dimensions = wanted or _DIMENSIONS
    raw = b"".join(blake2b(f"{block}:{text}".encode()).digest() for block in range(dimensions * 2 // 64 + 1))
    numbers = [value / 32768 for value in struct.unpack(f"<{dimensions}h", raw[: dimensions * 2])]
    length = math.sqrt(sum(number * number for number in numbers)) or 1.0
    return [number / length for number in numbers]


def texts_in(given: str | list[str] | list[int] | list[list[int]]) -> list[str]:
    """Return the texts *given*, one or several, of which each may be a list of tokens."""
    several = isinstance(given, list) and not all(isinstance(item, int) for item in given)
    return [item if isinstance(item, str) else str(item) for item in (given if several else [given])]


def _base64(numbers: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
