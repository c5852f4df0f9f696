"""A call as a training example: what was asked, what was answered, and what should have been answered."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from flywheel_log import projection
from flywheel_log.event import JSON, Event
from flywheel_log.projection import anthropic_messages, chat

from ..conversation import text_of
from ..digest import digest
from ..feedback import Feedback
from ..values import finite, utc
from .functions import as_tools, calls_custom, offered

_LEARNT = ("role", "content", "tool_calls", "function_call")
_SAID = (*_LEARNT, "name", "tool_call_id")
_CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True)
class Example:
    """One question and its answer.

    Attributes:
        event: the call it comes from.
        messages: what was asked, as chat messages without nulls, nor anything else that only an API's answers have.
        answer: the assistant's message to learn: the correction where there is one.
        given: the assistant's message that was really given; None if there was none.
        feedback: what was said about it.
    """

    event: Event
    messages: list[JSON]
    answer: JSON | None
    given: JSON | None
    feedback: Feedback

    @property
    def id(self) -> str:
        """The call's id, or its time where another logger wrote it."""
        return self.event.get("id") or self.event["timestamp"]

    @property
    def timestamp(self) -> str:
        """When the call began, in UTC."""
        return utc(self.event["timestamp"])

    @property
    def rank(self) -> tuple[bool, bool, str, str]:
        """What of equal examples the greatest is kept of: a corrected one, else one rated good, else the newest."""
        good = self.feedback.verdict == "good"
        return self.feedback.correction is not None, good, self.timestamp, self.id

    @property
    def openings(self) -> tuple[bytes, ...]:
        """Digests of what the user said until the first time, the second, ... and the last; never empty.

        A later call of the same conversation has the last one of an earlier call among its own. What every call begins
        with, such as examples of questions and answers, is the last one of none.
        """
        said: list[Any] = [message for message in self.messages if message.get("role") == "user"] or [self.messages]
        return tuple(accumulate(said, lambda before, one: digest([before.hex(), one]), initial=b""))[1:]

    @property
    def belongs_to(self) -> tuple[Hashable, ...]:
        """The session and the trace, as far as it has them."""
        named = ((name, self.event.get(name)) for name in ("session_id", "trace_id"))
        return tuple((name, value) for name, value in named if isinstance(value, str) and value)

    @cached_property
    def tools(self) -> list[Any]:
        """The tools of functions that were offered, without nulls."""
        tools: list[Any] = without_nulls(offered(projection.as_chat(self.event)[0]))
        return tools

    @property
    def is_custom(self) -> bool:
        """Whether a tool of free text is called in it, which no trainer knows."""
        return any(map(calls_custom, (*self.messages, self.answer or {})))

    @property
    def media(self) -> set[tuple[str, str]]:
        """What is no text, such as images and sounds: the role that said it and its type, "" where it has none."""
        said = [(str(one.get("role", "")), one.get("content")) for one in (*self.messages, self.answer or {})]
        parts = [(role, part) for role, content in said if isinstance(content, list) for part in content or [None]]
        types = {(role, str(part.get("type", "")) if isinstance(part, dict) else "") for role, part in parts}
        return {(role, kind) for role, kind in types if kind != "text"}

    @property
    def tool(self) -> str:
        """The name of the first tool that the answer calls; empty if it calls none."""
        calls = (self.answer or {}).get("tool_calls") or [{}]
        function = calls[0].get("function") if isinstance(calls[0], dict) else None
        return str(function.get("name", "")) if isinstance(function, dict) else ""

    @property
    def tokens(self) -> int:
        """How long question and answer are: the provider's count, else a token for each four characters."""
        asked, answered = (finite(self.event.get(name)) for name in ("input_tokens", "output_tokens"))
        if asked is not None and answered is not None:
            return int(asked + answered)
        return len(self.text) // _CHARACTERS_A_TOKEN

    @cached_property
    def text(self) -> str:
        """All that is asked and answered, as text."""
        return _text([*self.messages, self.answer or {}])

    @property
    def latest(self) -> str:
        """What was said from the user's last message on, as text: what tells this call from others of its kind."""
        spoken = [at for at, one in enumerate(self.messages) if one.get("role") == "user"]
        return _text([*self.messages[spoken[-1] if spoken else 0 :], self.answer or {}])

    @cached_property
    def asked(self) -> bytes:
        """A digest of what was asked."""
        return digest([self.messages, self.tools])

    @cached_property
    def content(self) -> bytes:
        """A digest of what was asked and of the answer."""
        return digest([self.messages, self.tools, self.answer])


def example(event: Event, feedback: Feedback) -> Example | None:
    """Return *event*, in the shape of a chat, as an example; None if it is no chat: it has no messages."""
    request, response = projection.as_chat(event)
    messages, given = _chat(request, response)
    if event.get("surface") == anthropic_messages.SURFACE:
        messages, given = _begun(messages, given)
    if not messages:
        return None
    answer = given if feedback.correction is None else _correction(feedback.correction, len(messages))
    return Example(event, messages, answer, given, feedback)


def without_nulls(value: Any) -> Any:
    """Return *value* without the keys that are null, at any depth."""
    match value:
        case dict():
            return {key: without_nulls(one) for key, one in value.items() if one is not None}
        case list():
            return [without_nulls(one) for one in value]
        case _:
            return value


def _text(messages: Iterable[JSON]) -> str:
    return "\n".join(text_of(one.get("content")) + text_of(one.get("tool_calls")) for one in messages)


def _chat(request: JSON, response: JSON) -> tuple[list[JSON], JSON | None]:
    messages = request.get("messages")
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        return [], None
    choices = response.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    said = [_said(one, place) for place, one in enumerate(messages)]
    return said, _answer(message, len(said)) if isinstance(message, dict) else None


def _begun(messages: list[JSON], given: JSON | None) -> tuple[list[JSON], JSON | None]:
    """The chat with one answer, where its last message is the beginning that Anthropic's models went on with.

    They do not repeat it, and no chat template has two messages of the assistant in a row.
    """
    *before, last = messages or [{}]
    begun, rest = last.get("content"), (given or {}).get("content")
    if last.get("role") != "assistant" or last.get("tool_calls") or not isinstance(begun, str) or given is None:
        return messages, given
    return before, {**given, "content": begun + rest if isinstance(rest, str) else begun}


def _said(message: JSON, place: int) -> JSON:
    """A message of the history in the words that all trainers know; programs may send answers back as they were."""
    said = _kept(message, _SAID)
    if message.get("refusal") and not said.get("content"):
        said["content"] = message["refusal"]
    return said | {"role": "system"} if message.get("role") == "developer" else as_tools(said, place)


def _answer(message: Mapping[str, Any], place: int) -> JSON | None:
    kept = {"role": "assistant", **_kept(message, _LEARNT)}
    if not kept.get("tool_calls"):
        kept.pop("tool_calls", None)
    said = kept.get("content")
    silent = not said.strip() if isinstance(said, str) else not said
    return None if silent and not (kept.get("tool_calls") or kept.get("function_call")) else as_tools(kept, place)


def _kept(message: Mapping[str, Any], keys: Iterable[str]) -> JSON:
    """What *message* has of *keys*; a content that is nothing but texts is one, for many trainers know no parts."""
    kept: JSON = without_nulls({key: message[key] for key in keys if key in message})
    parts = kept.get("content")
    if isinstance(parts, list) and parts and all(isinstance(one, dict) for one in parts):
        kept["content"] = chat.content(parts)
    return kept


def _correction(correction: Any, place: int) -> JSON | None:
    if isinstance(correction, dict):
        return _answer(correction, place)
    return {"role": "assistant", "content": text_of(correction)}
