"""What the middlewares for web applications share: whose request it is, and which trace it continues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, ClassVar, Generic, TypeVar

from . import scope, w3c
from .health import Misuse, health
from .scope.fields import fields_of
from .scope.place import opened

App = TypeVar("App")
Identify = TypeVar("Identify")


class Middleware(Generic[App, Identify]):
    """Stands around a web application, and knows the fields that its requests stamp on the calls they lead to.

    Args and Raises are those of the `FlywheelMiddleware` of either kind.
    """

    _called_with: ClassVar[tuple[str, ...]]
    """What a server gives to applications of this kind."""

    def __init__(self, app: App, identify: Identify | None = None, *, traces: bool = False, **fields: Any) -> None:
        if not _takes(app, *self._called_with):
            raise TypeError(
                f"app is called with {' and '.join(self._called_with)}, and {type(app).__name__} takes others; "
                "flywheel_log.asgi is for FastAPI and other ASGI, flywheel_log.wsgi for Flask and other WSGI"
            )
        if identify is not None and not _takes(identify, "connection"):
            raise TypeError(f"identify is a function of one argument, the connection; got {type(identify).__name__}")
        self._app = app
        self._identify = identify
        self._traces = traces
        self._own = fields_of(**fields)

    def _in_force(self, known: Mapping[str, Any] | None) -> scope.Fields:
        """Return what is in force for a request of whose user this is *known*."""
        return opened(scope.merge(scope.current(), scope.merge(self._own, self._of(known))))

    def _unknown(self, error: Exception) -> None:
        """Count that nobody could tell whose request it is; it goes on without a name."""
        name = getattr(self._identify, "__name__", type(self._identify).__name__)
        health.drop("identify", error, whose=name)

    def _of(self, known: Mapping[str, Any] | None) -> scope.Fields:
        try:
            if known and not hasattr(known, "keys"):
                raise Misuse(f"it returns a mapping such as {{'user_id': …}}, or None; got {type(known).__name__}")
            return fields_of(**known) if known else {}
        except Exception as error:  # noqa: BLE001 - whatever it is that the program has returned
            self._unknown(error)
            return {}


def _takes(function: Callable[..., Any] | Any, *given: str) -> bool:
    """Whether *function* can be called with as many arguments; so is taken what does not tell its own."""
    try:
        signature(function, follow_wrapped=False).bind(*given)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def traceparent_of(header: str | None) -> str | None:
    """A request's *header* `traceparent`, unless its trace is under way: in an application mounted in another."""
    parent = w3c.parsed(header) if header else None
    return None if parent is not None and parent.trace_id == scope.current().get("trace_id") else header
