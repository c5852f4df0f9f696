"""Prompts and answers of every API as the messages and parts of OpenTelemetry's conventions for generative AI.

https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from flywheel_log.event import JSON

_DATA_URL = re.compile(r"data:(?P<mime>[\w.+-]+/[\w.+-]+)?(?:;[\w=.-]+)*;base64,(?P<content>.*)", re.DOTALL)
_TEXTS = frozenset({"text", "input_text", "output_text"})
_THOUGHTS = ("reasoning_content", "reasoning")


def asked(request: JSON) -> list[JSON]:
    """The chat history in *request*: of chat completions, of the Responses API, of Anthropic's messages, or a text."""
    turns = next((request[key] for key in ("messages", "input", "prompt") if request.get(key)), None)
    if isinstance(turns, str):
        turns = [turns]
    return [_turn(turn) for turn in turns or () if isinstance(turn, str | dict)]


def instructions(request: JSON) -> list[JSON]:
    """The instructions that an API takes beside the history: the Responses API's, or Anthropic's."""
    return parts_of(request.get("instructions") or request.get("system"))


def answered(response: JSON) -> list[JSON]:
    """One message a choice; one that came to no end has the finish reason `error`, as the conventions want it."""
    if isinstance(choices := response.get("choices"), list):
        return [_choice(choice) for choice in choices if isinstance(choice, dict)]
    if isinstance(items := response.get("output"), list):
        parts = [part for item in items if isinstance(item, dict) for part in _turn(item)["parts"]]
        return [_said(parts, _responses_reason(response, parts))]
    if isinstance(response.get("content"), list):
        return [_said(parts_of(response["content"]), response.get("stop_reason"))]
    return []


def parts_of(content: Any) -> list[JSON]:
    """The parts of a message's *content*: a text, or a list of parts in the words of some API."""
    if isinstance(content, str):
        return [_text(content)] if content else []
    if not isinstance(content, list):
        return []
    return [_text(part) if isinstance(part, str) else _part(part) for part in content if isinstance(part, str | dict)]


def _choice(choice: JSON) -> JSON:
    turn = _turn(choice.get("message") or {"content": choice.get("text")})
    return _said(turn["parts"], choice.get("finish_reason"))


def _said(parts: list[JSON], reason: Any) -> JSON:
    return {"role": "assistant", "parts": parts, "finish_reason": str(reason or "error")}


def _responses_reason(response: JSON, parts: list[JSON]) -> str | None:
    if response.get("status") == "incomplete":
        return str((response.get("incomplete_details") or {}).get("reason") or "length")
    if response.get("status") != "completed":
        return None
    return "tool_call" if any(part["type"] == "tool_call" for part in parts) else "stop"


def _turn(turn: str | JSON) -> JSON:
    """One message, or one item of the Responses API."""
    if isinstance(turn, str):
        return {"role": "user", "parts": [_text(turn)]}
    match turn.get("type"):
        case "function_call" | "custom_tool_call":
            return {"role": "assistant", "parts": [_call(turn.get("call_id"), turn)]}
        case "function_call_output" | "custom_tool_call_output":
            return {"role": "tool", "parts": [_result(turn.get("call_id"), turn.get("output"))]}
        case "reasoning":
            thoughts = [*(turn.get("summary") or ()), *(turn.get("content") or ())]
            return {"role": "assistant", "parts": [_thought(one.get("text")) for one in thoughts]}
        case _:
            return _message(turn)


def _message(turn: JSON) -> JSON:
    role = str(turn.get("role") or "assistant")
    if role == "tool":
        return {"role": role, "parts": [_result(turn.get("tool_call_id"), turn.get("content"))]}
    parts = [_thought(turn[key]) for key in _THOUGHTS if isinstance(turn.get(key), str) and turn[key]]
    parts += parts_of(turn.get("content"))
    if turn.get("refusal"):
        parts.append({"type": "refusal", "content": turn["refusal"]})
    parts += [_call(call.get("id"), call.get("function") or call.get("custom") or {}) for call in _calls(turn)]
    named = {"name": turn["name"]} if isinstance(turn.get("name"), str) else {}
    return {"role": role, "parts": parts, **named}


def _calls(turn: JSON) -> list[JSON]:
    old = [{"function": turn["function_call"]}] if turn.get("function_call") else []
    return [call for call in [*(turn.get("tool_calls") or ()), *old] if isinstance(call, dict)]


def _part(part: JSON) -> JSON:
    """One part of a content, of OpenAI's or Anthropic's; one that is neither keeps its own words."""
    kind = part.get("type")
    if kind in _TEXTS:
        return _text(part.get("text"))
    match kind:
        case "thinking":
            return _thought(part.get("thinking"))
        case "refusal":
            return {"type": "refusal", "content": part.get("refusal")}
        case "tool_use":
            return _call(part.get("id"), {"name": part.get("name"), "arguments": part.get("input")})
        case "tool_result":
            return _result(part.get("tool_use_id"), part.get("content"))
        case "image_url" | "input_image" | "image" | "input_audio" | "document" | "input_file" | "file":
            return _media(part, _MODALITIES[str(kind)])
        case _:
            return {**part, "type": str(kind or "unknown")}


_MODALITIES = {
    "document": "document",
    "file": "document",
    "image": "image",
    "image_url": "image",
    "input_audio": "audio",
    "input_file": "document",
    "input_image": "image",
}


def _media(part: JSON, modality: str) -> JSON:
    """An image, a recording or a document: its bytes, its address or the id of a file, whichever there is."""
    inner = part.get(str(part["type"])) or part.get("source") or part
    inner = inner if isinstance(inner, Mapping) else {"url": inner}
    address = inner.get("url") or inner.get("image_url") or inner.get("file_url") or inner.get("file_data")
    if isinstance(address, str) and (data := _DATA_URL.match(address)):
        return _blob(modality, data["mime"], data["content"])
    if isinstance(address, str):
        return {"type": "uri", "modality": modality, "uri": address}
    if isinstance(data := inner.get("data"), str):
        mime = inner.get("media_type") or (f"{modality}/{inner['format']}" if inner.get("format") else None)
        return _blob(modality, mime, data)
    if isinstance(inner.get("file_id"), str):
        return {"type": "file", "modality": modality, "file_id": inner["file_id"]}
    return dict(part)


def _blob(modality: str, mime: str | None, content: str) -> JSON:
    return {"type": "blob", "modality": modality, **({"mime_type": mime} if mime else {}), "content": content}


def _text(text: Any) -> JSON:
    return {"type": "text", "content": str(text or "")}


def _thought(text: Any) -> JSON:
    return {"type": "reasoning", "content": str(text or "")}


def _call(identity: Any, function: Mapping[str, Any]) -> JSON:
    arguments = function.get("arguments", function.get("input"))
    if isinstance(arguments, str):
        with suppress(ValueError):  # What a model wrote, and got wrong, is told as it is.
            arguments = orjson.loads(arguments)
    return {"type": "tool_call", "id": identity, "name": str(function.get("name") or ""), "arguments": arguments}


def _result(identity: Any, content: Any) -> JSON:
    return {"type": "tool_call_response", "id": identity, "response": content}
