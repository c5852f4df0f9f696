"""POST /messages of Anthropic: text and tool use, whole or as its typed events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flywheel_log.standin.answers import Answer, compose, count, identifier, last_prompt, text_of
from flywheel_log.standin.wire import JSON, Received, Reply

METHOD = "POST"
PATH = "/messages"
REQUIRED = ("model", "max_tokens", "messages")

_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def answer(body: JSON, received: Received) -> Reply:
    """Answer a conversation; `stream: true` gives the events from `message_start` to `message_stop`.

    A stream of the model `error-mid-stream` ends in an error after three pieces.
    """
    texts = [one for one in body["messages"] if text_of(one.get("content"))]  # A tool's result is no prompt.
    one = compose(last_prompt(texts), tool=_tool(body), schema=None, limit=body["max_tokens"])
    whole = {
        "id": identifier("msg_", received),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [_block(one, identifier("toolu_", received))],
        "stop_reason": "tool_use" if one.tool else "max_tokens" if one.cut else "end_turn",
        "stop_sequence": None,
        "usage": _usage(body, len(one.pieces)),
    }
    return Reply.events(map(_frame, _stream(whole, one))) if body.get("stream") else Reply.json(whole)


def own_error(status: int, message: str) -> JSON:
    """The body of an error as Anthropic writes it."""
    return {"type": "error", "error": {"type": _ERRORS.get(status, "api_error"), "message": message}}


def _tool(body: JSON) -> JSON | None:
    own = [tool for tool in body.get("tools") or [] if "input_schema" in tool]
    last = body["messages"][-1] if body["messages"] else {}
    blocks: Any = last.get("content")
    answered = isinstance(blocks, list) and any(block.get("type") == "tool_result" for block in blocks)
    asked = last.get("role") == "user" and not answered
    wanted = body.get("tool_choice") or {}
    if not own or not asked or wanted.get("type") == "none":
        return None
    chosen: JSON = next((tool for tool in own if tool["name"] == wanted.get("name")), own[0])
    return {"name": chosen["name"], "parameters": chosen["input_schema"]}


def _block(one: Answer, call: str) -> JSON:
    if one.tool is None:
        return {"type": "text", "text": one.text, "citations": None}
    return {"type": "tool_use", "id": call, "name": one.tool, "input": json.loads(one.text)}


def _usage(body: JSON, written: int) -> JSON:
    asked = [text_of(body.get("system")), *(text_of(one.get("content")) for one in body["messages"])]
    cache = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    return {"input_tokens": sum(map(count, asked)), **cache, "output_tokens": written}


def _stream(whole: JSON, one: Answer) -> Iterator[JSON]:
    begun = {"content": [], "stop_reason": None, "usage": whole["usage"] | {"output_tokens": 1}}
    yield {"type": "message_start", "message": whole | begun}
    empty: JSON = {"input": {}} if one.tool else {"text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": whole["content"][0] | empty}
    yield {"type": "ping"}
    kind, key = ("input_json_delta", "partial_json") if one.tool else ("text_delta", "text")
    for number, piece in enumerate(one.pieces):
        if whole["model"] == "error-mid-stream" and number == 3:  # noqa: PLR2004 - as the other surfaces do
            yield own_error(529, "The stand-in was asked to break off.")
            return
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": kind, key: piece}}
    yield {"type": "content_block_stop", "index": 0}
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": whole["usage"]["output_tokens"]}}
    yield {"type": "message_stop"}


def _frame(event: JSON) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
