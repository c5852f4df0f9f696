"""What must be known about a record to say whether a blueprint run would use it, without keeping the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flywheel_log.event import JSON, Event
from flywheel_log.loop.digest import digest
from flywheel_log.loop.values import instant
from flywheel_log.projection.chat import objects

from .usable import dropped, fatal, stored, tool_calls

_OLDEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One record.

    Attributes:
        id: its id, or its time where another logger wrote it.
        moment: its time, to sort by; one that cannot be read is the oldest.
        fatal, dropped: why it ends a run, or is dropped, as `usable` names it.
        content: a digest of messages and choices, by which equal records are found.
        asked: a digest of the user's messages, by which questions are compared; None where they are not compared: there
            are none, or one is not plain text.
        calls: whether its first answer calls tools; `wants_tools`: whether any answer says so.
        tools: whether its request offers tools.
        marks: why a dataset had better not take it.
    """

    id: str
    moment: datetime
    fatal: tuple[str, ...]
    dropped: tuple[str, ...]
    content: bytes
    asked: bytes | None
    calls: bool
    wants_tools: bool
    tools: bool
    marks: tuple[str, ...]

    @classmethod
    def of(cls, event: Event) -> Candidate:
        """Look at *event* as Elasticsearch holds it."""
        try:
            document = stored(event)
        except (TypeError, AttributeError):  # so odd that it is delivered without its content
            document = {"timestamp": event["timestamp"], "request": {}, "response": {}}
        request, response = document.get("request") or {}, document.get("response") or {}
        return cls(
            id=event.get("id") or event["timestamp"],
            moment=instant(event["timestamp"]) or _OLDEST,
            fatal=tuple(fatal(document)),
            dropped=tuple(dropped(document)),
            content=digest([request.get("messages", []), response.get("choices", [])]),
            asked=_asked(request.get("messages")),
            calls=bool(tool_calls(response)),
            wants_tools=any(map(_wants_tools, objects(response.get("choices")))),
            tools="tools" in request,
            marks=tuple(map(str, event.get("training_unsafe") or ())),
        )


def _asked(messages: Any) -> bytes | None:
    users = [one for one in objects(messages) if one.get("role") == "user"]
    contents = [one["content"] for one in users if one.get("content")]
    return digest(contents) if contents and all(isinstance(one, str) for one in contents) else None


def _wants_tools(choice: JSON) -> bool:
    message: JSON = choice["message"] if isinstance(choice.get("message"), dict) else {}
    return bool(message.get("tool_calls")) or choice.get("finish_reason") == "tool_calls"
