"""`invocation`: deliver at the end of each call of a serverless function, which may be frozen right after it."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import Any, TypeVar, cast

from .. import recorder, scope

Decorated = TypeVar("Decorated")


class invocation(scope.context):  # noqa: N801 - reads as a statement: `with invocation():`
    """Deliver what is recorded inside before the block ends: `with invocation():`, `async with`, or a decorator.

    For AWS Lambda, Cloud Run and other services that freeze a process between two calls, including its threads. At the
    end of the block it waits until every sink has everything, at most *timeout* seconds; the rest is delivered during
    the next call. An asynchronous block does not stop the event loop.

    Args:
        timeout: seconds.
        **fields: what `context` takes; stamped on every call inside.

    Raises:
        TypeError: *timeout* is not a number, or a field does not exist.
    """

    def __init__(self, timeout: float = 2.0, **fields: Any) -> None:
        if not isinstance(timeout, int | float):
            raise TypeError(f"timeout is a number of seconds; got {timeout!r}; to decorate, write @invocation()")
        super().__init__(**fields)
        self._timeout = timeout

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        super().__exit__(kind, error, trace)
        recorder.flush(self._timeout)

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        super().__exit__(kind, error, trace)
        await asyncio.to_thread(recorder.flush, self._timeout)

    def __call__(self, function: Decorated) -> Decorated:
        """Decorate a handler, a function or a coroutine function: each of its calls is one invocation."""
        handler: Any = function
        if inspect.iscoroutinefunction(handler):

            @functools.wraps(handler)
            async def handled_later(*args: Any, **kwargs: Any) -> Any:
                async with self:
                    return await handler(*args, **kwargs)

            return cast(Decorated, handled_later)

        @functools.wraps(handler)
        def handled(*args: Any, **kwargs: Any) -> Any:
            with self:
                return handler(*args, **kwargs)

        return cast(Decorated, handled)
