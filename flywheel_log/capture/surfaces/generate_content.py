"""POST …:generateContent and …:streamGenerateContent of Google's Gemini, on either of its platforms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...event import JSON, Kind
from ...projection.generate_content import FINISHES

NAME = "generate_content"
PATH = ":generateContent"
KIND: Kind = "llm"
TEXT = re.compile(rb'"text"\s*:\s*"')
FIRST_TEXT = re.compile(rb'"text"\s*:\s*"[^"]|"functionCall"\s*:\s*\{')
SUMS_UP = None
SAYS = frozenset[str]()

_MERGED = {"text", "thought"}
_MARKS = {
    **{reason: word for reason, word in FINISHES.items() if word != "stop"},
    "MALFORMED_FUNCTION_CALL": "invalid_tool_arguments",
    "UNEXPECTED_TOOL_CALL": "invalid_tool_arguments",
}


def assemble(events: list[JSON]) -> JSON:
    """Fold chunks into one response; candidates are kept apart by their index, runs of text become one part."""
    response: JSON = {}
    candidates: dict[int, JSON] = {}
    for event in events:
        for place, delta in enumerate(event.get("candidates") or []):
            _merge(candidates.setdefault(delta.get("index", place), {}), delta)
        response |= {key: value for key, value in event.items() if key != "candidates"}
    found = [candidates[index] for index in sorted(candidates)]
    return ({"candidates": found} if found else {}) | response


def _merge(candidate: JSON, delta: JSON) -> None:
    content = candidate.get("content")
    candidate |= delta
    if content is None:
        return
    new = delta.get("content") or {}
    candidate["content"] = content | new | {"parts": [*_joined([*content.get("parts", ()), *new.get("parts", ())])]}


def _joined(parts: list[JSON]) -> Iterator[JSON]:
    last: JSON | None = None
    for part in parts:
        if last is not None and _is_text(part) and _is_text(last) and part.get("thought") == last.get("thought"):
            last = last | {"text": last["text"] + part["text"]}
            continue
        if last is not None:
            yield last
        last = part
    if last is not None:
        yield last


def _is_text(part: JSON) -> bool:
    return "text" in part and part.keys() <= _MERGED


def tokens(response: JSON) -> JSON:
    """Token counts as Google names them; thoughts count as output, what a tool of Google's read as input."""
    usage: Any = response.get("usageMetadata")
    if not isinstance(usage, dict):
        return {}
    found = {
        "input_tokens": _sum(usage, "promptTokenCount", "toolUsePromptTokenCount"),
        "output_tokens": _sum(usage, "candidatesTokenCount", "thoughtsTokenCount"),
        "cached_tokens": usage.get("cachedContentTokenCount"),
        "reasoning_tokens": usage.get("thoughtsTokenCount"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _sum(usage: JSON, *names: str) -> int | None:
    counts = [usage[name] for name in names if usage.get(name) is not None]
    return sum(counts) if counts else None


def finished(response: JSON, request: JSON) -> bool:
    """Whether every candidate that was asked for says why it ended, or the prompt was blocked."""
    candidates = response.get("candidates") or []
    asked = (request.get("generationConfig") or {}).get("candidateCount") or 1
    ended = len(candidates) >= asked and all(one.get("finishReason") for one in candidates)
    return ended or bool((response.get("promptFeedback") or {}).get("blockReason"))


def marks(response: JSON) -> list[str]:
    """The marks of all candidates; without one, `content_filter` if the prompt was blocked, else `no_choices`."""
    candidates = response.get("candidates") or []
    if not candidates:
        return ["content_filter" if response.get("promptFeedback") else "no_choices"]
    found = {_MARKS[one["finishReason"]] for one in candidates if one.get("finishReason") in _MARKS}
    return sorted(found | {"hosted_tool"} if any(map(_is_informed, candidates)) else found)


def _is_informed(candidate: JSON) -> bool:
    """Whether a search of Google's, a page that it read or a program that it ran has told the model something."""
    parts = (candidate.get("content") or {}).get("parts") or []
    told = ("groundingMetadata", "urlContextMetadata")
    return any(map(candidate.get, told)) or any(isinstance(one, dict) and "executableCode" in one for one in parts)
