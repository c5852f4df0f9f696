"""Messages as the chat templates of open models read them."""

from __future__ import annotations

import json
from typing import Any

from flywheel_log.event import JSON


def spelt_out(message: JSON) -> JSON:
    """Return *message* with a content in any case, and with objects for the arguments of its tool calls.

    A template writes them as JSON: of a text, it makes a text in a text.
    """
    calls = message.get("tool_calls")
    called = {"tool_calls": [_with_object(call) for call in calls]} if isinstance(calls, list) else {}
    return {"content": "", **message, **called}


def _with_object(call: Any) -> Any:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
        return call
    try:
        return {**call, "function": {**function, "arguments": json.loads(function["arguments"])}}
    except ValueError:  # in the history, where it was answered by an error
        return call
