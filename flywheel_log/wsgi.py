"""Name the user for every call made while a web application answers: a middleware for WSGI (Flask, Django …)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from . import scope
from .around import Around
from .scope import frames
from .signals.spans import run_of, trace
from .web import Middleware, traceparent_of

__all__ = ["FlywheelMiddleware"]

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Identify = Callable[[Environ], Mapping[str, Any] | None]


class FlywheelMiddleware(Middleware[App, Identify]):
    """Stamp who asks on every call made for a request: `app.wsgi_app = FlywheelMiddleware(app.wsgi_app, identify=…)`.

    The fields hold from the first line of the application to the last, in streamed answers, too.

    Args:
        app: the WSGI application that is wrapped.
        identify: takes the request's WSGI environ (`environ["HTTP_X_USER"]`, `environ["PATH_INFO"]` …) and returns what
            `flywheel_log.context` takes, `{"user_id": …, "session_id": …}`, or None. What it raises is counted and
            warned about, and the request goes on.
        traces: whether each request is a trace, named by its method and path; it goes on from a `traceparent` header.
        **fields: what `context` takes; stamped on every call whoever asks.

    Raises:
        TypeError: *app* is no WSGI application, *identify* no function of one argument, or a field none of an event's.
    """

    _called_with = ("environ", "start_response")

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request.

        Raises:
            TypeError: the application would ask the middleware again.
        """
        if getattr(self._app, "wsgi_app", None) is self:
            raise TypeError("it stands around itself; write app.wsgi_app = FlywheelMiddleware(app.wsgi_app)")
        run = self._run(environ)
        try:
            with run.running():
                body = self._app(environ, start_response)
        except BaseException as error:
            run.raised(error)
            raise
        if isinstance(body, (list, tuple)) or _is_file(body, environ):
            run.returned(None)
            return body
        return _Body(body, run)

    def _run(self, environ: Environ) -> Around:
        fields = self._in_force(self._who(environ))
        if not self._traces:
            return scope.Inside(frames.FieldsSet(fields))
        with frames.FieldsSet(fields):
            return run_of(trace(_name(environ), traceparent=traceparent_of(environ.get("HTTP_TRACEPARENT"))))

    def _who(self, environ: Environ) -> Mapping[str, Any] | None:
        try:
            return self._identify(environ) if self._identify is not None else None
        except Exception as error:  # noqa: BLE001 - the request goes on without a name
            self._unknown(error)
            return None


class _Body:
    """A body that the application makes while the server takes it, in the request's *run*."""

    def __init__(self, body: Iterable[bytes], run: Around) -> None:
        self._body = body
        self._run = run
        self._pieces: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            with self._run.running():
                if self._pieces is None:
                    self._pieces = iter(self._body)
                return next(self._pieces)
        except Exception as error:
            if not isinstance(error, StopIteration):
                self._run.raised(error)
            raise

    def close(self) -> None:
        """Close the application's body, as every server does in the end."""
        try:
            with self._run.running():
                if hasattr(self._body, "close"):
                    self._body.close()
        finally:
            self._run.returned(None)


def _name(environ: Environ) -> str:
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return f"{environ.get('REQUEST_METHOD', 'GET')} {path or '/'}"


def _is_file(body: Any, environ: Environ) -> bool:
    """Whether *body* is a file that the server sends its own way, by which it knows it."""
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)
