"""An event as one line of JSON, whatever values it holds: four attempts, each more tolerant; it never raises."""

from __future__ import annotations

import base64
import json
import math
import mmap
import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import orjson

from .event import Wire
from .health import health

MAX_DEPTH = 100
MAX_NODES = 1_000_000
MAX_REPR = 65_536
MAX_BITS = 1_000  # What still fits a double, which is what most parsers make of a long integer.
_SHORT_REPR = 1_000
_MANY = 256
MAX_ARRAY = 128 * 1024
"""Bytes of the largest array that is written number by number; of one beyond it, such as an image, the shape is."""
_LARGE, _ROOM = 1 << 18, 24
"""Of more bytes it is seen to beforehand that there is room for so many times as much: to parse a text and to serialise
it again, orjson takes up to 20 times its length, and where it gets some of that and not all it ends the process."""
_SCALARS = (str, int, float, bool, type(None))


UNREAD = b'"unread":1,'
"""Stands behind the id of a line whose answer nobody has read yet; whoever delivers the line does, and cuts this."""


def dumps(event: Mapping[str, Any]) -> bytes:
    """Serialise *event* as one JSON object in UTF-8, without a newline at its end. Never raises.

    Values may be anything: `Wire` bytes go through untouched when they are sound, NaN becomes null, what JSON does not
    know becomes its nearest JSON (bytes text or base64, sets lists, models their dump) or its `repr`. Every parser
    reads the result. An event that defeats all of this keeps its scalar fields and gets `unserialisable`, counted.
    """
    try:
        return orjson.dumps(event, _spliced)
    except Exception:  # noqa: BLE001 - the next rungs exist for whatever the caller's values raise
        return _dumps_slowly(event)


def _see_to_room(size: int) -> None:
    try:
        mmap.mmap(-1, size).close()
    except OSError:
        raise MemoryError from None


def loads(raw: bytes | str) -> Any:
    """Parse JSON as SDKs do: also NaN, lone surrogates, integers beyond 64 bits.

    Raises:
        ValueError: it is none, or too deep for Python.
        MemoryError: it is large, and what it says could not be serialised again.
    """
    if len(raw) > _LARGE:
        _see_to_room(_ROOM * len(raw))
    try:
        return orjson.loads(raw)
    except ValueError:
        pass
    try:
        return json.loads(raw)
    except RecursionError as error:
        raise ValueError(str(error)) from error


def dumps_loaded(value: Any, *, sort_keys: bool = False) -> bytes:
    """Serialise what `loads` has returned: lone surrogates as escapes, integers of any length; a NaN may be null."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None)
    except orjson.JSONEncodeError:
        return json.dumps(value, sort_keys=sort_keys).encode()


def _dumps_slowly(event: Mapping[str, Any]) -> bytes:
    try:
        line = json.dumps(event, allow_nan=False, default=_plain, separators=(",", ":")).encode()
        orjson.loads(line)
    except Exception:  # noqa: BLE001 - surrogates, cycles, NaN, depth: the walk knows them all
        return _dumps_walked(event)
    return line


def _dumps_walked(event: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(_Walk().json(event, 0), separators=(",", ":")).encode()
    except Exception as error:  # noqa: BLE001 - even `repr` and iteration may raise
        health.drop("unserialisable", error)
        return _dumps_remains(event)


def _dumps_remains(event: Mapping[str, Any]) -> bytes:
    remains: dict[str, Any] = {}
    try:
        remains = {str(key): value for key, value in event.items() if type(value) in _SCALARS}
    except Exception as error:  # noqa: BLE001
        health.drop("unserialisable_fields", error)
    remains["unserialisable"] = _representation(event, MAX_REPR)
    return json.dumps(_Walk().json(remains, 0), separators=(",", ":")).encode()


def _spliced(value: object) -> Any:
    if type(value) is Wire:
        return orjson.Fragment(value.raw) if _is_sound(value.raw) else _parsed(value.raw)
    return _plain(value)


def _is_sound(raw: bytes) -> bool:
    """Tell in a fraction of a parse whether *raw* may stand in a line: an object or array, no raw newline, no NaN."""
    if (raw[:1], raw[-1:]) not in ((b"{", b"}"), (b"[", b"]")):
        return False
    if b"\n" in raw or b"\r" in raw or b"\0" in raw:
        return False
    return not (_mentions(raw, b"NaN") or _mentions(raw, b"Infinity")) or is_json(raw)


def _mentions(raw: bytes, word: bytes) -> bool:
    # To search one byte is memchr; to search a word is ten times slower, so words are looked for at their capitals.
    first, at = word[:1], -1
    for _ in range(_MANY):
        at = raw.find(first, at + 1)
        if at < 0:
            return False
        if raw.startswith(word, at):
            return True
    return raw.find(word, at) >= 0


def is_json(raw: bytes) -> bool:
    """Tell whether *raw* is JSON to the letter, without NaN or lone surrogates."""
    try:
        orjson.loads(raw)
    except ValueError:
        return False
    return True


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw.decode("utf-8", "replace")


def _plain(value: object) -> Any:
    """Return *value*, which JSON does not know, as something JSON knows better."""
    match value:
        case Wire():
            return _parsed(value.raw)
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
    return _representation(value, _SHORT_REPR) if isinstance(value, type) else _dumped(value)


def _dumped(value: object) -> Any:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name, None) for field in fields(value)}
    if callable(dump := getattr(value, "model_dump", None)):  # As pydantic's models have it.
        return dump()
    if callable(dump := getattr(value, "tolist", None)):  # As arrays and numbers of numpy's have it, and tensors.
        return _shape(value) if _is_large(value) else dump()
    return _representation(value, _SHORT_REPR)


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


def _representation(value: object, limit: int) -> str:
    try:
        return repr(value)[:limit]
    except Exception:  # noqa: BLE001 - a broken __repr__ leaves the name of the class
        return f"<{type(value).__module__}.{type(value).__qualname__}>"


class _Walk:
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
        return self.json(_plain(value), depth)

    def _key(self, key: object) -> str:
        text = key if isinstance(key, str) else _representation(key, _SHORT_REPR)
        return text.encode("utf-8", "backslashreplace").decode()
