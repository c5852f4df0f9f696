"""What surfaces that never stream have in common."""

from __future__ import annotations

import re

from ...event import JSON

TEXT = FIRST_TEXT = re.compile(rb"(?!)")  # Matches nothing.
SUMS_UP = None
SAYS = frozenset[str]()


def assemble(events: list[JSON]) -> JSON:
    """The one event there can be."""
    return events[-1] if events else {}


def finished(response: JSON, request: JSON) -> bool:  # noqa: ARG001 - the surfaces' common signature
    """A body that was read is whole."""
    return bool(response)


def marks(response: JSON) -> list[str]:  # noqa: ARG001 - the surfaces' common signature
    """Nothing here is an answer that a dataset could take."""
    return []
