"""POST /responses: text, function calls and structured output, whole or as the API's typed events."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count as counter
from typing import Any

from flywheel_log.standin.answers import CREATED, Answer, compose, count, identifier, last_prompt, text_of
from flywheel_log.standin.wire import JSON, Received, Reply

METHOD = "POST"
PATH = "/responses"
REQUIRED = ("model", "input")


def answer(body: JSON, received: Received) -> Reply:
    """Answer an input; `stream: true` gives the events from `response.created` to `response.completed`."""
    one = compose(
        _prompt(body["input"]),
        tool=_tool(body),
        schema=_schema(body.get("text")),
        limit=body.get("max_output_tokens"),
    )
    whole = _response(body, one, identifier("", received))
    return Reply.events(_numbered(_stream(whole, one))) if body.get("stream") else Reply.json(whole)


def _prompt(given: Any) -> str:
    return given if isinstance(given, str) else last_prompt(given)


def _tool(body: JSON) -> JSON | None:
    given = body["input"]
    asked = isinstance(given, str) or (bool(given) and given[-1].get("role") == "user")
    functions = [tool for tool in body.get("tools") or [] if tool.get("type") == "function"]
    return functions[0] if functions and asked and body.get("tool_choice") != "none" else None


def _schema(text: Any) -> JSON | None:
    match text:
        case {"format": {"type": "json_schema", "schema": dict(schema)}}:
            return schema
        case {"format": {"type": "json_object"}}:
            return {"properties": {"answer": {"type": "string"}}}
    return None


def _response(body: JSON, one: Answer, suffix: str) -> JSON:
    whole = {
        "id": f"resp_{suffix}",
        "object": "response",
        "created_at": CREATED,
        "status": "incomplete" if one.cut else "completed",
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if one.cut else None,
        "model": body["model"],
        "output": [_item(one, suffix)],
        "usage": _usage(body, one),
    }
    kept = ("instructions", "metadata", "temperature", "top_p", "previous_response_id", "max_output_tokens")
    whole |= {name: body.get(name) for name in kept}
    return whole | {"parallel_tool_calls": True, "tool_choice": "auto", "tools": body.get("tools") or []}


def _item(one: Answer, suffix: str) -> JSON:
    if one.tool is not None:
        head = {"id": f"fc_{suffix}", "type": "function_call", "status": "completed"}
        return head | {"call_id": f"call_{suffix}", "name": one.tool, "arguments": one.text}
    return {
        "id": f"msg_{suffix}",
        "type": "message",
        "status": "incomplete" if one.cut else "completed",
        "role": "assistant",
        "content": [_part(one.text)],
    }


def _part(text: str) -> JSON:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(body: JSON, one: Answer) -> JSON:
    given = body["input"]
    texts = [given] if isinstance(given, str) else [text_of(item.get("content")) for item in given]
    prompt = sum(map(count, [*texts, body.get("instructions") or ""]))
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": len(one.pieces),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": prompt + len(one.pieces),
    }


def _numbered(events: Iterator[JSON]) -> Iterator[JSON]:
    numbers = counter()
    return (event | {"sequence_number": next(numbers)} for event in events)


def _stream(whole: JSON, one: Answer) -> Iterator[JSON]:
    begun = whole | {"status": "in_progress", "incomplete_details": None, "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    item = whole["output"][0]
    empty: JSON = {"arguments": ""} if one.tool else {"content": []}
    yield {"type": "response.output_item.added", "output_index": 0, "item": item | {"status": "in_progress"} | empty}
    place = {"item_id": item["id"], "output_index": 0}
    yield from _call(one, place) if one.tool else _text(one, place | {"content_index": 0})
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield {"type": f"response.{whole['status']}", "response": whole}


def _call(one: Answer, place: JSON) -> Iterator[JSON]:
    for piece in one.pieces:
        yield place | {"type": "response.function_call_arguments.delta", "delta": piece}
    yield place | {"type": "response.function_call_arguments.done", "arguments": one.text, "name": one.tool}


def _text(one: Answer, place: JSON) -> Iterator[JSON]:
    yield place | {"type": "response.content_part.added", "part": _part("")}
    for piece in one.pieces:
        yield place | {"type": "response.output_text.delta", "delta": piece, "logprobs": []}
    yield place | {"type": "response.output_text.done", "text": one.text, "logprobs": []}
    yield place | {"type": "response.content_part.done", "part": _part(one.text)}
