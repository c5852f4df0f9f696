"""POST /moderations."""

from __future__ import annotations

import re

from ...event import JSON, Kind
from .unstreamed import assemble, finished, marks

__all__ = ["FIRST_TEXT", "KIND", "NAME", "PATH", "TEXT", "assemble", "finished", "marks", "tokens"]

NAME = "moderations"
PATH = "/moderations"
KIND: Kind = "moderation"
TEXT = re.compile(rb'"results"\s*:\s*"')
FIRST_TEXT = re.compile(rb'"results"')
SUMS_UP = None
SAYS = frozenset[str]()


def tokens(response: JSON) -> JSON:  # noqa: ARG001 - the surfaces' common signature
    """Moderations count no tokens."""
    return {}
