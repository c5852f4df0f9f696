"""What the middlewares for web applications share: who asks, and whose trace goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import scope, w3c
from .fields import fields_of
from .health import health


class Asked:
    """What is known of everybody who asks a web application.

    Args:
        **fields: stamped on every call whoever asks.

    Raises:
        TypeError: a field is none of an event's.
    """

    def __init__(self, **fields: Any) -> None:
        self._own = fields_of(**fields)

    def fields(self, known: Mapping[str, Any] | None) -> scope.Fields:
        """Return what is in force for a request of one of whom this is *known*."""
        return scope.merge(scope.current(), scope.merge(self._own, self._of(known)))

    def unknown(self, error: Exception) -> None:
        """Count that nobody could tell who asks; the request goes on without a name."""
        health.drop("identify", error)

    def _of(self, known: Mapping[str, Any] | None) -> scope.Fields:
        try:
            return fields_of(**known) if known else {}
        except Exception as error:  # noqa: BLE001 - whatever it is that the program has returned
            self.unknown(error)
            return {}


def asked_by(header: str | None) -> str | None:
    """The caller's *header* `traceparent`, unless its trace is under way: in an application mounted in another."""
    parent = w3c.parsed(header) if header else None
    return None if parent is not None and parent.trace_id == scope.current().get("trace_id") else header
