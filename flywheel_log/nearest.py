"""Any value as the nearest thing that JSON has: models, sets and arrays, and what is too deep, too long or a cycle."""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from .event import Wire

MAX_DEPTH = 100
MAX_NODES = 1_000_000
MAX_BITS = 1_000  # What still fits a double, which is what most parsers make of a long integer.
_SHORT_REPR = 1_000
MAX_ARRAY = 128 * 1024
"""Bytes of the largest array that is written number by number; of one beyond it, such as an image, the shape is."""


def parsed(raw: bytes) -> Any:
    """Return what *raw* says, as `json` reads it; its text where it is no JSON."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw.decode("utf-8", "replace")


def plain(value: object) -> Any:
    """Return *value*, which JSON does not know, as something JSON knows better."""
    match value:
        case Wire():
            return parsed(value.raw)
        case bytes() | bytearray() | memoryview():
            return _text(bytes(value))
        case Mapping():
            return dict(value)
        case AbstractSet():
            return sorted(value, key=repr)
        case Decimal() | UUID():
            return str(value)
        case Enum():
            return value.value
        case date() | time():
            return value.isoformat()
        case os.PathLike():
            return os.fspath(value)
    return representation(value, _SHORT_REPR) if isinstance(value, type) else _dumped(value)


def _dumped(value: object) -> Any:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name, None) for field in fields(value)}
    if callable(dump := getattr(value, "model_dump", None)):  # As pydantic's models have it.
        return dump()
    if callable(dump := getattr(value, "tolist", None)):  # As arrays and numbers of numpy's have it, and tensors.
        return _shape(value) if _is_large(value) else dump()
    return representation(value, _SHORT_REPR)


def _is_large(array: Any) -> bool:
    size = getattr(array, "nbytes", 0)
    return isinstance(size, int) and size > MAX_ARRAY


def _shape(array: Any) -> str:
    return f"<{type(array).__name__} {tuple(getattr(array, 'shape', ()))} {getattr(array, 'dtype', '')}>"


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()


def representation(value: object, limit: int) -> str:
    """Return the first *limit* characters of the `repr` of *value*; the name of its class, where that raises."""
    try:
        return repr(value)[:limit]
    except Exception:  # noqa: BLE001 - a broken __repr__ leaves the name of the class
        return f"<{type(value).__module__}.{type(value).__qualname__}>"


class Walk:
    """One bounded walk through a value: cycles, depth, width, surrogates and numbers beyond JSON are replaced."""

    def __init__(self) -> None:
        self._above: set[int] = set()
        self._nodes = 0

    def json(self, value: Any, depth: int) -> Any:
        """Return *value* as something `json.dumps` writes and every parser reads."""
        self._nodes += 1
        match value:
            case None | bool():
                return value
            case str():
                return value.encode("utf-8", "backslashreplace").decode()
            case float():
                return float(value) if math.isfinite(value) else None
            case int():
                return int(value) if value.bit_length() <= MAX_BITS else f"<integer of {value.bit_length()} bits>"
        if depth >= MAX_DEPTH or self._nodes > MAX_NODES or id(value) in self._above:
            return f"<{type(value).__name__}>"
        self._above.add(id(value))
        try:
            return self._inside(value, depth + 1)
        finally:
            self._above.discard(id(value))

    def _inside(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            return {self._key(key): self.json(item, depth) for key, item in list(value.items())}
        if isinstance(value, (list, tuple)):
            return [self.json(item, depth) for item in list(value)]
        return self.json(plain(value), depth)

    def _key(self, key: object) -> str:
        text = key if isinstance(key, str) else representation(key, _SHORT_REPR)
        return text.encode("utf-8", "backslashreplace").decode()
