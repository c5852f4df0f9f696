"""What the middlewares for web applications share: whose request it is, and which trace goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from . import scope, w3c
from .health import health
from .scope.fields import fields_of
from .scope.place import opened

App = TypeVar("App")
Identify = TypeVar("Identify")


class Middleware(Generic[App, Identify]):
    """Stands around a web application, and knows the fields that its requests stamp on the calls they lead to.

    Args and Raises are those of the `FlywheelMiddleware` of either kind.
    """

    def __init__(self, app: App, identify: Identify | None = None, *, traces: bool = False, **fields: Any) -> None:
        self._app = app
        self._identify = identify
        self._traces = traces
        self._own = fields_of(**fields)

    def _in_force(self, known: Mapping[str, Any] | None) -> scope.Fields:
        """Return what is in force for a request of whose user this is *known*."""
        return opened(scope.merge(scope.current(), scope.merge(self._own, self._of(known))))

    def _unknown(self, error: Exception) -> None:
        """Count that nobody could tell whose request it is; it goes on without a name."""
        health.drop("identify", error)

    def _of(self, known: Mapping[str, Any] | None) -> scope.Fields:
        try:
            return fields_of(**known) if known else {}
        except Exception as error:  # noqa: BLE001 - whatever it is that the program has returned
            self._unknown(error)
            return {}


def traceparent_of(header: str | None) -> str | None:
    """A request's *header* `traceparent`, unless its trace is under way: in an application mounted in another."""
    parent = w3c.parsed(header) if header else None
    return None if parent is not None and parent.trace_id == scope.current().get("trace_id") else header
