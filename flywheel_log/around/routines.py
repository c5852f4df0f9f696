"""Drive coroutines and (asynchronous) generators, and report what happens in them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial
from typing import Any

from .run import Around

Then = Callable[[Any, Around], Any]


def coroutine(result: Any, run: Around, then: Then) -> Any:
    """Await *result*, and go on with what it brings by *then*."""
    return _named_like(result, _coroutine(_Held(result), run, then))


def generator(result: Any, run: Around) -> Any:
    """Iterate over *result*."""
    return _named_like(result, _generator(result, run))


def async_generator(result: Any, run: Around) -> Any:
    """Iterate over *result*."""
    return _named_like(result, _async_generator(result, run))


def _named_like(result: Any, driver: Any) -> Any:
    """Give *driver* the names of what it drives: they stand in warnings, in reprs and in the debugger."""
    driver.__name__, driver.__qualname__ = result.__name__, result.__qualname__
    return driver


class _Held:
    """Holds a coroutine, or a generator that is one (`types.coroutine`), for the driver that awaits it.

    Where the driver is given up before it starts, nobody else would close what it holds, and Python would warn of that.
    """

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Any) -> None:
        self.coroutine = coroutine

    def __del__(self) -> None:
        self.coroutine.close()


async def _coroutine(held: _Held, run: Around, then: Then) -> Any:
    try:
        with run.running():
            result = await held.coroutine
    except BaseException as error:
        run.under_way = False
        run.raised(error)
        raise
    return then(result, run)


def _generator(generator: Generator[Any, Any, Any], run: Around) -> Generator[Any, Any, Any]:
    resume: Callable[[], Any] = partial(next, generator)
    try:
        while True:
            try:
                with run.running():
                    item = resume()
            except StopIteration as stop:
                return run.returned(stop.value)
            run.yielded(item)
            try:
                sent = yield item
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001 - thrown in by the consumer, passed on to the body
                resume = partial(generator.throw, error)
            else:
                resume = partial(generator.send, sent)
    except GeneratorExit as error:
        left = error
    except BaseException as error:
        run.under_way = False
        run.raised(error)
        raise
    return _closed(generator, run, left)


def _closed(generator: Generator[Any, Any, Any], run: Around, left: GeneratorExit) -> Any:
    """Close *generator*, which may say something at last (from Python 3.13 on), raise, or refuse."""
    try:
        with run.running():
            return generator.close()
    finally:
        run.under_way = False
        run.raised(left)


async def _async_generator(generator: AsyncGenerator[Any, Any], run: Around) -> AsyncGenerator[Any, Any]:
    resume: Callable[[], Any] = generator.__anext__
    try:
        while True:
            try:
                with run.running():
                    item = await resume()
            except StopAsyncIteration:
                run.returned(None)
                return
            run.yielded(item)
            try:
                sent = yield item
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001 - thrown in by the consumer, passed on to the body
                resume = partial(generator.athrow, error)
            else:
                resume = partial(generator.asend, sent)
    except GeneratorExit as error:
        left = error
    except BaseException as error:
        run.under_way = False
        run.raised(error)
        raise
    await _aclosed(generator, run, left)


async def _aclosed(generator: AsyncGenerator[Any, Any], run: Around, left: GeneratorExit) -> None:
    try:
        with run.running():
            await generator.aclose()
    finally:
        run.under_way = False
        run.raised(left)
