"""A program whose calls are interrupted at every moment in our code; each next call has to be one event all the same.

Run as `python -m tests.capture.interrupted OpenAI`, `AsyncOpenAI`, `logged_llm`, or with the name of one of the methods
that calls of Google's client go through: connections that were interrupted stay as they are until the program ends. It
tells at how many moments that was.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import itertools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, Self

import openai

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.standin import Server, serve
from flywheel_log.testing import recording
from tests.capture.clients import HELLO, recorded

Call = Callable[[], Awaitable[None]]
HOUSE = str(Path(flywheel_log.__file__).parent)


class Interrupt(BaseException):
    """As Python's own of the keyboard."""


class Interruption:
    """Inside the block, interrupts at the *nth* moment in our code at which Python calls the handlers of signals."""

    def __init__(self, nth: int) -> None:
        self.left = nth
        self._hook = self._profile  # Held here: Python lets go of one that raises, and may still call it.

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        if event in {"call", "c_return"} and frame.f_code.co_filename.startswith(HOUSE):
            self.left -= 1
            if not self.left:
                raise Interrupt

    def __enter__(self) -> Self:
        sys.setprofile(self._hook)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        sys.setprofile(None)
        return kind is Interrupt


class Google:
    """Stands for what is below a client of Google's, which the SDK's own clients call by the same four methods."""

    PIECE = SimpleNamespace(body='{"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]}')

    def request(self, *_: Any) -> Any:
        """Answer."""
        return self._request_once()

    def request_streamed(self, *_: Any) -> Iterator[Any]:
        """Answer in pieces."""
        yield self._request_once()
        yield self.PIECE

    async def async_request(self, *_: Any) -> Any:
        """Answer."""
        return self._request_once()

    async def async_request_streamed(self, *_: Any) -> AsyncIterator[Any]:
        """Answer in pieces."""

        async def pieces() -> AsyncIterator[Any]:
            yield self._request_once()
            yield self.PIECE

        return pieces()

    def _request_once(self) -> Any:
        return self.PIECE


def openai_call(server: Server, name: str) -> Call:
    """Make a client of the class *name*, and return what makes a call of it."""
    client = recorded(server, getattr(openai, name))

    async def call() -> None:
        answer = client.chat.completions.create(**HELLO)
        if inspect.isawaitable(answer):
            await answer

    return call


def google_call(_: Server, name: str) -> Call:
    """Make a client of Google's, and return what makes a call of it by the method *name*."""
    client = flywheel_log.instrument(SimpleNamespace(_api_client=Google()))
    method = "streamGenerateContent" if "streamed" in name else "generateContent"

    async def call() -> None:
        answer = getattr(client._api_client, name)("post", f"models/gemini:{method}", {})
        answer = await answer if inspect.isawaitable(answer) else answer
        if inspect.isasyncgen(answer):
            _ = [piece async for piece in answer]
        elif inspect.isgenerator(answer):
            _ = list(answer)

    return call


def function_call(_: Server, name: str) -> Call:
    """Return what calls a function that is decorated by *name*."""

    @getattr(flywheel_log, name)
    def answer(question: str) -> str:
        return question

    async def call() -> None:
        answer("hi")

    return call


CALLERS = {"OpenAI": openai_call, "AsyncOpenAI": openai_call, "logged_llm": function_call}


async def calls(caller: Callable[[], Call], events: list[Event]) -> int:
    """Interrupt a call at its first moment, another at its second, and so on; return how many there are."""
    for nth in itertools.count(1):
        one, other = caller(), caller()
        with Interruption(nth) as interruption:
            await one()
        gc.collect()  # What was interrupted is over, and its record not taken for the next one's.
        before = len(events)
        await other()  # The connection of the first may be locked for ever, as it would be without us.
        assert (nth, len(events) - before) == (nth, 1)
        if interruption.left > 0:
            return nth
    raise AssertionError


if __name__ == "__main__":
    caller = CALLERS.get(sys.argv[1], google_call)
    with serve() as server, recording() as events:
        gc.freeze()  # Or each collection looks through all of the SDK.
        sys.stdout.write(str(asyncio.run(calls(partial(caller, server, sys.argv[1]), events))))
