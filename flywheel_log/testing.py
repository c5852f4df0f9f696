"""For tests of programs that record: `recording()` returns the events as a list, without files and threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, cast

from . import config, recorder
from .capture.open_streams import abandon, unended
from .event import Event
from .serialise import dumps


@contextmanager
def recording(**settings: Any) -> Iterator[list[Event]]:
    """Collect what is recorded inside the block, as it would be written, into the list that the block gets.

    Nothing goes to a journal or a sink. Events come when their call does, so there is nothing to wait for; what is left
    of a stream when the block ends is `incomplete`. Their ids are `test-1`, `test-2` ….

    Args:
        **settings: what `flywheel_log.configure` takes. What the environment says holds, too, except that recording is
            `disabled`: a suite may record nothing but what is asked for here.
    """
    events: list[Event] = []
    numbers = count(1)

    def keep(event: Event) -> str:
        identity = f"test-{next(numbers)}"
        events.append(cast(Event, {"id": identity, **_read_back(dumps(event))}))
        return identity

    open_before = list(unended)
    before = recorder.replace(recorder.Recorder(config.load(**{"disabled": False} | settings), keep))
    try:
        yield events
    finally:
        abandon(but=open_before)
        recorder.replace(before)


def _read_back(line: bytes) -> dict[str, Any]:
    import orjson

    return cast("dict[str, Any]", orjson.loads(line))
