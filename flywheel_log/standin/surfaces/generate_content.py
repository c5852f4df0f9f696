"""POST …:generateContent of Google: text, function calls and JSON; its neighbour streams the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flywheel_log.standin.answers import Answer, compose, count, identifier, text_of
from flywheel_log.standin.wire import JSON, Received, Reply

METHOD = "POST"
PATH = ":generateContent"
REQUIRED = ("contents",)

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def answer(body: JSON, received: Received) -> Reply:
    """Answer contents; `:streamGenerateContent?alt=sse` gives one chunk a piece.

    A stream of the model `error-mid-stream` ends in an error after three pieces.
    """
    config = body.get("generationConfig") or {}
    one = compose(
        _last_said(body["contents"]),
        tool=_tool(body),
        schema=_lowered(config.get("responseJsonSchema") or config.get("responseSchema")),
        limit=config.get("maxOutputTokens"),
    )
    head = {"modelVersion": model_of(received), "responseId": identifier("", received)}
    usage = _usage(body, len(one.pieces))
    if ":stream" in received.route:
        return Reply.events(map(_frame, _stream(one, head, usage)))
    return Reply.json({"candidates": [_candidate([_part(one)], _finish(one))], "usageMetadata": usage, **head})


def model_of(received: Received) -> str:
    """The model, which stands in the path."""
    return received.route.rpartition("/")[2].partition(":")[0]


def own_error(status: int, message: str) -> JSON:
    """The body of an error as Google writes it."""
    return {"error": {"code": status, "message": message, "status": _STATUSES.get(status, "UNKNOWN")}}


def _last_said(contents: list[JSON]) -> str:
    texts = [text_of(one.get("parts")) for one in contents if one.get("role", "user") == "user"]
    return next(filter(None, reversed(texts)), "")  # A function's response is no prompt.


def _tool(body: JSON) -> JSON | None:
    declared = [one for tool in body.get("tools") or [] for one in tool.get("functionDeclarations") or []]
    last = body["contents"][-1] if body["contents"] else {}
    answered = any("functionResponse" in part for part in last.get("parts") or [])
    wanted = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    if not declared or answered or wanted.get("mode") == "NONE":
        return None
    one = declared[0]
    schema = one.get("parametersJsonSchema") or one.get("parameters_json_schema") or _lowered(one.get("parameters"))
    return {"name": one["name"], "parameters": schema}


def _lowered(schema: Any) -> Any:
    """A schema in Google's words (`"type": "STRING"`) as JSON schema."""
    if isinstance(schema, list):
        return [_lowered(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kind = {"type": schema["type"].lower()} if isinstance(schema.get("type"), str) else {}
    return {key: _lowered(one) for key, one in schema.items()} | kind


def _part(one: Answer) -> JSON:
    return {"functionCall": {"name": one.tool, "args": json.loads(one.text)}} if one.tool else {"text": one.text}


def _candidate(parts: list[JSON], finish: str | None) -> JSON:
    ended = {"finishReason": finish} if finish else {}
    return {"content": {"parts": parts, "role": "model"}, **ended, "index": 0}


def _finish(one: Answer) -> str:
    return "MAX_TOKENS" if one.cut else "STOP"


def _usage(body: JSON, written: int) -> JSON:
    asked = [one for one in (body.get("systemInstruction"), *body["contents"]) if one]
    prompt = sum(count(text_of(one.get("parts"))) for one in asked)
    return {"promptTokenCount": prompt, "candidatesTokenCount": written, "totalTokenCount": prompt + written}


def _stream(one: Answer, head: JSON, usage: JSON) -> Iterator[JSON]:
    parts = [_part(one)] if one.tool else [{"text": piece} for piece in one.pieces]
    for number, part in enumerate(parts):
        if head["modelVersion"] == "error-mid-stream" and number == 3:  # noqa: PLR2004 - as the other surfaces do
            yield own_error(503, "The stand-in was asked to break off.")
            return
        last = number == len(parts) - 1
        counted = usage if last else {key: value for key, value in usage.items() if key == "promptTokenCount"}
        yield {"candidates": [_candidate([part], _finish(one) if last else None)], "usageMetadata": counted, **head}


def _frame(chunk: JSON) -> bytes:
    return f"data: {json.dumps(chunk)}\r\n\r\n".encode()
