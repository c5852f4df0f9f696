"""What the tests of Google's door share: clients of a scripted stand-in, bare or recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from google import genai
from google.genai import types

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.standin import Server

KEY = "AIzaStandinKey0123456789"


@pytest.fixture
def bare(start: Callable[..., Server]) -> Iterator[Callable[..., genai.Client]]:
    """Make a client of a stand-in of its own: `bare(script)`."""
    with ExitStack() as stack:

        def make(script: Any = None, **options: Any) -> genai.Client:
            server = start(script)
            http = types.HttpOptions(
                base_url=server.url.removesuffix("/v1"),
                # Certificates, which take longer to load than most tests, are of no use on the loopback.
                client_args={"verify": False},
                async_client_args={"verify": False},
                **options,
            )
            client = genai.Client(api_key=KEY, http_options=http)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def recorded(bare: Callable[..., genai.Client], events: list[Event]) -> Callable[..., genai.Client]:
    """Make an instrumented one."""
    return lambda *arguments, **options: flywheel_log.instrument(bare(*arguments, **options))
