"""Calls of other APIs read as OpenAI's chats (or embeddings). A projection is a module: its surface, how to read it."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

from .chat import JSON

_COUNTED = {
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "cached_tokens": "cached_tokens",
    "reasoning_tokens": "reasoning_tokens",
}


class Projection(Protocol):
    """What a module in this folder has. None of it raises, whatever it is given, and none changes what it is given.

    Attributes:
        SURFACE: the surface it reads, e.g. `messages`.
    """

    SURFACE: str

    def is_mine(self, request: JSON, response: JSON) -> bool:
        """Whether a call of an unnamed surface has this one's shape."""

    def request(self, body: JSON) -> JSON | None:
        """The request as that of a chat completion; None where there is nothing in it to be read."""

    def response(self, body: JSON) -> JSON | None:
        """The response as a `chat.completion`; None where there is no answer in it."""


def projected(event: Mapping[str, Any]) -> tuple[JSON | None, JSON | None]:
    """Request and response of *event* as those of a chat completion; None where one is that, or cannot be."""
    projection, request, response = _of(event)
    if projection is None:
        return None, None
    asked, answered = projection.request(request), projection.response(response)
    if asked is not None and event.get("model") is not None:
        asked = {"model": event["model"], **asked}
    if answered is not None and (usage := _usage(event)):
        answered = answered | {"usage": usage}
    return asked, answered


def as_chat(event: Mapping[str, Any]) -> tuple[JSON, JSON]:
    """Request and response of *event*, as those of a chat completion where they are not and can be; empty for none."""
    request, response = projected(event)
    return request or event.get("request") or {}, response or event.get("response") or {}


def _of(event: Mapping[str, Any]) -> tuple[Projection | None, JSON, JSON]:
    request, response = (event.get(key) or {} for key in ("request", "response"))
    if not isinstance(request, dict) or not isinstance(response, dict) or "choices" in response:
        return None, request, response
    if (named := _named().get(str(event.get("surface")))) is not None:
        return named, request, response
    candidates = _named().values() if event.get("kind", "llm") == "llm" else ()
    return next((one for one in candidates if one.is_mine(request, response)), None), request, response


@cache
def _named() -> dict[str, Projection]:
    modules: list[Any] = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return {module.SURFACE: cast(Projection, module) for module in modules if hasattr(module, "SURFACE")}


def _usage(event: Mapping[str, Any]) -> JSON:
    counts: JSON = {name: event[key] for name, key in _COUNTED.items() if isinstance(event.get(key), int)}
    if "prompt_tokens" in counts and "completion_tokens" in counts:
        counts["total_tokens"] = counts["prompt_tokens"] + counts["completion_tokens"]
    for part, whole in (("cached_tokens", "prompt_tokens_details"), ("reasoning_tokens", "completion_tokens_details")):
        if part in counts:
            counts[whole] = {part: counts.pop(part)}
    return counts
