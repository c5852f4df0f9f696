"""Replace embedding vectors by their dimensions, norm and hash, which show what is wrong with them."""

from __future__ import annotations

import hashlib
import math
from array import array
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, cast

from ..event import JSON, Event
from ..projection.chat import objects
from .parse import parse

_BYTES = 4  # Services count with 32-bit floats, and send just these in base64.


def refer(_: Any, __: str, event: Event) -> Event:
    """Replace each vector in an embedding's answer and in a retrieval by `dimensions`, `norm` and `sha256`."""
    kind = event.get("kind")
    if kind == "embedding" or kind == "retrieval":  # noqa: PLR1714 - half the time of a set's, for every call
        for holder, key in list(_holders(cast(JSON, parse(None, "", event)))):
            holder[key] = reference(holder[key])
    return event


def reference(vector: Any) -> Any:
    """Return what tells *vector* (numbers, or 32-bit floats in base64) from another; what is no vector, as it is.

    Stores that keep several vectors of a document return them by name, and so they are referred to.
    Equal vectors have equal references, whichever way they came: the hash is that of the numbers as 32-bit floats,
    little-endian. A norm far from 1, dimensions that differ or hashes that are equal explain many a bad retrieval.
    """
    if isinstance(vector, dict):
        return {name: reference(one) for name, one in vector.items()}
    numbers = _numbers(vector)
    if numbers is None:
        return vector
    return {
        "dimensions": len(numbers),
        "norm": round(math.hypot(*numbers), 6),
        "sha256": hashlib.sha256(numbers.tobytes()).hexdigest(),
    }


def _holders(event: JSON) -> Iterator[tuple[JSON, str]]:
    """What holds a vector, and by which key: `embedding`, or `values` in Google's answers."""
    response, request = event.get("response"), event.get("request")
    answer = response if isinstance(response, dict) else {}
    predicted = [one.get("embeddings") for one in objects(answer.get("predictions"))]
    for found, name in (
        (answer.get("data"), "embedding"),
        ([*(event.get("retrieval_docs") or ()), request], "embedding"),
        (answer.get("embeddings"), "values"),
        ([answer.get("embedding"), *predicted], "values"),
    ):
        yield from ((one, name) for one in objects(found) if name in one)


def _numbers(vector: Any) -> array[float] | None:
    try:
        if isinstance(vector, str):
            raw = b64decode(vector, validate=True)
            return array("f", raw) if raw and len(raw) % _BYTES == 0 else None
        given = vector.tolist() if hasattr(vector, "tolist") else vector
        return array("f", given) if given and isinstance(given, list | tuple) else None
    except (ValueError, TypeError, OverflowError):
        return None
