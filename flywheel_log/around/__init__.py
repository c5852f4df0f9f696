"""Run something around a callable of any kind: function, coroutine, (asynchronous) generator, method, object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .run import Around

__all__ = ["Around", "around"]

Decorated = TypeVar("Decorated")


def around(function: Decorated, begin: Callable[[Any, tuple[Any, ...], dict[str, Any]], Around]) -> Decorated:
    """Wrap *function* so that `begin(wrapped, args, kwargs)` is asked, at every call, what happens around that call.

    What the call returns decides how it is driven, so partials, callable objects and functions that return a coroutine
    are not special. The signature and the answers of `inspect` stay those of *function*.
    """

    def wrapper(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        run = begin(wrapped, args, kwargs)
        try:
            with run.running():
                result = wrapped(*args, **kwargs)
        except BaseException as error:
            run.under_way = False
            run.raised(error)
            raise
        return driven(result, run)

    from .driven import driven
    from .wrapper import wrap

    return wrap(function, wrapper)
