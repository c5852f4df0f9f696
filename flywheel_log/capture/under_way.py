"""The call whose request is in flight in this task or thread: what arrives belongs to it, and is counted once."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Any, Protocol

from ..health import health
from .patches import bindable


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


def _arrived(told: Mapping[str, Any]) -> None:
    """The SDK is about to read a response, as it is *told*: the one moment when every kind of call shows its HTTP."""
    try:
        call = active()
        if call is not None:
            call.came(told.get("response"), told.get("retries_taken"))
    except Exception as error:  # noqa: BLE001 - a guard of its own: a decorator costs as much as the half of this
        health.drop("capture", error)


def telling(method: Any) -> Any:
    """Make, of the method by which a client reads responses, one that tells the call under way of each."""
    binder = bindable(method)

    @wraps(method)
    def process(client: Any, *args: Any, **kwargs: Any) -> Any:
        _arrived(kwargs)
        return binder.__get__(client, type(client))(*args, **kwargs)

    return process


def telling_async(method: Any) -> Any:
    """As `telling`, for an asynchronous client."""
    binder = bindable(method)

    @wraps(method)
    async def process(client: Any, *args: Any, **kwargs: Any) -> Any:
        _arrived(kwargs)
        return await binder.__get__(client, type(client))(*args, **kwargs)

    return process
