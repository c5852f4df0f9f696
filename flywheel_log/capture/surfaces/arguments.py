"""The arguments of a tool call: JSON that a model wrote, and may have got wrong."""

from __future__ import annotations

import json
from typing import Any


def parsed(text: str) -> Any:
    """*text* as JSON, or as the text it is where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def valid(text: object) -> bool:
    """Whether *text*, if it is one, is an object in JSON; small models write a text of one, or a bare value."""
    try:
        return not isinstance(text, str) or isinstance(json.loads(text), dict)
    except ValueError:
        return False
