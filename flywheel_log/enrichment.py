"""What is derived from an event after its call: counts, marks, safety, price, the prompt's hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from .capture.derive import DERIVED, derive
from .event import JSON, Event, Wire
from .pipeline.fingerprint import fingerprint
from .pipeline.flag import flag
from .pipeline.price import Prices
from .pipeline.select import Selection
from .serialise import loads

if TYPE_CHECKING:
    from .config import Settings


_PRICED = ("model", "service_tier", "usage", "usageMetadata")


def understood(event: Mapping[str, Any]) -> JSON:
    """Return what *event* says of itself: token counts, marks and safety. A response that is bytes is parsed for it.

    Where there is no room to parse it, that is nothing.
    """
    try:
        seen = parsed(event)
    except MemoryError:
        return {}
    found = derive(seen)
    return found | flag({**seen, **found})


def settled(event: JSON) -> JSON:
    """Return *event*, parsed from a line, as one that nobody need understand later."""
    return {**event, **understood(event)} if event.pop("unread", None) else event


def priced(event: Mapping[str, Any]) -> JSON:
    """Return of *event*, an understood call, what its figures and its price depend on, and not what was said."""
    kept = {key: value for key, value in event.items() if key not in ("request", "response")}
    response = parsed(event).get("response")
    if isinstance(response, dict):
        kept["response"] = {key: response[key] for key in _PRICED if key in response}
    return kept


class _Lately:
    """What was found in the last lines, by their ids: what one thread has found, the others need not look for."""

    _MOST = 1000

    def __init__(self) -> None:
        self._older: dict[str, JSON] = {}
        self._newer: dict[str, JSON] = {}

    def get(self, identity: str | None) -> JSON | None:
        """What was found in the line *identity*, not to be changed; None where nobody knows any more."""
        return self._newer.get(identity) or self._older.get(identity) if identity else None

    def put(self, identity: str, found: JSON) -> None:
        """Keep *found* for a while, and forget what is older than a thousand others."""
        if len(self._newer) >= self._MOST:
            self._older, self._newer = self._newer, {}
        self._newer[identity] = found


class Enrichment:
    """Finds out, off the caller's thread, what an event on its way to the sinks can still be told.

    That is its price, the hash of its prompt, and what is `understood` of an answer that was journalled unread.

    Args:
        settings: the user's prices, and which fields are wanted.
    """

    def __init__(self, settings: Settings) -> None:
        self._prices = Prices(settings.prices)
        self._wanted = Selection(settings.fields_allow, settings.fields_deny)
        self._lately = _Lately()

    def __call__(self, events: Sequence[JSON]) -> list[JSON]:
        """Return what to add to each of *events*, whose requests and responses are parsed."""
        known = [self._lately.get(event.get("id")) for event in events]
        new = iter(self._look(event for event, found in zip(events, known, strict=True) if found is None))
        found = [next(new) if one is None else one for one in known]
        for event in events:
            event.pop("unread", None)
        return [self._selected(more) for more in found] if self._wanted else found

    def _look(self, events: Iterable[JSON]) -> list[JSON]:
        """Find out what to add to each of *events*; each step is done to all of them in turn."""
        events = [*events]
        found = [derive(event) if "unread" in event else {} for event in events]
        seen = [{**event, **more} if more else event for event, more in zip(events, found, strict=True)]
        for event, more in zip(seen, found, strict=True):
            if more and (safety := flag(event)):
                more.update(safety)
        for event, more in zip(events, found, strict=True):
            more.update(fingerprint(event))
        for event, more in zip(seen, found, strict=True):
            more.update(self._prices(event))
        for event, more in zip(events, found, strict=True):
            if "unread" in event and "id" in event:
                self._lately.put(event["id"], more)
        return found

    def _selected(self, found: JSON) -> JSON:
        return cast(JSON, self._wanted(None, "", cast(Event, found)))

    def figures(self, event: JSON) -> JSON:
        """Return the figures of the call *event*: counts and price. Its response may be bytes."""
        if (known := self._lately.get(event.get("id"))) is not None:
            return known
        seen = parsed(event)
        found = {} if seen is event and DERIVED in event else derive(seen)  # Bytes nobody has looked at.
        return found | self._prices({**seen, **found})


def parsed(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *event* with its response parsed, where that is bytes."""
    response = event.get("response")
    return {**event, "response": loads(response.raw)} if isinstance(response, Wire) else event
