"""What a function returned that has yet to give its answer, a stream or a promise, in a proxy that tells of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from functools import lru_cache
from typing import Any

import wrapt

from ..around import Around, around


class _Proxy(wrapt.ObjectProxy):  # type: ignore[type-arg]  # no class to be subscripted before wrapt 2
    """An object that stays itself; *run* goes on with what it gives, and ends with the object if not before."""

    def __init__(self, wrapped: Any, run: Around) -> None:
        super().__init__(wrapped)
        self._self_run = run

    def __del__(self) -> None:
        self._self_run.raised(GeneratorExit())


class StreamProxy(_Proxy):
    """A stream object; the run is told what is taken from it, and when and how that ends."""

    def __init__(self, stream: Any, run: Around) -> None:
        super().__init__(stream, run)
        self._self_source = stream

    def __iter__(self) -> Iterator[Any]:
        self._self_source = iter(self.__wrapped__)
        return self

    def __aiter__(self) -> AsyncIterator[Any]:
        self._self_source = aiter(self.__wrapped__)
        return self

    def __next__(self) -> Any:
        try:
            with self._self_run.running():
                item = next(self._self_source)
        except StopIteration:
            self._self_run.returned(None)
            raise
        except BaseException as error:
            self._self_run.raised(error)
            raise
        self._self_run.yielded(item)
        return item

    async def __anext__(self) -> Any:
        try:
            with self._self_run.running():
                item = await anext(self._self_source)
        except StopAsyncIteration:
            self._self_run.returned(None)
            raise
        except BaseException as error:
            self._self_run.raised(error)
            raise
        self._self_run.yielded(item)
        return item

    def __enter__(self) -> Any:
        self.__wrapped__.__enter__()
        return self

    def __exit__(self, *error: object) -> Any:
        self._self_run.raised(GeneratorExit())
        return self.__wrapped__.__exit__(*error)

    async def __aenter__(self) -> Any:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> Any:
        self._self_run.raised(GeneratorExit())
        return await self.__wrapped__.__aexit__(*error)

    def close(self) -> Any:
        """Close the stream; what was not taken by then is left."""
        self._self_run.raised(GeneratorExit())
        return self.__wrapped__.close()


class _Promise(_Proxy):
    """A context manager to be entered, or an object to be awaited: the run goes on when its answer is asked for."""

    def _self_asked(self, ask: Any) -> Any:
        """What *ask* brings; only the first answer is the run's."""
        run, self._self_run = self._self_run, Around()
        return around(ask, lambda *_: run)()


class _Entered(_Promise):
    def __enter__(self) -> Any:
        return self._self_asked(self.__wrapped__.__enter__)

    def __exit__(self, *error: object) -> Any:
        return self.__wrapped__.__exit__(*error)


class _EnteredAsync(_Promise):
    async def __aenter__(self) -> Any:
        return await self._self_asked(self.__wrapped__.__aenter__)

    async def __aexit__(self, *error: object) -> Any:
        return await self.__wrapped__.__aexit__(*error)


class _Awaited(_Promise):
    def __await__(self) -> Generator[Any, Any, Any]:
        promise = self.__wrapped__

        async def answer() -> Any:
            return await promise

        asked: Generator[Any, Any, Any] = self._self_asked(answer).__await__()
        return asked


class _Called(_Promise):
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
    return _class_of((*parts, _Called) if callable(value) else parts)(value, run)


@lru_cache
def _class_of(parts: tuple[type, ...]) -> type[Any]:
    return type("Promise", parts, {})
