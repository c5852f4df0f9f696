"""A wrapper around a callable that can be copied and pickled as the callable itself."""

from __future__ import annotations

import copy
import pkgutil
from collections.abc import Callable
from typing import Any, TypeVar

from wrapt import BoundFunctionWrapper, FunctionWrapper

Wrapped = TypeVar("Wrapped")


class _Copied:
    """wrapt's wrappers refuse to be copied and pickled, but functions go to processes and stand in what is copied."""

    __wrapped__: Any
    _self_wrapper: Any

    def __reduce__(self) -> tuple[Any, ...]:
        return _reduced(self)

    def __reduce_ex__(self, _: Any) -> tuple[Any, ...]:
        return _reduced(self)

    def __copy__(self) -> Any:
        return self._with(copy.copy(self.__wrapped__))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._with(copy.deepcopy(self.__wrapped__, memo))

    def _with(self, wrapped: Any) -> Any:
        return self if wrapped is self.__wrapped__ else Wrapper(wrapped, self._self_wrapper)


class _Bound(_Copied, BoundFunctionWrapper):  # type: ignore[type-arg]  # Not before wrapt 2.
    """What a method is when it is asked for at its instance or its class."""


class Wrapper(_Copied, FunctionWrapper):  # type: ignore[type-arg]
    """Calls `wrapper(wrapped, instance, args, kwargs)` in the place of *wrapped*, as wrapt's class does."""

    __bound_function_wrapper__ = _Bound


def wrap(function: Wrapped, wrapper: Callable[..., Any]) -> Wrapped:
    """Have *wrapper* called in the place of *function*, which looks as before."""
    return Wrapper(function, wrapper)  # type: ignore[arg-type,return-value]


def _reduced(wrapper: _Copied) -> tuple[Any, ...]:
    """By its name, as a function is; what has no name of its own goes as what is wrapped, without what is around it."""
    wrapped = wrapper.__wrapped__
    name = f"{getattr(wrapped, '__module__', '')}:{getattr(wrapped, '__qualname__', '')}"
    try:
        named = pkgutil.resolve_name(name)
    except (ValueError, ImportError, AttributeError):  # Defined inside a function, say.
        named = None
    if getattr(named, "__wrapped__", None) is wrapped:
        return pkgutil.resolve_name, (name,)
    return _itself, (wrapped,)


def _itself(wrapped: Any) -> Any:
    return wrapped
