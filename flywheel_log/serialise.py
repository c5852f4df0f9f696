"""An event as one line of JSON, whatever values it holds: four attempts, each more tolerant than the one before."""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit
from typing import Any

import orjson

from .event import Wire
from .health import health
from .nearest import Walk, parsed, plain, representation

MAX_REPR = 65_536
_MANY = 256
_LARGE, _ROOM = 1 << 18, 24
"""Of more bytes it is seen to beforehand that there is room for so many times as much: to parse a text and to serialise
it again, orjson takes up to 20 times its length, and where it gets some of that and not all it ends the process."""
_SCALARS = (str, int, float, bool, type(None))


UNREAD = b'"unread":1,'
"""Stands behind the id of a line whose answer nobody has read yet; whoever delivers the line does, and cuts this."""


def dumps(event: Mapping[str, Any]) -> bytes:
    """Serialise *event* as one JSON object in UTF-8, without a newline at its end.

    Values may be anything: `Wire` bytes go through untouched when they are sound, NaN becomes null, what JSON does not
    know becomes its nearest JSON (bytes text or base64, sets lists, models their dump) or its `repr`. Every parser
    reads the result. An event that defeats all of this keeps its scalar fields and gets `unserialisable`, counted.

    Raises:
        MemoryError: the process may have only so many addresses (`RLIMIT_AS`), and *event* takes more than are left.
    """
    if getrlimit(RLIMIT_AS)[0] != RLIM_INFINITY:  # orjson would end the process where it gets none.
        return _dumps_slowly(event)
    try:
        return orjson.dumps(event, _spliced)
    except Exception:  # noqa: BLE001 - the next rungs exist for whatever the caller's values raise
        return _dumps_slowly(event)


def _read(raw: bytes | str) -> Any:
    if len(raw) > _LARGE:
        try:
            mmap.mmap(-1, _ROOM * len(raw)).close()
        except OSError:
            raise MemoryError from None
    return orjson.loads(raw)


def loads(raw: bytes | str) -> Any:
    """Parse JSON as SDKs do: also NaN, lone surrogates, integers beyond 64 bits.

    Raises:
        ValueError: it is none, or too deep for Python.
        MemoryError: it is large, and what it says could not be serialised again.
    """
    try:
        return _read(raw)
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
        line = json.dumps(event, allow_nan=False, default=plain, separators=(",", ":"), ensure_ascii=False).encode()
        _read(line)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - surrogates, cycles, NaN, depth: the walk knows them all
        return _dumps_walked(event)
    return line


def _dumps_walked(event: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(Walk().json(event, 0), separators=(",", ":")).encode()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - even `repr` and iteration may raise
        health.drop("unserialisable", error)
        return _dumps_remains(event)


def _dumps_remains(event: Mapping[str, Any]) -> bytes:
    remains: dict[str, Any] = {}
    try:
        remains = {str(key): value for key, value in event.items() if type(value) in _SCALARS}
    except Exception as error:  # noqa: BLE001
        health.drop("unserialisable_fields", error)
    remains["unserialisable"] = representation(event, MAX_REPR)
    return json.dumps(Walk().json(remains, 0), separators=(",", ":")).encode()


def _spliced(value: object) -> Any:
    if type(value) is Wire:
        return orjson.Fragment(value.raw) if _is_sound(value.raw) else parsed(value.raw)
    return plain(value)


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
        _read(raw)
    except ValueError:
        return False
    return True
