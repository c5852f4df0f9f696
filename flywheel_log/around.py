"""Run something around a callable of any kind: function, coroutine, (asynchronous) generator, method, object."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, TypeVar

Decorated = TypeVar("Decorated")


class Around:
    """What happens around one run of a decorated callable. None of the methods may raise."""

    def running(self) -> AbstractContextManager[Any]:
        """Enter this whenever the body of the callable runs; a generator's body runs many times."""
        return nullcontext()

    def yielded(self, item: Any) -> None:
        """See what a generator hands out."""

    def returned(self, value: Any) -> Any:
        """See what the callable returned; what this returns is what the caller gets."""
        return value

    def raised(self, error: BaseException) -> None:
        """See what the callable raised; a generator that is closed early raises GeneratorExit."""


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
            run.raised(error)
            raise
        return _driven(result, run)

    from .wrapped import wrap

    return wrap(function, wrapper)


def _driven(result: Any, run: Around) -> Any:
    if inspect.iscoroutine(result) or (inspect.isgenerator(result) and inspect.isawaitable(result)):
        return _named_like(result, _coroutine(_Awaited(result), run))
    if inspect.isgenerator(result):
        return _named_like(result, _generator(result, run))
    if inspect.isasyncgen(result):
        return _named_like(result, _async_generator(result, run))
    if isinstance(result, (asyncio.Future, concurrent.futures.Future)):
        result.add_done_callback(partial(_done, run))
        return result
    return run.returned(result)


def _done(run: Around, future: Any) -> None:
    """Tell *run* how *future* ended, as its callable would have if it had waited for it."""
    if future.cancelled():
        run.raised(asyncio.CancelledError())
    # To ask by `exception()` would be to retrieve it, and asyncio warns of those that nobody has retrieved.
    elif (error := future._exception) is not None:  # noqa: SLF001
        run.raised(error)
    else:
        run.returned(future.result())


def _named_like(result: Any, driver: Any) -> Any:
    """Give *driver* the names of what it drives: they stand in warnings, in reprs and in the debugger."""
    driver.__name__, driver.__qualname__ = result.__name__, result.__qualname__
    return driver


class _Awaited:
    """Holds a coroutine, or a generator that is one (`types.coroutine`), for the driver that awaits it.

    Where the driver is given up before it starts, nobody else would close what it holds, and Python would warn of that.
    """

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Any) -> None:
        self.coroutine = coroutine

    def __del__(self) -> None:
        self.coroutine.close()


async def _coroutine(held: _Awaited, run: Around) -> Any:
    try:
        with run.running():
            result = await held.coroutine
    except BaseException as error:
        run.raised(error)
        raise
    return run.returned(result)


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
        run.raised(error)
        raise
    return _closed(generator, run, left)


def _closed(generator: Generator[Any, Any, Any], run: Around, left: GeneratorExit) -> Any:
    """Close *generator*, which may say something at last (from Python 3.13 on), raise, or refuse."""
    try:
        with run.running():
            return generator.close()
    finally:
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
        run.raised(error)
        raise
    await _aclosed(generator, run, left)


async def _aclosed(generator: AsyncGenerator[Any, Any], run: Around, left: GeneratorExit) -> None:
    try:
        with run.running():
            await generator.aclose()
    finally:
        run.raised(left)
