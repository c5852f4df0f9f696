"""A stream object that a function returned, in a proxy that reports what is read from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from ...around import Around
from ...around.promises import Proxy


class StreamProxy(Proxy):
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
