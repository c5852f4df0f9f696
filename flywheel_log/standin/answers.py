"""What the stand-in says: text and values derived only from the prompt and the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from .wire import JSON, Received

CREATED = 1_750_000_000
"""The time of every answer, in epoch seconds: the same request to a fresh server gets the same bytes."""

_QUOTED = 200
_DEPTH = 8


@dataclass(frozen=True)
class Answer:
    """One answer: its pieces (tokens) of text or, when `tool` is the name of one, of the tool's JSON arguments."""

    pieces: tuple[str, ...]
    tool: str | None = None
    cut: bool = False
    refused: bool = False

    @property
    def text(self) -> str:
        """All pieces as one string."""
        return "".join(self.pieces)


def compose(prompt: str, *, tool: JSON | None, schema: JSON | None, limit: int | None, choice: int = 0) -> Answer:
    """Answer *prompt*: by a call of *tool* (`name`, `parameters`), by JSON that fits *schema*, or by a sentence.

    *limit* is the greatest number of tokens; an answer that is longer is `cut`. Tool calls are never cut.
    """
    if tool is not None:
        arguments = json.dumps(fit(tool.get("parameters") or {}, prompt))
        return Answer(tokenise(arguments), tool=tool["name"])
    sentence = f"This is the stand-in, not a model. You said: {_short(prompt)}"
    if choice:
        sentence += f" (choice {choice})"
    pieces = tokenise(sentence if schema is None else json.dumps(fit(schema, prompt)))
    cut = limit is not None and len(pieces) > limit
    return Answer(pieces[:limit], cut=cut)


def tokenise(text: str) -> tuple[str, ...]:
    """Split *text* into pieces of about a token's size; joined they are *text* again."""
    return tuple(re.findall(r" ?\w{1,6}|\W", text))


def count(text: str) -> int:
    """Return a plausible number of tokens: about one for four characters, and never none."""
    return len(text) // 4 + 1


def identifier(prefix: str, received: Received) -> str:
    """Return an id that is unique on this server and the same on the next one."""
    return prefix + blake2b(received.body + str(received.number).encode(), digest_size=12).hexdigest()


def text_of(content: Any) -> str:
    """Return the text of a message's *content*: a string, a list of parts (those with `text`), or nothing."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def last_prompt(messages: Iterable[Any]) -> str:
    """Return the text of the last message of the user; empty if there is none."""
    users = [message for message in messages if isinstance(message, dict) and message.get("role") == "user"]
    return text_of(users[-1].get("content")) if users else ""


def fit(schema: JSON, text: str) -> Any:
    """Return a value that fits a simple JSON schema; its strings are *text*, its numbers 0 or the minimum.

    Understood: type, properties, items, minItems, minimum, enum, examples, const, default, anyOf, oneOf, allOf and
    local $ref.
    """
    return _fit(schema, _short(text), schema, 0)


def _fit(schema: Any, text: str, root: JSON, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > _DEPTH:
        return None
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    for several in ("enum", "examples"):
        if schema.get(several):
            return schema[several][0]
    if "$ref" in schema:
        return _fit(_resolve(schema["$ref"], root), text, root, depth + 1)
    for several in ("anyOf", "oneOf", "allOf"):
        if schema.get(several):
            return _fit(schema[several][0], text, root, depth + 1)
    return _fit_type(schema, text, root, depth)


def _fit_type(schema: JSON, text: str, root: JSON, depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            properties = schema.get("properties") or {}
            return {name: _fit(inner, text, root, depth + 1) for name, inner in properties.items()}
        case "array":
            return [_fit(schema.get("items", {}), text, root, depth + 1)] * max(1, schema.get("minItems", 1))
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return text


def _resolve(reference: str, root: JSON) -> Any:
    value: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        value = value.get(step) if isinstance(value, dict) and step else value
    return value


def _short(text: str) -> str:
    return text if len(text) <= _QUOTED else text[: _QUOTED - 1] + "…"
