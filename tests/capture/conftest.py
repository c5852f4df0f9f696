"""What the tests of capture share: recorded clients of the stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import openai
import pytest
import pytest_asyncio

from flywheel_log.event import Event
from flywheel_log.standin import Server
from tests.capture.clients import recorded


@pytest.fixture
def client(server: Server, events: list[Event]) -> Iterator[openai.OpenAI]:
    with recorded(server) as client:
        yield client


@pytest_asyncio.fixture
async def aclient(server: Server, events: list[Event]) -> AsyncIterator[openai.AsyncOpenAI]:
    async with recorded(server, openai.AsyncOpenAI) as client:
        yield client
