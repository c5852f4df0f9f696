"""Where events end. A sink is a module named after its URL scheme with one function `open(url) -> Sink`."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol
from urllib.parse import urlsplit

ENTRY_POINTS = "flywheel_log.sinks"


class Sink(Protocol):
    """The end of the road. Methods are called by one shipper thread at a time, never by the program's own calls."""

    def write(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Store *lines*, each one event as a JSON object in UTF-8 without a newline, in the order of the journal.

        Returns the lines to offer again later (empty when all are stored for good). Raises to have all of them offered
        again; `RetryLater` says when. Never blocks longer than its own time-out.
        """

    def missing(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Of *lines* left behind by a crash, return those not stored yet, so that they can be written exactly once."""

    def stats(self) -> dict[str, int]:
        """Counters of the sink's own, for `flywheel_log.stats()`: duplicates, dead, … (may be empty)."""

    def close(self) -> None:
        """Release what is open. A closed sink is not written to again."""


class RetryLater(Exception):
    """Raised by `Sink.write` when the other side said when to come back.

    Args:
        reason: a short fixed word for `stats()`, without the user's data.
        after: seconds to wait at least; None leaves it to the shipper's back-off.
    """

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


def open_sink(url: str) -> Sink:
    """Open the sink that *url* names by its scheme, e.g. `file:genai.log` or `stdout:`.

    Raises:
        ValueError: the scheme is unknown (the message lists the known ones) or the rest of the URL is wrong.
    """
    return opener(url)(url)


def opener(url: str) -> Callable[[str], Sink]:
    """Return the function that opens sinks of *url*'s scheme, without opening anything. Raises as `open_sink`."""
    scheme = urlsplit(url).scheme
    if scheme in _builtin():
        module = import_module(f"{__name__}.{scheme}")
        return module.open  # type: ignore[no-any-return]
    foreign = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if scheme in foreign:
        return foreign[scheme].load()  # type: ignore[no-any-return]
    known = ", ".join(sorted({*_builtin(), *foreign}))
    raise ValueError(f"sink {scheme or url!r} is unknown; have {known}")


def _builtin() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")}
