"""Carry the context's fields into thread pools, which Python itself does not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .. import scope
from ..health import guarded
from .enclosing import Enclosing, Within, enclosing


@guarded("context")
def install() -> None:
    """From now on, what is submitted to a `ThreadPoolExecutor` runs with the fields of the place it is submitted from.

    Inside a decorated function its calls are told to that function too, as if it had made them itself; inside a
    `suppress()` block nothing of them is recorded.
    """
    import wrapt

    if not any(map(_is_ours, _layers(vars(ThreadPoolExecutor)["submit"]))):
        wrapt.wrap_function_wrapper(ThreadPoolExecutor, "submit", _submit)


def uninstall() -> None:
    """Put the pool's own `submit` back, unless another library has wrapped it since."""
    submit = vars(ThreadPoolExecutor)["submit"]
    if _is_ours(submit):
        ThreadPoolExecutor.submit = submit.__wrapped__  # type: ignore[method-assign]


def _layers(function: Any) -> Iterator[Any]:
    yield function
    while (function := getattr(function, "__wrapped__", None)) is not None:
        yield function


def _is_ours(function: Any) -> bool:
    from wrapt import FunctionWrapper

    # wrapt's attribute is asked for on its own wrappers only: all other names of a wrapper are those of what it wraps.
    return isinstance(function, FunctionWrapper) and function._self_wrapper is _submit  # noqa: SLF001


def _submit(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not args:
        return wrapped(*args, **kwargs)
    function, *rest = args
    return wrapped(_carried(function), *rest, **kwargs)


@guarded("context", default=lambda function: function)
def _carried(function: Callable[..., Any]) -> Callable[..., Any]:
    """*function*, to be run in a thread of the pool as if it were run here; itself where nothing is to be carried."""
    told, fields, silent = enclosing(), scope.current(), scope.suppressed()
    if told is None and not fields and not silent:
        return function

    def carried(*given: Any, **named: Any) -> Any:
        with _within(told, fields), scope.suppress() if silent else nullcontext():
            return function(*given, **named)

    return carried


@guarded("context", default=lambda *_: nullcontext())
def _within(told: Enclosing | None, fields: scope.Fields) -> AbstractContextManager[Any]:
    return Within(told, fields)
