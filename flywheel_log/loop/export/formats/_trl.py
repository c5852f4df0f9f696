"""What all rows of TRL's datasets have: the prompt, and the tools."""

from __future__ import annotations

from flywheel_log.event import JSON

from ..example import Example
from ._lines import line
from ._template import spelt_out


def prompt(one: Example) -> JSON:
    """Return what *one* asks, and the tools as the JSON they are.

    As columns, the schemas of two tools would be one with the parameters of both, null where a tool has none of them.
    """
    tools = {"tools": line(one.tools).decode().strip()} if one.tools else {}
    return {"prompt": [*map(spelt_out, one.messages)], **tools}
