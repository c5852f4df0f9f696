"""A wrapper around a callable that can be copied and pickled as the callable itself."""

from __future__ import annotations

import copy
import pkgutil
from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Any, TypeVar

from wrapt import BoundFunctionWrapper, FunctionWrapper

Wrapped = TypeVar("Wrapped")


class _Copied:
    """wrapt's wrappers refuse to be copied and pickled, but functions go to processes and stand in what is copied.

    It has no annotations and no `__dict__` of its own, for they would hide those of the function.
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _reduced(self)

    def __reduce_ex__(self, _: Any) -> tuple[Any, ...]:
        return _reduced(self)

    def __copy__(self) -> Any:
        return _around(copy.copy, self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return _around(partial(copy.deepcopy, memo=memo), self)


class _Bound(_Copied, BoundFunctionWrapper):  # type: ignore[type-arg]  # Not before wrapt 2.
    """What a method is when it is asked for at its instance or its class."""

    def __new__(cls, function: Any, instance: Any, *bound: Any) -> Any:
        """Make one as wrapt does; where only the two parts are given, `weakref.WeakMethod` puts them together."""
        return super().__new__(cls, function, instance, *bound) if bound else MethodType(function, instance)

    @property
    def __func__(self) -> Any:
        wrapped: Any = self.__wrapped__
        bare = wrapped.__func__
        return self._self_parent if self._self_binding == "function" else bare


class Wrapper(_Copied, FunctionWrapper):  # type: ignore[type-arg]
    """Calls `wrapper(wrapped, instance, args, kwargs)` in the place of *wrapped*, as wrapt's class does."""

    __bound_function_wrapper__ = _Bound


def wrap(function: Wrapped, wrapper: Callable[..., Any]) -> Wrapped:
    """Have *wrapper* called in the place of *function*, which looks as before."""
    return Wrapper(function, wrapper)  # type: ignore[arg-type,return-value]


def _around(copied: Callable[[Any], Any], wrapper: Any) -> Any:
    """What *wrapper* is around what it wraps, *copied*."""
    wrapped = copied(wrapper.__wrapped__)
    return wrapper if wrapped is wrapper.__wrapped__ else Wrapper(wrapped, wrapper._self_wrapper)  # noqa: SLF001


def _reduced(wrapper: Any) -> tuple[Any, ...]:
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
