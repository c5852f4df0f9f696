"""How the deltas of a stream grow into choices and messages: text is appended, tool calls are kept apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...event import JSON

_REPLACED = frozenset({"role", "id", "type"})
_TEXTS = frozenset({"text", "thinking", "summary"})


def by_choice(events: list[JSON], merge: Callable[[JSON, JSON], None]) -> tuple[JSON, list[tuple[int, JSON]]]:
    """Return what *events* say beside their choices, and each choice by its index, grown by *merge* of its deltas."""
    response: JSON = {}
    choices: dict[int, JSON] = {}
    for event in events:
        for delta in event.get("choices") or []:
            merge(choices.setdefault(delta.get("index", 0), {}), delta)
        response |= {key: value for key, value in event.items() if key != "choices" and value not in (None, "")}
    response.pop("obfuscation", None)
    return response, [(index, choices[index]) for index in sorted(choices)]


def merge_message(message: JSON, delta: JSON) -> None:
    """Add *delta* to *message*."""
    for key, new in delta.items():
        if key == "tool_calls":
            for call in new or []:
                _merge_call(message.setdefault("tool_calls", []), call)
        elif new is None:
            message.setdefault(key, None)
        elif isinstance(new, dict) and isinstance(message.get(key) or {}, dict):
            message[key] = message.get(key) or {}
            merge_message(message[key], new)
        elif isinstance(new, list):
            message[key] = _appended(message.get(key), new)
        elif isinstance(new, str) and new and isinstance(message.get(key), list):  # Mistral's, when it has thought.
            message[key] = _appended(message[key], [{"type": "text", "text": new}])
        else:
            _merge_scalar(message, key, new)


def _appended(old: object, new: list[Any]) -> list[Any]:
    """The parts *old* and *new* in one list; a part of which only a piece was there grows, so that its text is one."""
    parts = [*old] if isinstance(old, list) else [{"type": "text", "text": old}] if old else []
    for part in new:
        if parts and _goes_on(parts[-1], part):
            parts[-1] = dict(parts[-1])
            _grow(parts[-1], part)
        else:
            parts.append(part)
    return parts


def _goes_on(last: object, part: object) -> bool:
    if not (isinstance(last, dict) and isinstance(part, dict) and _TEXTS & last.keys() & part.keys()):
        return False
    alike = all(last.get(key) == part.get(key) for key in ("type", "index"))
    return alike and (not part.get("id") or last.get("id") in (None, part["id"]))


def _grow(part: JSON, piece: JSON) -> None:
    for key, new in piece.items():
        old = part.get(key)
        if key in _TEXTS and isinstance(old, str) and isinstance(new, str):
            part[key] = old + new
        elif key in _TEXTS and isinstance(new, list):
            part[key] = _appended(old, new)
        elif new is not None or key not in part:
            part[key] = new


def _merge_scalar(into: JSON, key: str, new: object) -> None:
    old = into.get(key)
    if isinstance(old, str) and isinstance(new, str) and key not in _REPLACED:
        into[key] = old + new
    elif new != "" or old is None:
        into[key] = new


def _merge_call(calls: list[JSON], delta: JSON) -> None:
    call = _find(calls, delta)
    for key, new in delta.items():
        if isinstance(new, dict):
            _merge_function(call.setdefault(key, {}), new)
        elif new not in (None, "") or key not in call:
            call[key] = new


def _find(calls: list[JSON], delta: JSON) -> JSON:
    """The call that *delta* goes on with. Servers omit the index, or give every call index 0 and a new id."""
    index, new_id = delta.get("index"), delta.get("id")
    for call in reversed(calls):
        same_place = index is None or call.get("index") == index
        if same_place and (not new_id or not call.get("id") or call["id"] == new_id):
            return call
        if index is None or (same_place and not new_id):
            break
    calls.append({"index": len(calls) if index is None else index})
    return calls[-1]


def _merge_function(function: JSON, delta: JSON) -> None:
    for key, new in delta.items():
        old = function.get(key)
        if key == "name" and old == new:  # Some servers repeat the whole name in every delta; others split it.
            continue
        if isinstance(old, str) and isinstance(new, str):
            function[key] = old + new
        elif new is not None or key not in function:
            function[key] = new


def tool_call_whole(call: JSON) -> JSON:
    """Give a finished tool call the `type` a server left out, and drop the index that only streams have."""
    kind = "custom" if "custom" in call else "function"
    return {key: value for key, value in ({"type": kind} | call).items() if key != "index"}


def merge_logprobs(logprobs: JSON, delta: JSON) -> None:
    """Append the tokens of *delta* to those already there, list by list."""
    for key, new in delta.items():
        logprobs[key] = (logprobs.get(key) or []) + new if isinstance(new, list) else logprobs.get(key)
