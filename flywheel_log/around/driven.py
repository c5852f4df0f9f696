"""Report to a run what its callable returned, and what becomes of it if it is not the answer yet."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
from functools import partial
from typing import Any

from .promises import is_promise, promised
from .routines import async_generator, coroutine, generator
from .run import Around


def driven(result: Any, run: Around) -> Any:
    """*result*, or what stands in its place and tells *run* what happens in it."""
    if inspect.iscoroutine(result) or (inspect.isgenerator(result) and inspect.isawaitable(result)):
        return coroutine(result, run, driven)
    if inspect.isgenerator(result):
        return generator(result, run)
    if inspect.isasyncgen(result):
        return async_generator(result, run)
    if isinstance(result, (asyncio.Future, concurrent.futures.Future)):
        result.add_done_callback(partial(_done, run))
        return result
    if is_promise(result):
        return promised(result, run)
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
