"""Digests of JSON, by which equal records, questions and answers are found."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from flywheel_log.serialise import dumps_loaded


def digest(value: Any) -> bytes:
    """Return 16 bytes that are equal for equal JSON, whatever the order of its keys."""
    return blake2b(dumps_loaded(value, sort_keys=True), digest_size=16).digest()
