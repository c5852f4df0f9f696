"""`openai`: chats to fine-tune with, as OpenAI's service and most trainers take them: messages, and tools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flywheel_log import projection
from flywheel_log.event import JSON

from ..example import Example
from ._lines import JSON_LINES, write_lines

PAIRS = False
MEDIA = (("user", "image_url"),)
FILES = JSON_LINES


def write(path: Path, part: str, examples: Sequence[Example]) -> int:  # noqa: ARG001  all sets look alike
    """Write one chat a line, the answer as its last message, and the only one to be learnt."""
    return write_lines(path, map(row, examples))


def row(one: Example) -> JSON:
    """Return *one* as a chat: the messages, the answer after them, and the tools if there are any.

    What the assistant had said before weighs nothing: it is an example of its own, or was refused as one.
    """
    return {"messages": [*map(_known, one.messages), one.answer], **_tools(one)}


def _tools(one: Example) -> JSON:
    if not one.tools:
        return {}
    single = projection.as_chat(one.event)[0].get("parallel_tool_calls") is False
    return {"tools": one.tools} | ({"parallel_tool_calls": False} if single else {})


def _known(message: JSON) -> JSON:
    return message | {"weight": 0} if message.get("role") == "assistant" else message
