"""Convert function calls, the predecessors of tools, into tool calls, which all trainers know."""

from __future__ import annotations

from typing import Any

from flywheel_log.event import JSON


def as_tools(message: JSON, place: int) -> JSON:
    """Return *message*, the one at *place* in its chat, with its call of a function, or the answer to one, as a tool's.

    Such calls have no ids; a call and the answer behind it are given one by the place of the call.
    """
    match message:
        case {"function_call": {"name": _} as function, **others}:
            call = {"id": f"call_{place}", "type": "function", "function": function}
            return {**others, "tool_calls": [call]}
        case {"role": "function", **others}:
            return {**others, "role": "tool", "tool_call_id": f"call_{place - 1}"}
        case _:
            return message


def offered(request: JSON) -> list[Any]:
    """Return the tools that *request* offers, its functions among them; those of another kind cannot be taught."""
    tools, functions = (request.get(key) for key in ("tools", "functions"))
    found = [one for one in tools if not is_custom(one)] if isinstance(tools, list) else []
    return found + [{"type": "function", "function": one} for one in (functions if isinstance(functions, list) else ())]


def is_custom(tool: Any) -> bool:
    """Tell whether *tool*, offered or called, is one of free text; trainers know those with arguments in JSON alone."""
    return isinstance(tool, dict) and tool.get("type") == "custom"


def calls_custom(message: JSON) -> bool:
    """Tell whether *message* calls a tool of free text."""
    calls = message.get("tool_calls")
    return isinstance(calls, list) and any(map(is_custom, calls))
