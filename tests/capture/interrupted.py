"""A program whose calls are interrupted at every moment in our code; each next call has to be one event all the same.

Run as `python -m tests.capture.interrupted OpenAI`, or `AsyncOpenAI`: connections that were interrupted stay as they
are until the program ends. It tells at how many moments that was.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import sys
from pathlib import Path
from types import FrameType
from typing import Any, Self

import openai

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.standin import Server, serve
from flywheel_log.testing import recording
from tests.capture.clients import HELLO, recorded

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


async def call(client: Any) -> None:
    """Make a call of a client of either kind."""
    answer = client.chat.completions.create(**HELLO)
    if inspect.isawaitable(answer):
        await answer


async def calls(server: Server, cls: type[Any], events: list[Event]) -> int:
    """Interrupt a call at its first moment, another at its second, and so on; return how many there are."""
    for nth in itertools.count(1):
        one, other = recorded(server, cls), recorded(server, cls)
        with Interruption(nth) as interruption:
            await call(one)
        before = len(events)
        await call(other)  # The connection of the first may be locked for ever, as it would be without us.
        assert (nth, len(events) - before) == (nth, 1)
        if interruption.left > 0:
            return nth
    raise AssertionError


if __name__ == "__main__":
    with serve() as server, recording() as events:
        sys.stdout.write(str(asyncio.run(calls(server, getattr(openai, sys.argv[1]), events))))
