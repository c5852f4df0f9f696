"""`openai`: chats to fine-tune with, as OpenAI's service and most trainers take them: messages, and tools."""

from __future__ import annotations

from functools import partial

from flywheel_log import projection
from flywheel_log.event import JSON

from ..example import Example
from . import Format
from ._lines import lines


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


FORMAT = Format(lines(partial(map, row)), media=(("user", "image_url"),))
