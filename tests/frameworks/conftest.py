"""What the tests of frameworks share: the events of the test, a stand-in, and clients that are recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import pytest_asyncio

from flywheel_log.event import Event
from flywheel_log.standin import Server
from tests.capture.clients import recorded


def told(events: list[Event]) -> list[object]:
    """Whose calls they are, how they went, and whether they were streamed."""
    return [(event["workload_id"], event["status"], event["streamed"]) for event in events]


@pytest_asyncio.fixture
async def client(server: Server, events: list[Event]) -> AsyncIterator[openai.AsyncOpenAI]:
    async with recorded(server, openai.AsyncOpenAI) as client:
        yield client
