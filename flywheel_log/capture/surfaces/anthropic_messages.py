"""POST /v1/messages of Anthropic."""

from __future__ import annotations

import re
from typing import Any

from ...event import JSON, Kind
from . import arguments

NAME = "messages"
PATH = "/v1/messages"
KIND: Kind = "llm"
TEXT = re.compile(rb'"(?:text|thinking|partial_json)"\s*:\s*"')
FIRST_TEXT = re.compile(rb'"(?:text|thinking|partial_json)"\s*:\s*"[^"]')
SUMS_UP = None
SAYS = frozenset({"message", "message_start"})

_HOSTED = {"server_tool_use", "mcp_tool_use"}
_DELTAS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "input",
}


def assemble(events: list[JSON]) -> JSON:
    """Fold the events into the message; the input of a tool is parsed when it is whole, else kept as text."""
    message: JSON = {}
    blocks: dict[int, JSON] = {}
    for event in events:
        kind = event.get("type")
        if kind == "message_start":
            message = dict(event.get("message") or {})
        elif kind == "content_block_start":
            blocks[event["index"]] = dict(event.get("content_block") or {})
        elif kind == "content_block_delta":
            _grow(blocks.setdefault(event["index"], {}), event.get("delta") or {})
        elif kind == "message_delta":
            message |= event.get("delta") or {}
            message["usage"] = (message.get("usage") or {}) | (event.get("usage") or {})
    return {**message, "content": [_whole(blocks[index]) for index in sorted(blocks)]} if message else {}


def _grow(block: JSON, delta: JSON) -> None:
    if delta.get("type") == "citations_delta":
        block["citations"] = [*(block.get("citations") or []), delta.get("citation")]
    elif key := _DELTAS.get(delta.get("type", "")):
        old = block.get(key)
        block[key] = (old if isinstance(old, str) else "") + delta.get("partial_json" if key == "input" else key, "")


def _whole(block: JSON) -> JSON:
    if isinstance(block.get("input"), str):
        return block | {"input": arguments.parsed(block["input"] or "{}")}
    return block


def tokens(response: JSON) -> JSON:
    """Token counts as Anthropic names them; what was read from or written to its cache counts as input."""
    usage: Any = response.get("usage")
    if not isinstance(usage, dict) or "input_tokens" not in usage:
        return {}
    cached = usage.get("cache_read_input_tokens")
    written = usage.get("cache_creation_input_tokens") or 0
    found = {
        "input_tokens": usage["input_tokens"] + (cached or 0) + written,
        "output_tokens": usage.get("output_tokens"),
        "cached_tokens": cached,
    }
    return {key: value for key, value in found.items() if value is not None}


def finished(response: JSON, request: JSON) -> bool:  # noqa: ARG001 - the surfaces' common signature
    """Whether the model said why it stopped."""
    return bool(response.get("stop_reason"))


def marks(response: JSON) -> list[str]:
    """Reasons of the message and of its tool calls."""
    found = {{"max_tokens": "length", "refusal": "refusal"}.get(response.get("stop_reason", ""), "")}
    blocks = response.get("content") or []
    if any(block.get("type") == "tool_use" and isinstance(block.get("input"), str) for block in blocks):
        found.add("invalid_tool_arguments")
    if any(block.get("type") in _HOSTED for block in blocks):
        found.add("hosted_tool")
    return sorted(found - {""})
