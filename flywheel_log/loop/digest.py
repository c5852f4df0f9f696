"""Digests of JSON, by which equal records, questions and answers are found."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

import orjson


def digest(value: Any) -> bytes:
    """Return 16 bytes that are equal for equal JSON, whatever the order of its keys."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # lone surrogates, huge numbers
        text = json.dumps(value, sort_keys=True).encode()
    return blake2b(text, digest_size=16).digest()
