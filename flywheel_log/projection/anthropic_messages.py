"""Anthropic's messages as a chat: blocks become texts, parts and tool calls; thinking and hosted tools stay behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import chat
from .chat import JSON

SURFACE = "messages"

_FINISHES = {
    **dict.fromkeys(("end_turn", "stop_sequence", "pause_turn"), "stop"),
    **dict.fromkeys(("max_tokens", "model_context_window_exceeded"), "length"),
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def is_mine(request: JSON, response: JSON) -> bool:  # noqa: ARG001 - the projections' common signature
    """Whether the answer is a message with blocks."""
    return isinstance(response.get("content"), list)


def request(body: JSON) -> JSON | None:
    """The request as that of a chat completion."""
    if not isinstance(body.get("messages"), list):
        return None
    system = chat.content(_parts(body.get("system")))
    messages = [chat.message("system", system)] if system is not None else []
    for turn in chat.objects(body["messages"]):
        messages += _turn(turn)
    made = chat.renamed(body, {"stop_sequences": "stop"}, ("system", "messages", "tools", "tool_choice"))
    return {**made, "messages": messages, **_tools(body)}


def response(body: JSON) -> JSON | None:
    """The answer as a chat completion with one choice."""
    if not isinstance(body.get("content"), list):
        return None
    reason = body.get("stop_reason")
    finish = _FINISHES.get(reason, reason) if isinstance(reason, str) else None
    return chat.completion(body, [chat.choice(0, _said(body["content"]), finish)])


def _turn(turn: JSON) -> Iterator[JSON]:
    said = turn.get("content")
    if turn.get("role") == "assistant" and isinstance(said, list):
        yield _said(said)
        return
    results = [block for block in chat.objects(said) if block.get("type") == "tool_result"]
    for result in results:
        yield chat.tool_message(result.get("tool_use_id"), chat.content(_parts(result.get("content"))) or "")
    others = [one for one in chat.objects(said) if one.get("type") != "tool_result"] if isinstance(said, list) else said
    if others or not results:
        yield chat.message(str(turn.get("role")), chat.content(_parts(others)))


def _said(blocks: list[Any]) -> JSON:
    """The assistant's message: texts that citations have cut into pieces are one text."""
    texts = [block for block in chat.objects(blocks) if block.get("type") == "text"]
    calls = [
        chat.tool_call(block.get("id"), block.get("name"), block.get("input"))
        for block in chat.objects(blocks)
        if block.get("type") == "tool_use"
    ]
    return chat.message("assistant", chat.content(_parts(texts), ""), calls)


def _parts(said: Any) -> Iterator[JSON]:
    """The parts of a content, which is a text or a list of blocks."""
    if isinstance(said, str):
        yield chat.text_part(said)
    for block in chat.objects(said):
        match block:
            case {"type": "text", "text": str(text)} | {
                "type": "document",
                "source": {"type": "text", "data": str(text)},
            }:
                yield chat.text_part(text)
            case {"type": "image" | "document" as kind, "source": {"type": "base64", "media_type": form, "data": data}}:
                yield chat.media_part(chat.data_url(form, data), kind)
            case {"type": "image" | "document" as kind, "source": {"type": "url", "url": str(url)}}:
                yield chat.media_part(url, kind)
            case _:
                yield block


def _tools(body: JSON) -> JSON:
    """Tools that are called in the program, and which may be; those that Anthropic hosts have no counterpart."""
    own = [one for one in chat.objects(body.get("tools")) if "input_schema" in one]
    if not own:
        return {}
    tools = [
        chat.tool(one.get("name"), one["input_schema"], description=one.get("description"), strict=one.get("strict"))
        for one in own
    ]
    wanted = body.get("tool_choice")
    return {"tools": tools} | (_wanted(wanted) if isinstance(wanted, dict) else {})


def _wanted(wanted: JSON) -> JSON:
    match wanted:
        case {"type": "tool", "name": name}:
            found: JSON = {"tool_choice": {"type": "function", "function": {"name": name}}}
        case {"type": str(kind)} if kind in _CHOICES:
            found = {"tool_choice": _CHOICES[kind]}
        case _:
            found = {}
    return found | ({"parallel_tool_calls": False} if wanted.get("disable_parallel_tool_use") else {})
