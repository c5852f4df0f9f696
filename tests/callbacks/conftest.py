"""What the tests of callbacks share: the events of the test, once they are there, and scripted stand-ins."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from flywheel_log.event import Event

# LiteLLM fetches its prices when it is imported, unless it is told not to.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

PATIENCE_S = 30


@pytest.fixture
def recorded(events: list[Event]) -> Callable[[int], Awaitable[list[Event]]]:
    """Wait until so many events are there: frameworks tell of an end later, and from elsewhere."""

    async def recorded(count: int) -> list[Event]:
        deadline = time.monotonic() + PATIENCE_S
        while len(events) < count and time.monotonic() < deadline:  # noqa: ASYNC110 - it comes from another thread
            await asyncio.sleep(0.01)
        assert len(events) == count
        return events

    return recorded


def without(event: Event, *more: str) -> dict[str, Any]:
    """*event* but for what is different every time."""
    changing = ("id", "timestamp", "latency_ms", "time_to_first_token_ms", "span_id", *more)
    return {key: value for key, value in event.items() if key not in changing}
