"""What the tests of capture share: the events of the test, and clients, bare or recorded, of a scripted stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import openai
import pytest
import pytest_asyncio

from flywheel_log.event import Event
from flywheel_log.standin import Server, serve
from flywheel_log.testing import recording
from tests.capture.clients import recorded


@pytest.fixture
def events() -> Iterator[list[Event]]:
    with recording(client_id="acme", workload_id="tests") as events:
        yield events


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """Start stand-ins that end with the test: `start(script, latency=…)`."""
    with ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(serve(*arguments, **options))


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    return start()


@pytest.fixture
def client(server: Server, events: list[Event]) -> Iterator[openai.OpenAI]:
    with recorded(server) as client:
        yield client


@pytest_asyncio.fixture
async def aclient(server: Server, events: list[Event]) -> AsyncIterator[openai.AsyncOpenAI]:
    async with recorded(server, openai.AsyncOpenAI) as client:
        yield client
