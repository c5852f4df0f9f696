"""POST /moderations."""

from __future__ import annotations

from ...event import JSON, Kind
from .unstreamed import FIRST_TEXT, SAYS, SUMS_UP, TEXT, assemble, finished, marks

__all__ = ["FIRST_TEXT", "KIND", "NAME", "PATH", "SAYS", "SUMS_UP", "TEXT", "assemble", "finished", "marks", "tokens"]

NAME = "moderations"
PATH = "/moderations"
KIND: Kind = "moderation"


def tokens(response: JSON) -> JSON:  # noqa: ARG001 - the surfaces' common signature
    """Moderations count no tokens."""
    return {}
