"""Hand the user's own processors plain dictionaries, theirs to change, and see that they hand one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ..event import JSON, Event, Wire
from ..health import Misuse
from ..serialise import loads

if TYPE_CHECKING:
    from ..config import Processor


def parse(_: Any, __: str, event: Event) -> Event:
    """Parse what is kept as bytes, so that *event* is plain JSON all through, and copy what calls share, as tags."""
    fields = cast(JSON, event)
    for key, value in fields.items():
        if isinstance(value, Wire):
            fields[key] = loads(value.raw)
        elif type(value) in (dict, list):
            fields[key] = value.copy()
    return event


def returning(processor: Processor) -> Processor:
    """Have *processor* fail, in words that say so, where it returns no event: most forget the `return`."""

    def run(logger: Any, method: str, event: Event) -> Event:
        returned: Any = processor(logger, method, event)
        if not isinstance(returned, dict):
            name = getattr(processor, "__name__", type(processor).__name__)
            raise Misuse(f"{name} returned {type(returned).__name__}; have it return the event")
        return cast(Event, returned)

    return run
