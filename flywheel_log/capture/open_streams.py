"""Streams that are still being read: none is lost when the process ends, and none is recorded twice after a fork."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Protocol

from .identity_set import IdentitySet


class Unended(Protocol):
    """A call that is not over."""

    def ended(self, error: BaseException | None) -> None:
        """The stream is over; *error* is what ended it early."""

    def disown(self) -> None:
        """Record nothing in this process."""


unended = IdentitySet()
"""Calls that are `Unended`; other threads may begin and end some while one looks through them."""


def abandon(but: Iterable[Unended] = ()) -> None:
    """End every stream still open, except *but*, as recording is about to end; each becomes one `incomplete` event."""
    for call in {*unended}.difference(but):
        call.ended(GeneratorExit())


def _leave_to_parent() -> None:
    for call in unended:
        call.disown()
        unended.discard(call)


os.register_at_fork(after_in_child=_leave_to_parent)
