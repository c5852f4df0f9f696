"""What a callable returned only promises its answer: a context manager to be entered, or an object to be awaited."""

from __future__ import annotations

from collections.abc import Generator
from functools import lru_cache
from typing import Any

import wrapt

from ..around import Around, around


class _Promised(wrapt.ObjectProxy):  # type: ignore[type-arg]  # no class to be subscripted before wrapt 2
    """A promise that stays itself; *run* goes on when the answer is asked for, and ends with it, or undone."""

    def __init__(self, promise: Any, run: Around) -> None:
        super().__init__(promise)
        self._self_run = run

    def _self_asked(self, ask: Any) -> Any:
        """What *ask* brings; only the first answer is the run's."""
        run, self._self_run = self._self_run, Around()
        return around(ask, lambda *_: run)()

    def __del__(self) -> None:
        self._self_run.raised(GeneratorExit())


class _Entered(_Promised):
    def __enter__(self) -> Any:
        return self._self_asked(self.__wrapped__.__enter__)

    def __exit__(self, *error: object) -> Any:
        return self.__wrapped__.__exit__(*error)


class _EnteredAsync(_Promised):
    async def __aenter__(self) -> Any:
        return await self._self_asked(self.__wrapped__.__aenter__)

    async def __aexit__(self, *error: object) -> Any:
        return await self.__wrapped__.__aexit__(*error)


class _Awaited(_Promised):
    def __await__(self) -> Generator[Any, Any, Any]:
        promise = self.__wrapped__

        async def answer() -> Any:
            return await promise

        asked: Generator[Any, Any, Any] = self._self_asked(answer).__await__()
        return asked


class _Called(_Promised):
    """The managers of `contextlib` decorate functions, too."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(*args, **kwargs)


_WAYS = {"__enter__": _Entered, "__aenter__": _EnteredAsync, "__await__": _Awaited}


def is_promise(value: Any) -> bool:
    """Whether there is nothing to do with *value* but to enter or to await it: it has no attribute for anybody else."""
    cls = type(value)
    return any(hasattr(cls, name) for name in _WAYS) and all(name.startswith("_") for name in dir(cls))


def promised(value: Any, run: Around) -> Any:
    """*value*, a promise, in a proxy that can do no more than it; *run* is told what it brings."""
    parts = tuple(part for name, part in _WAYS.items() if hasattr(type(value), name))
    return _proxy((*parts, _Called) if callable(value) else parts)(value, run)


@lru_cache
def _proxy(parts: tuple[type, ...]) -> type[Any]:
    return type("Promised", parts, {})
