"""trio in the place of asyncio: calls, streams and what is cancelled are recorded alike."""

from __future__ import annotations

from functools import partial

import openai
import pytest
import trio

from flywheel_log.event import Event
from flywheel_log.standin import Server
from tests.capture.clients import HELLO, recorded

# The SDK leaves its generators to the collector; trio warns of each of them, recorded or not.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in.*async_generator:pytest.PytestUnraisableExceptionWarning"),
]


def test_calls_and_streams_are_recorded_under_trio(server: Server, events: list[Event]) -> None:
    async def ask() -> None:
        async with recorded(server, openai.AsyncOpenAI) as client:
            await client.chat.completions.create(**HELLO)
            async for _ in await client.chat.completions.create(**HELLO, stream=True):
                pass

    trio.run(ask)
    assert [(event["status"], event["streamed"], event["request"]["messages"]) for event in events] == [
        ("ok", False, HELLO["messages"]),
        ("ok", True, HELLO["messages"]),
    ]


def test_what_trio_cancels_is_incomplete_and_no_error(server: Server, events: list[Event]) -> None:
    async def left(client: openai.AsyncOpenAI) -> None:
        with trio.CancelScope() as scope:
            async for _ in await client.chat.completions.create(**HELLO, stream=True):
                scope.cancel()
                await trio.lowlevel.checkpoint()

    async def given_up(client: openai.AsyncOpenAI) -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await client.chat.completions.create(**HELLO)

    async def ask() -> None:
        async with recorded(server, openai.AsyncOpenAI) as client:
            for some in (left, given_up):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(partial(some, client))

    trio.run(ask)
    assert [(event["status"], "error" in event) for event in events] == [("incomplete", False)] * 2
