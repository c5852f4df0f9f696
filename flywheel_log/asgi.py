"""Name the user for every call made while a web application answers: a middleware for ASGI (FastAPI, Django …)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from inspect import isawaitable
from typing import Any

from .scope import frames
from .signals.spans import trace
from .web import Middleware, traceparent_of

__all__ = ["FlywheelMiddleware"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Identify = Callable[[Scope], Mapping[str, Any] | Awaitable[Mapping[str, Any] | None] | None]


class FlywheelMiddleware(Middleware[App, Identify]):
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
        TypeError: *app* is no ASGI application, *identify* no function of one argument, or a field none of an event's.
    """

    _called_with = ("scope", "receive", "send")

    async def __call__(self, connection: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection; what is no request (the application's start and end) passes through."""
        if connection["type"] not in ("http", "websocket"):
            await self._app(connection, receive, send)
            return
        known = await self._who(connection)
        with frames.FieldsSet(self._in_force(known)):
            if not self._traces:
                await self._app(connection, receive, send)
                return
            with trace(_name(connection), traceparent=traceparent_of(_header(connection, b"traceparent"))):
                await self._app(connection, receive, send)

    async def _who(self, connection: Scope) -> Mapping[str, Any] | None:
        if self._identify is None:
            return None
        try:
            found = self._identify(connection)
            return await found if isawaitable(found) else found
        except Exception as error:  # noqa: BLE001 - the request goes on without a name
            self._unknown(error)
            return None


def _name(connection: Scope) -> str:
    return f"{connection.get('method', 'WEBSOCKET')} {connection.get('path', '/')}"


def _header(connection: Scope, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in connection.get("headers", ()) if name == wanted), None)
