"""Carry the context's fields into thread pools, which Python itself does not do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import wrapt

from .. import scope


def install() -> None:
    """From now on, what is submitted to a `ThreadPoolExecutor` inside a `context(...)` runs with its fields."""
    if not isinstance(vars(ThreadPoolExecutor)["submit"], wrapt.FunctionWrapper):
        wrapt.wrap_function_wrapper(ThreadPoolExecutor, "submit", _submit)


def uninstall() -> None:
    """Put the pool's own `submit` back, unless another library has wrapped it since."""
    submit = vars(ThreadPoolExecutor)["submit"]
    if isinstance(submit, wrapt.FunctionWrapper) and submit._self_wrapper is _submit:  # noqa: SLF001 - wrapt's own name
        ThreadPoolExecutor.submit = submit.__wrapped__  # type: ignore[method-assign]


def _submit(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    fields = scope.current()
    if not fields or not args:
        return wrapped(*args, **kwargs)
    function, *rest = args

    def carried(*given: Any, **named: Any) -> Any:
        with scope.fields_set(fields):
            return function(*given, **named)

    return wrapped(carried, *rest, **kwargs)
