"""A pytest plugin that comes with the package: the fixture `recorded_events`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .event import Event


@pytest.fixture
def recorded_events() -> Iterator[list[Event]]:
    """Give the events that the test records, in order, as a list; nothing is written anywhere."""
    from .testing import recording

    with recording() as events:
        yield events
