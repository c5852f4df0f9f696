"""Wrap returned objects that must still be entered or awaited in a proxy that reports what they produce."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import wrapt

from ..health import guarded
from .routines import coroutine
from .run import Around


class Proxy(wrapt.ObjectProxy):  # type: ignore[type-arg]  # no class to be subscripted before wrapt 2
    """An object that stays itself; *run* goes on with what it gives, and ends with the object if not before."""

    def __init__(self, wrapped: Any, run: Around) -> None:
        super().__init__(wrapped)
        self._self_run = run

    def __del__(self) -> None:
        self._self_run.raised(GeneratorExit())


class _Entered(Proxy):
    def __enter__(self) -> Any:
        with _running(self._self_run, self._self_run.raised):
            value = self.__wrapped__.__enter__()
        return self._self_run.entered(value)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> Any:
        with _running(self._self_run, self._self_run.left):
            swallowed = self.__wrapped__.__exit__(kind, error, trace)
        self._self_run.left(None if swallowed else error)
        return swallowed


class _EnteredAsync(Proxy):
    async def __aenter__(self) -> Any:
        with _running(self._self_run, self._self_run.raised):
            value = await self.__wrapped__.__aenter__()
        return self._self_run.entered(value)

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> Any:
        with _running(self._self_run, self._self_run.left):
            swallowed = await self.__wrapped__.__aexit__(kind, error, trace)
        self._self_run.left(None if swallowed else error)
        return swallowed


class _Awaited(Proxy):
    def __await__(self) -> Generator[Any, Any, Any]:
        promise = self.__wrapped__
        # Nobody keeps the proxy from here on: whoever awaits holds what this returns.
        run, self._self_run = self._self_run, Around()

        async def answer() -> Any:
            return await promise

        asked: Generator[Any, Any, Any] = coroutine(answer(), run, _brought).__await__()
        return asked


class _Called(Proxy):
    """The managers of `contextlib` decorate functions, too."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(*args, **kwargs)


_WAYS = {"__enter__": _Entered, "__aenter__": _EnteredAsync, "__await__": _Awaited}
_LOOPS = ("__iter__", "__aiter__", "__next__", "__anext__")


@guarded("capture", default=lambda _: False)
def is_promise(value: Any) -> bool:
    """Whether there is nothing to do with *value* but to enter or to await it: it has no attribute for anybody else."""
    cls = type(value)
    # Written out, for it is asked of whatever a decorated function returns.
    if not (hasattr(cls, "__enter__") or hasattr(cls, "__aenter__") or hasattr(cls, "__await__")):
        return False
    return all(name.startswith("_") and name not in _LOOPS for name in dir(cls))


def promised(value: Any, run: Around) -> Any:
    """*value*, a promise, in a proxy that can do no more than it; *run* is told what it brings."""
    run.pending()
    parts = tuple(part for name, part in _WAYS.items() if hasattr(type(value), name))
    return _class_of((*parts, _Called) if callable(value) else parts)(value, run)


@contextmanager
def _running(run: Around, failed: Callable[[BaseException], None]) -> Iterator[None]:
    """The body of what was returned runs inside; *failed* is told of an error."""
    try:
        with run.running():
            yield
    except BaseException as error:
        failed(error)
        raise


def _brought(value: Any, run: Around) -> Any:
    return run.returned(value)


@lru_cache
def _class_of(parts: tuple[type, ...]) -> type[Any]:
    return type("Promise", parts, {})
