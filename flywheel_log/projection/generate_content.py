"""Google's contents as a chat: parts become texts, media and tool calls; thoughts and hosted tools stay behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from . import chat
from .chat import JSON

SURFACE = "generate_content"

_ROLES = {"model": "assistant", "function": "user"}
_MODES = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto"}
_GONE = ("contents", "systemInstruction", "tools", "toolConfig", "generationConfig")
_CONFIGS = {
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "candidateCount": "n",
    "maxOutputTokens": "max_tokens",
    "stopSequences": "stop",
    "seed": "seed",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
}
_FILTERED = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE")
FINISHES = {
    **dict.fromkeys(_FILTERED, "content_filter"),
    **{f"IMAGE_{reason}": "content_filter" for reason in _FILTERED},
    "STOP": "stop",
    "MAX_TOKENS": "length",
}
"""Why a candidate has ended, in the words of a chat completion."""


def is_mine(request: JSON, response: JSON) -> bool:
    """Whether contents were asked, or candidates answered."""
    return isinstance(request.get("contents"), list) or isinstance(response.get("candidates"), list)


def request(body: JSON) -> JSON | None:
    """The request as that of a chat completion."""
    if not isinstance(body.get("contents"), list):
        return None
    system = chat.content(_parts(_list(body.get("systemInstruction"))))
    messages = [chat.message("system", system)] if system is not None else []
    open_calls: list[JSON] = []
    for number, turn in enumerate(chat.objects(body["contents"])):
        messages += _turn(turn, f"call_{number}", open_calls)
    left = chat.renamed(body, {}, _GONE)
    return {**left, **_config(body.get("generationConfig")), "messages": messages, **_tools(body)}


def response(body: JSON) -> JSON | None:
    """The answer as a chat completion with a choice for each candidate."""
    if not isinstance(body.get("candidates"), list):
        return None
    choices = []
    for place, one in enumerate(chat.objects(body["candidates"])):
        reason = one.get("finishReason")
        finish = FINISHES.get(reason, reason.lower()) if isinstance(reason, str) else None
        prefix = f"call_{body.get('responseId') or 'answer'}_{place}"
        choices.append(chat.choice(one.get("index", place), _said(_list(one.get("content")), prefix), finish))
    return chat.completion(body, choices, identifier="responseId", model="modelVersion")


def _list(said: Any) -> list[JSON]:
    """The parts of a content that are for others to see."""
    parts = said.get("parts") if isinstance(said, dict) else None
    return [_spelt(part) for part in chat.objects(parts) if not part.get("thought")]


def _spelt(given: Any) -> Any:
    """An object with its keys as the service documents them: the SDK sends some as Python spells them, `mime_type`."""
    if not isinstance(given, dict):
        return given
    return {re.sub("_([a-z])", lambda found: found[1].upper(), key): value for key, value in given.items()}


def _turn(turn: JSON, prefix: str, open_calls: list[JSON]) -> Iterator[JSON]:
    parts = _list(turn)
    role = _ROLES.get(str(turn.get("role", "user")), "user")
    if role == "assistant":
        said = _said(parts, prefix)
        open_calls += said.get("tool_calls", ())
        yield said
        return
    results = [part["functionResponse"] for part in parts if isinstance(part.get("functionResponse"), dict)]
    for result in results:
        yield chat.tool_message(_answered(result, open_calls), chat.written(result.get("response")))
    others = [part for part in parts if "functionResponse" not in part]
    if others or not results:
        yield chat.message(role, chat.content(_parts(others)))


def _answered(result: JSON, open_calls: list[JSON]) -> Any:
    """The id of the call that *result* answers: its own, or that of the first open call by that name."""
    if result.get("id"):
        return result["id"]
    for call in open_calls:
        if call["function"]["name"] == result.get("name"):
            open_calls.remove(call)
            return call["id"]
    return result.get("name")


def _said(parts: list[JSON], prefix: str) -> JSON:
    """The assistant's message; the service often leaves out the ids of calls, which then are made from *prefix*."""
    texts = [part for part in parts if isinstance(part.get("text"), str)]
    called = [part["functionCall"] for part in parts if isinstance(part.get("functionCall"), dict)]
    calls = [
        chat.tool_call(call.get("id") or f"{prefix}_{number}", call.get("name"), call.get("args") or {})
        for number, call in enumerate(called)
    ]
    return chat.message("assistant", chat.content(_parts(texts), ""), calls)


def _parts(parts: list[JSON]) -> Iterator[JSON]:
    for part in parts:
        spelt: JSON = {key: _spelt(part[key]) for key in ("inlineData", "fileData") if key in part}
        whole: JSON = {**part, **spelt}
        match whole:
            case {"text": str(text)}:
                yield chat.text_part(text)
            case {"inlineData": {"mimeType": str(kind), "data": data}}:
                yield chat.media_part(chat.data_url(kind, data), kind)
            case {"fileData": {"fileUri": str(uri), **file}}:
                yield chat.media_part(uri, str(file.get("mimeType", "")))
            case _:
                yield part


def _config(config: Any) -> JSON:
    if not isinstance(config, dict):
        return {}
    found = {name: config[key] for key, name in _CONFIGS.items() if config.get(key) is not None}
    schema = config.get("responseJsonSchema") or _schema(config.get("responseSchema"))
    if schema:
        found["response_format"] = chat.json_schema(schema)
    elif config.get("responseMimeType") == "application/json":
        found["response_format"] = {"type": "json_object"}
    return found


def _tools(body: JSON) -> JSON:
    """Tools that are called in the program, and which may be; those that Google hosts have no counterpart."""
    declared = [
        one for tool in chat.objects(body.get("tools")) for one in chat.objects(tool.get("functionDeclarations"))
    ]
    if not declared:
        return {}
    tools = [
        chat.tool(
            one.get("name"),
            one.get("parametersJsonSchema") or _schema(one.get("parameters")),
            description=one.get("description"),
        )
        for one in map(_spelt, declared)
    ]
    match body.get("toolConfig"):
        case {"functionCallingConfig": {"allowedFunctionNames": [str(name)]}}:
            return {"tools": tools, "tool_choice": {"type": "function", "function": {"name": name}}}
        case {"functionCallingConfig": {"mode": str(mode)}} if mode in _MODES:
            return {"tools": tools, "tool_choice": _MODES[mode]}
    return {"tools": tools}


def _schema(schema: Any) -> Any:
    """A schema in Google's words (`"type": "STRING"`) as JSON schema."""
    if isinstance(schema, list):
        return [_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: one.lower() if key == "type" and isinstance(one, str) else _schema(one) for key, one in schema.items()}
