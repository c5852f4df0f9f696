"""OpenAI's responses as a chat: items become messages and tool calls; reasoning and hosted tools stay behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import chat
from .chat import JSON

SURFACE = "responses"

_NAMES = {"max_output_tokens": "max_completion_tokens"}
_GONE = ("instructions", "input", "tools", "tool_choice", "text", "reasoning")


def is_mine(request: JSON, response: JSON) -> bool:  # noqa: ARG001 - the projections' common signature
    """Whether the answer is a list of items."""
    return isinstance(response.get("output"), list)


def request(body: JSON) -> JSON | None:
    """The request as that of a chat completion."""
    given = body.get("input")
    if not isinstance(given, (str, list)) and "instructions" not in body:
        return None
    messages: list[JSON] = []
    if isinstance(body.get("instructions"), (str, list)):
        messages += _messages(body["instructions"], "system")
    messages += _messages(given, "user")
    return {**chat.renamed(body, _NAMES, _GONE), "messages": messages, **_tools(body), **_formats(body)}


def response(body: JSON) -> JSON | None:
    """The answer as a chat completion with one choice."""
    items = body.get("output")
    if not isinstance(items, list) or (not items and body.get("error")):
        return None
    said = [one for one in chat.objects(items) if "content" in one and one.get("type", "message") == "message"]
    texts = ["".join(_texts(one["content"], "text")) for one in said]
    refusal = "".join(text for one in said for text in _texts(one["content"], "refusal"))
    calls = [call for one in chat.objects(items) if (call := _call(one))]
    message = chat.message("assistant", "\n".join(filter(None, texts)) or None, calls, refusal)
    return chat.completion(body, [chat.choice(0, message, _finish(body))])


def _finish(body: JSON) -> str | None:
    if body.get("status") != "incomplete":
        return "stop" if body.get("status", "completed") == "completed" else None
    details = body.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    return "content_filter" if reason == "content_filter" else "length"


def _messages(given: Any, role: str) -> list[JSON]:
    """The messages of an input, a text or a list of items; what the assistant said and called at once is one."""
    if isinstance(given, str):
        return [chat.message(role, given)]
    found: list[JSON] = []
    for item in given if isinstance(given, list) else ():
        made, last = _message(item), found[-1] if found else {}
        if made is not None and made.get("tool_calls") and last.get("role") == "assistant":
            last["tool_calls"] = [*last.get("tool_calls", ()), *made["tool_calls"]]
        elif made is not None:
            found.append(made)
    return found


def _message(item: Any) -> JSON | None:
    match item:
        case {"type": "function_call_output" | "custom_tool_call_output", "call_id": call, "output": output}:
            return chat.tool_message(call, chat.content(_parts(output)) or "")
        case {"role": str(role), "content": said}:
            refusal = "".join(_texts(said, "refusal"))
            return chat.message(role, chat.content(_parts(said)), refusal=refusal)
        case str():
            return chat.message("user", item)
        case {}:
            call = _call(item)
            return chat.message("assistant", None, [call]) if call else None
    return None


def _call(item: JSON) -> JSON | None:
    match item:
        case {"type": "function_call", "name": name}:
            return chat.tool_call(item.get("call_id"), name, item.get("arguments", ""))
        case {"type": "custom_tool_call", "name": name}:
            custom = {"name": name, "input": item.get("input", "")}
            return {"id": item.get("call_id"), "type": "custom", "custom": custom}
    return None


def _texts(said: Any, name: str) -> Iterator[str]:
    if isinstance(said, str) and name == "text":
        yield said
    yield from (part[name] for part in chat.objects(said) if isinstance(part.get(name), str))


def _parts(said: Any) -> Iterator[JSON]:
    """The parts of a content, which is a text or a list of parts; a refusal is no content."""
    if isinstance(said, str):
        yield chat.text_part(said)
    for part in chat.objects(said):
        match part:
            case {"text": str(text)}:
                yield chat.text_part(text)
            case {"type": "input_image", "image_url": str(url)}:
                yield chat.media_part(url, "image")
            case {"type": "input_file", **file}:
                yield {"type": "file", "file": file}
            case {"refusal": _}:
                pass
            case _:
                yield part


def _tools(body: JSON) -> JSON:
    """Tools that are called in the program, and which may be; those that OpenAI hosts have no counterpart."""
    tools = []
    for one in chat.objects(body.get("tools")):
        inner = {key: value for key, value in one.items() if key != "type" and value is not None}
        if one.get("type") == "function":
            tools.append(chat.tool(inner.pop("name", None), inner.pop("parameters", None), **inner))
        elif one.get("type") == "custom":
            tools.append({"type": "custom", "custom": inner})
    if not tools:
        return {}
    match body.get("tool_choice"):
        case str(wanted):
            return {"tools": tools, "tool_choice": wanted}
        case {"type": "function" | "custom" as kind, "name": name}:
            return {"tools": tools, "tool_choice": {"type": kind, kind: {"name": name}}}
    return {"tools": tools}


def _formats(body: JSON) -> JSON:
    """How the answer is to be written, and how hard to think about it."""
    found: JSON = {}
    match body.get("text"):
        case {"format": {"type": "json_schema", "schema": schema, **more}}:
            known = {key: more.get(key) for key in ("description", "strict")}
            found["response_format"] = chat.json_schema(schema, more.get("name"), **known)
        case {"format": {"type": "json_object"}}:
            found["response_format"] = {"type": "json_object"}
    match body.get("reasoning"):
        case {"effort": str(effort)}:
            found["reasoning_effort"] = effort
    return found
