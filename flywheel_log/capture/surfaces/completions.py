"""POST /completions, the legacy one."""

from __future__ import annotations

import re

from ...event import JSON, Kind
from .chat_completions import finished, tokens
from .delta import by_choice, merge_logprobs

__all__ = ["FIRST_TEXT", "KIND", "NAME", "PATH", "TEXT", "assemble", "finished", "marks", "tokens"]

NAME = "completions"
PATH = "/completions"
KIND: Kind = "llm"
TEXT = re.compile(rb'"text"\s*:\s*"')
FIRST_TEXT = re.compile(rb'"text"\s*:\s*"[^"]')
SUMS_UP = None
SAYS = frozenset({"text_completion"})


def assemble(events: list[JSON]) -> JSON:
    """Fold chunks into a `text_completion`; choices are kept apart by their index."""
    response, choices = by_choice(events, _merge)
    return response | {"choices": [{"index": index} | choice for index, choice in choices]}


def _merge(choice: JSON, delta: JSON) -> None:
    choice.setdefault("text", "")
    for key, value in delta.items():
        if key == "text":
            choice["text"] += value or ""
        elif key == "logprobs" and value:
            merge_logprobs(choice.setdefault("logprobs", {}), value)
        elif value is not None or key not in choice:
            choice[key] = value


def marks(response: JSON) -> list[str]:
    """Reasons of the choices, and `no_choices` where there is none."""
    choices = response.get("choices")
    if not isinstance(choices, list) or not choices:
        return ["no_choices"]
    return sorted(
        {reason for choice in choices if (reason := choice.get("finish_reason")) in ("length", "content_filter")}
    )
