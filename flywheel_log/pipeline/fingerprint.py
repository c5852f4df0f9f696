"""Distinguish versions of an unnamed prompt by a hash of the system message."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from ..event import JSON
from ..projection.chat import objects
from ..projection.texts import text_in

_SYSTEM = frozenset({"system", "developer"})
_REMEMBERED = 64
_LONGEST_REMEMBERED = 16_384


def fingerprint(event: Mapping[str, Any]) -> JSON:
    """Return `prompt` with the `template_hash` of the system message of *event*, parsed; empty where it has either.

    It is computed where the event is on its way to the sinks, not in the caller's thread.
    """
    request = event.get("request")
    if event.get("kind") != "llm" or "prompt" in event or not isinstance(request, dict):
        return {}
    text = _system_message(request)
    if not text:
        return {}
    # A program sends few system messages, each of them many times.
    return {"prompt": {"template_hash": (hash_of if len(text) > _LONGEST_REMEMBERED else _remembered)(text)}}


def hash_of(template: str) -> str:
    """Return the hash of *template*: BLAKE2b, 16 hexadecimal digits."""
    return blake2b(template.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


_remembered = lru_cache(_REMEMBERED)(hash_of)


def _system_message(request: JSON) -> str:
    for key in ("instructions", "system", "systemInstruction"):
        if request.get(key):
            return _text(request[key])
    for message in objects(request.get("messages") or request.get("input")):
        if message.get("role") in _SYSTEM:
            return _text(message.get("content"))
    return ""


def _text(content: Any) -> str:
    return text_in(content.get("parts") if isinstance(content, dict) else content) or ""
