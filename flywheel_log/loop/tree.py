"""The events of one trace as a tree: every step with the calls, retrievals and steps inside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from flywheel_log.event import Event

from .feedback import response_id_of


@dataclass
class Branch:
    """One event of a trace, and those inside it in the order in which they began."""

    event: Event
    inside: list[Branch] = field(default_factory=list)

    def walk(self) -> list[Branch]:
        """Return this one and all inside it, each before those inside it, however deep they go."""
        found = [self]
        for branch in found:  # it grows as it is gone through
            found += branch.inside
        return found


def tree(events: Iterable[Event]) -> list[Branch]:
    """Return the outermost events of a trace, earliest first; one whose parent is not among *events* is outermost.

    Feedback belongs to the call that it is about, where that is among them.
    """
    branches = [Branch(event) for event in sorted(events, key=lambda event: event["timestamp"])]
    by_name: dict[str, Branch] = {}
    for branch in branches:
        for name in (branch.event.get("span_id"), branch.event.get("id"), response_id_of(branch.event)):
            if isinstance(name, str):
                by_name.setdefault(name, branch)
    outermost = []
    for branch in branches:
        parent = by_name.get(branch.event.get("target") or branch.event.get("parent_id") or "")
        if parent is None or any(one is parent for one in branch.walk()):  # what others have written may go in circles
            outermost.append(branch)
        else:
            parent.inside.append(branch)
    return outermost
