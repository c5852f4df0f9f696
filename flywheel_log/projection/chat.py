"""The pieces of a chat completion, which the projections put together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

JSON = dict[str, Any]


def objects(value: Any) -> Iterator[JSON]:
    """The objects in *value*, a list; none where it is no list."""
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def content(parts: Iterable[JSON], between: str = "\n") -> str | list[JSON] | None:
    """Parts as a message's content: one text, joined by *between*, as long as they are text; None for no parts."""
    found = list(parts)
    texts = [part["text"] for part in found if part.get("type") == "text" and isinstance(part.get("text"), str)]
    return found if len(texts) < len(found) else between.join(texts) if found else None


def text_part(text: str) -> JSON:
    """*text* as a part of a content."""
    return {"type": "text", "text": text}


def media_part(url: str, kind: str) -> JSON:
    """What stands at *url*, perhaps in the URL itself, as a part of a content; *kind* is its media type, or `image`."""
    if kind.startswith("image"):
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "file", "file": {"file_data": url}}


def data_url(kind: Any, data: Any) -> str:
    """Data in base64 as a URL."""
    return f"data:{kind};base64,{data}"


def message(role: str, said: Any, calls: list[JSON] | None = None, refusal: str = "") -> JSON:
    """A message; it has a content in any case, and calls or a refusal where there are some."""
    made: JSON = {"role": role, "content": said}
    if refusal:
        made["refusal"] = refusal
    return made | {"tool_calls": calls} if calls else made


def tool_call(identifier: Any, name: Any, arguments: Any) -> JSON:
    """A call of a function; arguments that are no text become the JSON they are."""
    function = {"name": name, "arguments": written(arguments)}
    return {"id": identifier, "type": "function", "function": function}


def tool_message(identifier: Any, said: Any) -> JSON:
    """What a tool answered to the call *identifier*."""
    return {"role": "tool", "tool_call_id": identifier, "content": said}


def written(value: Any) -> str:
    """*value* as JSON, unless it is text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def tool(name: Any, parameters: Any, **more: Any) -> JSON:
    """A function that the model may call; what is None is left out."""
    function = {"name": name, "description": more.pop("description", None), "parameters": parameters, **more}
    return {"type": "function", "function": {key: value for key, value in function.items() if value is not None}}


def json_schema(schema: Any, name: Any = "answer", **more: Any) -> JSON:
    """The `response_format` of an answer that fits *schema*."""
    described = {"name": name, "schema": schema, **more}
    described = {key: value for key, value in described.items() if value is not None}
    return {"type": "json_schema", "json_schema": described}


def choice(index: int, said: JSON, finish: str | None) -> JSON:
    """One answer; one that calls tools and just stopped has stopped for them."""
    finish = "tool_calls" if finish == "stop" and said.get("tool_calls") else finish
    return {"index": index, "message": said, "finish_reason": finish}


def completion(response: JSON, choices: list[JSON], *, identifier: str = "id", model: str = "model") -> JSON:
    """A `chat.completion` of *choices*, with the id and the model that *response* calls *identifier* and *model*."""
    named = {"id": response.get(identifier), "object": "chat.completion", "model": response.get(model)}
    return {key: value for key, value in named.items() if value is not None} | {"choices": choices}


def renamed(request: JSON, names: dict[str, str], gone: Iterable[str]) -> JSON:
    """*request* with other names for some keys, and without those that are *gone*, or null."""
    left = {key: value for key, value in request.items() if key not in gone and value is not None}
    return {names.get(key, key): value for key, value in left.items()}
