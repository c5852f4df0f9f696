"""Who asks, for every call made while a web application answers: a middleware for ASGI (FastAPI, Django …)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from inspect import isawaitable
from typing import Any

from . import scope, w3c
from .fields import fields_of
from .health import health
from .place import opened
from .signals.spans import trace

__all__ = ["FlywheelMiddleware"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Identify = Callable[[Scope], Mapping[str, Any] | Awaitable[Mapping[str, Any] | None] | None]


class FlywheelMiddleware:
    """Stamp who asks on every call made for a request: `app.add_middleware(FlywheelMiddleware, identify=…)`.

    The fields hold from the first line of the application to the last: in dependencies, streamed answers and background
    tasks. Each request has a context of its own.

    Args:
        app: the ASGI application that is wrapped.
        identify: takes the connection's ASGI scope (`scope["headers"]`, `scope["path"]`, `scope["session"]` …) and
            returns what `flywheel_log.context` takes, `{"user_id": …, "session_id": …}`, or None; it may be a coroutine
            function. What it raises is counted and warned about, and the request goes on.
        traces: whether each request is a trace, named by its method and path; it goes on from a `traceparent` header.
        **fields: what `context` takes; stamped on every call whoever asks.

    Raises:
        TypeError: a field is none of an event's.
    """

    def __init__(self, app: App, identify: Identify | None = None, *, traces: bool = False, **fields: Any) -> None:
        self._app = app
        self._identify = identify
        self._traces = traces
        self._own = fields_of(**fields)

    async def __call__(self, connection: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection; what is no request (the application's start and end) passes through."""
        if connection["type"] not in ("http", "websocket"):
            await self._app(connection, receive, send)
            return
        fields = scope.merge(scope.current(), scope.merge(self._own, await self._who(connection)))
        with scope.FieldsSet(opened(fields)):
            if not self._traces:
                await self._app(connection, receive, send)
                return
            with trace(_name(connection), traceparent=_asked_by(connection)):
                await self._app(connection, receive, send)

    async def _who(self, connection: Scope) -> scope.Fields:
        if self._identify is None:
            return {}
        try:
            found = self._identify(connection)
            known = await found if isawaitable(found) else found
            return fields_of(**known) if known else {}
        except Exception as error:  # noqa: BLE001 - the request goes on without a name
            health.drop("asgi", error)
            return {}


def _name(connection: Scope) -> str:
    return f"{connection.get('method', 'WEBSOCKET')} {connection.get('path', '/')}"


def _asked_by(connection: Scope) -> str | None:
    """The caller's `traceparent`, unless its trace is under way: in an application that this one is mounted in."""
    header = _header(connection, b"traceparent")
    parent = w3c.parsed(header) if header else None
    return None if parent is not None and parent.trace_id == scope.current().get("trace_id") else header


def _header(connection: Scope, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in connection.get("headers", ()) if name == wanted), None)
