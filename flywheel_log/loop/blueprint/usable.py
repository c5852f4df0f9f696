"""The rules of NVIDIA's Data Flywheel for one record: what drops it, and what ends a whole run.

They are those of the blueprint's consumer, version 0.3.1, as found by running it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from flywheel_log.event import JSON, Event, to_document
from flywheel_log.projection.chat import objects

MOST_PARAMETERS = 8
LONGEST_NAME = 70

DROPPED = {
    "no_messages": "the request has no messages",
    "null_tools": "the request's tools are null",
    "failed": "the call failed: there is no answer",
    "no_choices": "the response has no choices",
    "no_message": "a choice has no message",
    "tool_parameters": f"a tool's parameters are null or more than {MOST_PARAMETERS}",
    "tool_call_type": 'a tool call lacks "type": "function"',
    "tool_arguments": "the arguments of a tool call are not valid JSON",
}
"""Why a record is dropped alone, by a short name."""

FATAL = {
    "null_request": "the request is null",
    "null_response": "the response is null",
    "null_choices": "the choices are null",
    "null_message": "a message is null",
    "no_content": "a message of the history has no content",
    "odd_timestamp": "the timestamp is not ISO 8601 with a T",
}
"""Why one record ends the whole run, by a short name."""

_SAFE_NAME = re.compile(r"[a-z0-9_]+([.-][a-z0-9_]+)*")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?([.,]\d+)?(Z|[+-]\d\d(:?\d\d)?)?")


def stored(event: Event) -> JSON:
    """Return *event* as Elasticsearch holds it: mended on delivery, or as the logger that wrote it left it."""
    if "id" not in event and "status" not in event:
        return dict(event)  # only the five keys: the document of another logger
    return to_document(event)


def fatal(document: JSON) -> list[str]:
    """Return what in *document* ends a whole run, as keys of `FATAL`."""
    request, response = document.get("request", {}), document.get("response", {})
    found = [f"null_{name}" for name, value in (("request", request), ("response", response)) if value is None]
    choices = response.get("choices", ()) if isinstance(response, dict) else ()
    if choices is None:
        found.append("null_choices")
    if any(choice.get("message", {}) is None for choice in objects(choices)):
        found.append("null_message")
    if any("content" not in message for message in objects((request or {}).get("messages"))):
        found.append("no_content")
    if not _ISO.fullmatch(str(document.get("timestamp"))):
        found.append("odd_timestamp")
    return found


def dropped(document: JSON) -> list[str]:
    """Return why *document* is dropped, as keys of `DROPPED`; an empty list if it is usable."""
    request, response = document.get("request") or {}, document.get("response") or {}
    found = []
    if not (isinstance(request.get("messages"), list) and request["messages"]):
        found.append("no_messages")
    if "tools" in request and request["tools"] is None:
        found.append("null_tools")
    if missing := _unanswered(response):
        return [*found, missing]
    if any(not _few_parameters(tool) for tool in objects(request.get("tools"))):
        found.append("tool_parameters")
    return found + sorted({problem for call in tool_calls(response) for problem in _misshapen(call)})


def tool_calls(response: JSON) -> list[Any]:
    """Return the tool calls of the first choice, the only one that is looked at."""
    choice = next(objects(response.get("choices")), {})
    message = choice.get("message")
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    return calls if isinstance(calls, list) else []


def unsafe_name(kind: Literal["client_id", "workload_id"], name: str) -> list[str]:
    """Return what keeps the id *name* from being part of the names of indices, data sets and repositories."""
    found = []
    if not _SAFE_NAME.fullmatch(name):
        found.append(f"{kind} {name!r} is not lower-case letters, digits and _, with single - or . between")
    if kind == "workload_id" and len(name) > LONGEST_NAME:
        found.append(f"{kind} {name!r} has {len(name)} characters; {LONGEST_NAME} are allowed")
    return found


def _unanswered(response: JSON) -> str | None:
    choices = response.get("choices")
    if not isinstance(choices, list) or not choices:
        return "failed" if response.get("error") is not None else "no_choices"
    sound = all(isinstance(choice, dict) and isinstance(choice.get("message"), dict) for choice in choices)
    return None if sound and all(choice["message"] for choice in choices) else "no_message"


def _few_parameters(tool: JSON) -> bool:
    function = tool.get("function")
    parameters = function.get("parameters", {}) if isinstance(function, dict) else {}
    if parameters is None:
        return False
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    return not isinstance(properties, dict) or len(properties) <= MOST_PARAMETERS


def _misshapen(call: Any) -> Iterator[str]:
    if not isinstance(call, dict) or call.get("type") != "function":
        yield "tool_call_type"
    function = call.get("function") if isinstance(call, dict) else None
    try:
        json.loads(function["arguments"] if isinstance(function, dict) else "")
    except (KeyError, TypeError, ValueError, RecursionError):
        yield "tool_arguments"
