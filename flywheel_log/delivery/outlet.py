"""One sink as its shipper sees it: opened when needed, with defaults for what the sink does not define itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..health import health
from ..sinks import Sink
from .segments import Segment
from .tuning import Tuning


class Outlet:
    """The sink of one URL.

    Args:
        name: what the sink is called, without credentials.
        url: of the sink.
        open_sink: opens the sink of a URL.
        tuning: defaults for what the sink does not say itself.
    """

    def __init__(self, name: str, url: str, open_sink: Callable[[str], Sink], tuning: Tuning) -> None:
        self._name = name
        self._url = url
        self._open_sink = open_sink
        self._tuning = tuning
        self._sink: Sink | None = None

    def open_early(self) -> None:
        """Open the sink ahead of its first batch: what it loads for that, it loads while the program works."""
        try:
            self.opened()
        except Exception:  # noqa: BLE001 - the first batch tries again, and tells why it fails
            return

    def opened(self) -> Sink:
        """Return the sink. Raises what opening it raises."""
        if self._sink is None:
            self._sink = self._open_sink(self._url)
        return self._sink

    def option(self, name: str) -> Any:
        """Return the sink's own *name*, else the default."""
        return getattr(self._sink, name, getattr(self._tuning, name, None))

    def unstored(self, lines: Sequence[bytes], segment: Segment, number: int) -> Sequence[bytes]:
        """Return those of the next *lines* of *segment* that the sink, its number *number*, does not hold.

        Those of a process that is gone are looked for behind the place that it noted; our own are all new, and the
        place behind which they will be is noted. Raises what the sink raises.
        """
        sink: Any = self.opened()
        since = segment.positions.places[number]
        if segment.adopted:
            missing: Sequence[bytes] = sink.missing(lines, since) if since else sink.missing(lines)
            return missing
        if (place := getattr(sink, "place", None)) and (now := place()) != since:
            segment.positions.note(number, now)
        return lines

    def sync(self) -> None:
        """Have the sink bring what it, or a dead process, has stored to the disk itself, if there is one.

        Raises what the sink raises.
        """
        if sync := getattr(self.opened(), "sync", None):
            sync()

    def complain(self, word: str) -> None:
        """Say once that the sink fails, with a fixed *word* or the name of an error."""
        health.warn(f"the sink {self._name} fails; run `flywheel-log doctor` to find the cause", word)

    def stats(self) -> dict[str, int]:
        """Return the sink's own counters."""
        return self._sink.stats() if self._sink else {}

    def close(self) -> None:
        """Close the sink, if it was opened."""
        if self._sink is not None:
            self._sink.close()
