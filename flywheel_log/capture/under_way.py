"""The call whose request is under way in this task or thread: what arrives belongs to it, and nothing is told twice."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Protocol

from ..health import health


class Requesting(Protocol):
    """A call, and whether its request is under way."""

    under_way: bool

    def came(self, http: Any, retries: int | None) -> None:
        """*http* has come, if any, after so many *retries*."""


current: ContextVar[Requesting | None] = ContextVar("flywheel_log.call", default=None)
"""The call that was entered last here; it may be over."""


def active() -> Requesting | None:
    """The call whose request is under way in this task or thread."""
    call = current.get()
    # A task started by a transport inherits the variable, and may outlive the request.
    return call if call is not None and call.under_way else None


def arrived(told: Mapping[str, Any]) -> None:
    """The SDK is about to read a response, as it is *told*: the one moment when every kind of call shows its HTTP."""
    try:
        call = active()
        if call is not None:
            call.came(told.get("response"), told.get("retries_taken"))
    except Exception as error:  # noqa: BLE001 - a guard of its own: a decorator costs as much as the half of this
        health.drop("capture", error)
