"""Run something around a callable of any kind: function, coroutine, (asynchronous) generator, method, object."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, TypeVar

import wrapt

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

    return wrapt.FunctionWrapper(function, wrapper)  # type: ignore[arg-type,return-value]


def _driven(result: Any, run: Around) -> Any:
    if inspect.iscoroutine(result):
        return _coroutine(result, run)
    if inspect.isgenerator(result):
        return _generator(result, run)
    if inspect.isasyncgen(result):
        return _async_generator(result, run)
    return run.returned(result)


async def _coroutine(coroutine: Coroutine[Any, Any, Any], run: Around) -> Any:
    try:
        with run.running():
            result = await coroutine
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
            resume = yield from _answer(item, generator)
    except BaseException as error:
        with run.running():
            generator.close()
        run.raised(error)
        raise


def _answer(item: Any, generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Callable[[], Any]]:
    """Hand *item* out, and return how *generator* goes on with what came back."""
    try:
        sent = yield item
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001 - thrown in by the consumer, passed on to the body
        return partial(generator.throw, error)
    return partial(generator.send, sent)


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
    except BaseException as error:
        with run.running():
            await generator.aclose()
        run.raised(error)
        raise
