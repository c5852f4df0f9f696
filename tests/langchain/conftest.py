"""What the tests of the handler share: the events of the test, and chat models of a stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import openai
import pytest
import pytest_asyncio
from langchain_openai import ChatOpenAI

from flywheel_log.langchain import FlywheelLogHandler
from flywheel_log.standin import Server
from tests.capture.clients import KEY

Ask = Callable[..., ChatOpenAI]
GIVEN = {"model": "gpt-4.1-mini", "max_retries": 0, "api_key": KEY}


@pytest.fixture
def handler() -> FlywheelLogHandler:
    return FlywheelLogHandler("chat")


@pytest.fixture
def model(server: Server) -> Iterator[Ask]:
    """Make a chat model of the stand-in, for calls that wait: `model()`, `model(other_server, callbacks=…)`."""
    with ExitStack() as stack:

        def make(of: Server = server, **options: Any) -> ChatOpenAI:
            http = stack.enter_context(openai.DefaultHttpxClient(verify=False))
            return ChatOpenAI(**{"base_url": of.url, "http_client": http, **GIVEN, **options})

        yield make


@pytest_asyncio.fixture
async def amodel(server: Server) -> AsyncIterator[Ask]:
    """Make a chat model of the stand-in, for calls of coroutines."""
    async with AsyncExitStack() as stack:

        def make(of: Server = server, **options: Any) -> ChatOpenAI:
            http = openai.DefaultAsyncHttpxClient(verify=False)
            stack.push_async_callback(http.aclose)
            return ChatOpenAI(**{"base_url": of.url, "http_async_client": http, **GIVEN, **options})

        yield make
