"""POST /responses."""

from __future__ import annotations

import re

from ...event import JSON, Kind
from . import arguments

NAME = "responses"
PATH = "/responses"
KIND: Kind = "llm"
TEXT = re.compile(rb'"delta"\s*:\s*"')
FIRST_TEXT = re.compile(
    rb'"type"\s*:\s*"response\.\w+(?:_\w+)*\.delta".*"delta"\s*:\s*"[^"]|"delta"\s*:\s*"[^"].*\.delta"'
)
SUMS_UP = re.compile(rb'(?:^|\n)data: ?\{"type": ?"response\.(?:completed|incomplete)"')
SAYS = frozenset({"response", "response.created"})

_ENDS = ("response.completed", "response.incomplete", "response.failed")
_NOT_YET = ("queued", "in_progress", "cancelled")  # As the answer to `background=True` is.
_CALLS = ("function_call", "custom_tool_call")  # Of tools that the program has; the others are OpenAI's.
_TEXTS = {
    "response.output_text.delta": ("content", "text"),
    "response.refusal.delta": ("content", "refusal"),
    "response.reasoning_summary_text.delta": ("summary", "text"),
    "response.reasoning_text.delta": ("content", "text"),
}


def assemble(events: list[JSON]) -> JSON:
    """Take the response the stream ends with; where it was left early, build it from the items seen so far."""
    response: JSON = {}
    items: dict[int, JSON] = {}
    for event in events:
        kind = event.get("type", "")
        if isinstance(event.get("response"), dict):
            response = event["response"]
            if kind in _ENDS:
                return response
        elif kind in ("response.output_item.added", "response.output_item.done"):
            items[event.get("output_index", 0)] = dict(event.get("item") or {})
        else:
            _grow(items.setdefault(event.get("output_index", 0), {}), event, kind)
    return {**response, "output": [items[index] for index in sorted(items) if items[index]]}


def _grow(item: JSON, event: JSON, kind: str) -> None:
    if kind in _TEXTS:
        field, text = _TEXTS[kind]
        parts = item.setdefault(field, [])
        place = int(event.get("content_index") or event.get("summary_index") or 0)
        while len(parts) <= place:
            parts.append({})
        parts[place][text] = parts[place].get(text, "") + event["delta"]
        parts[place].setdefault(
            "type", kind.removeprefix("response.").removesuffix(".delta").replace("summary_text", "summary")
        )
    elif kind.endswith("arguments.delta"):
        item["arguments"] = item.get("arguments", "") + event["delta"]


def tokens(response: JSON) -> JSON:
    """Token counts as the Responses API names them."""
    usage = response.get("usage")
    if not isinstance(usage, dict):
        return {}
    found = {
        "input_tokens": usage.get("input_tokens"),
        "output_tokens": usage.get("output_tokens"),
        "cached_tokens": (usage.get("input_tokens_details") or {}).get("cached_tokens"),
        "reasoning_tokens": (usage.get("output_tokens_details") or {}).get("reasoning_tokens"),
    }
    return {key: value for key, value in found.items() if value is not None}


def finished(response: JSON, request: JSON) -> bool:  # noqa: ARG001 - the surfaces' common signature
    """Whether the service says that it is done."""
    return response.get("status") in ("completed", "incomplete", "failed")


def marks(response: JSON) -> list[str]:
    """Reasons of the response and of its output items."""
    found = set()
    if response.get("status") in _NOT_YET:
        found.add("incomplete")
    if response.get("status") == "incomplete":
        reason = (response.get("incomplete_details") or {}).get("reason")
        found.add("content_filter" if reason == "content_filter" else "length")
    for item in response.get("output") or []:
        if any(part.get("type") == "refusal" for part in item.get("content") or [] if isinstance(part, dict)):
            found.add("refusal")
        kind = item.get("type") or ""
        if kind == "function_call" and not arguments.valid(item.get("arguments")):
            found.add("invalid_tool_arguments")
        if kind.endswith("_call") and kind not in _CALLS:
            found.add("hosted_tool")
    return sorted(found)
