"""Check what the user's own processors return, so that an unreadable event is not written as if it were valid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ..event import Event
from ..health import Misuse, health
from ..serialise import dumps, loads
from ..shape import fits

if TYPE_CHECKING:
    from ..config import Processor

_NEEDED = ("timestamp", "kind")


class Returning:
    """A processor of the user's that is to return an event, and is named where it does not.

    Args:
        processor: the user's.
    """

    def __init__(self, processor: Processor) -> None:
        self._processor = processor

    def __call__(self, logger: Any, method: str, event: Event) -> Event:
        """Return what the processor made of *event*. Raises `Misuse`, and what the processor raises."""
        returned: object = self._processor(logger, method, event)
        if not isinstance(returned, Mapping):
            name = getattr(self._processor, "__name__", type(self._processor).__name__)
            raise Misuse(f"{name} returned {_kind(returned)}; have it return the event, or raise structlog.DropEvent")
        return returned  # type: ignore[return-value]


def check(_: Any, __: str, event: Event) -> Event:
    """Return *event* as the user's processors left it, without an id. Raises `Misuse` if readers would pass it over."""
    if "id" in event:  # There is room for one only, by which it is there once.
        health.warn("a processor set an id, which is left out because the journal assigns one; put yours in metadata")
        event = cast(Event, {key: value for key, value in event.items() if key != "id"})
    for key in _NEEDED:
        if event.get(key) is None:
            raise Misuse(f"the processors left no {key}, which all who read need")
    for key, value in event.items():
        if not fits(key, value) and not fits(key, _written(value)):
            raise Misuse(f"the processors left {_kind(value)} as {key}, which nobody could read")
    return event


def _written(value: Any) -> Any:
    """What is read back of *value*: of a UUID or a date its text."""
    return loads(dumps({"value": value}))["value"]


def _kind(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
