"""Who said what: the turns of an event, whichever API it went through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flywheel_log import projection
from flywheel_log.event import JSON, Event
from flywheel_log.wording import counted


@dataclass(frozen=True)
class ToolCall:
    """A tool the model wants called; *arguments* is JSON as the model wrote it."""

    name: str
    arguments: str

    def __str__(self) -> str:
        return f"{self.name}({self.arguments})"


@dataclass(frozen=True)
class Turn:
    """What one side said: its text, and the tools it wants called. *note* is the finish reason or the call answered."""

    role: str
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    note: str = ""

    @property
    def said(self) -> list[str]:
        """The text, if there is any, and the calls as `name(arguments)`."""
        return [*filter(None, [self.text]), *map(str, self.calls)]


@dataclass(frozen=True)
class Conversation:
    """What was asked, from the first message to the last, and every answer (several for `n` > 1)."""

    asked: tuple[Turn, ...]
    answered: tuple[Turn, ...]


def conversation(event: Event) -> Conversation:
    """Return the turns of *event*; what has no known shape is left out, and an error is not an answer."""
    request, response = projection.as_chat(event)
    return Conversation(tuple(_asked(request)), tuple(_answered(response)))


def kept_by_server(request: Any) -> bool:
    """Tell whether *request* goes on from something that only the server has: a response, a conversation, a prompt."""
    if not isinstance(request, dict):
        return False
    return bool(
        request.get("previous_response_id") or request.get("conversation") or isinstance(request.get("prompt"), dict)
    )


def _asked(request: JSON) -> Iterator[Turn]:
    given: Any = next((request[key] for key in ("messages", "input", "prompt") if request.get(key)), [])
    for one in given if isinstance(given, list) else [given]:
        yield _turn(one)


def _turn(item: Any) -> Turn:
    match item:
        case {"role": role, **rest}:
            wanted = [*_list(rest.get("tool_calls")), {"function": rest.get("function_call")}]
            note = rest.get("tool_call_id") or rest.get("name") or ""
            text = text_of(rest.get("content")) or text_of(rest.get("refusal"))
            return Turn(str(role), text, tuple(_calls(wanted)), str(note))
        case _:
            return Turn("user", _part(item))


def _answered(response: JSON) -> Iterator[Turn]:
    for choice in _list(response.get("choices")):
        match choice:
            case {"message": {} as message}:
                turn = _turn({"role": "assistant", **message})
                yield replace(turn, note=str(choice.get("finish_reason") or ""))
            case {"text": text}:
                yield Turn("assistant", text_of(text), note=choice.get("finish_reason") or "")
    yield from map(_verdict, _list(response.get("results")))
    if vectors := _list(response.get("data")):
        yield Turn("assistant", f"[{counted(len(vectors), 'vector')}]")


def _verdict(result: Any) -> Turn:
    categories = result.get("categories") or {} if isinstance(result, dict) else {}
    hits = ", ".join(name for name, hit in categories.items() if hit)
    return Turn("assistant", f"[flagged: {hits}]" if hits else "[not flagged]")


def _calls(items: list[Any]) -> Iterator[ToolCall]:
    for item in items:
        match item:
            case {"function": {"name": str(name), **rest}}:
                yield ToolCall(name, text_of(rest.get("arguments")))
            case {"custom": {"name": str(name), **rest}}:
                yield ToolCall(name, text_of(rest.get("input")))


def text_of(content: Any) -> str:
    """Return *content* as text: strings as they are, parts line by line, media by their kind, the rest as JSON."""
    match content:
        case None:
            return ""
        case str():
            return content
        case list() if any(isinstance(part, (dict, str)) for part in content):
            return "\n".join(filter(None, map(_part, content)))
        case _:
            return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _part(part: Any) -> str:
    match part:
        case {"text": str(text)} | {"refusal": str(text)}:
            return text
        case {"type": str(kind)}:
            return f"[{kind}]"
        case _:
            return text_of(part)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
