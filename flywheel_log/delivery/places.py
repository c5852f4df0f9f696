"""Which lines a sink lacks after a crash: it looks for them behind a place noted before they were written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..sinks import Sink
from .segments import Segment


def unstored(sink: Sink, lines: Sequence[bytes], segment: Segment, number: int) -> Sequence[bytes]:
    """Return those of the next *lines* of *segment* that *sink*, its number *number*, does not hold.

    Those of a process that is gone are looked for behind the place that it noted; our own are all new, and the place
    behind which they will be is noted. Raises what the sink raises.
    """
    since = segment.positions.places[number]
    if segment.adopted:
        missing: Callable[..., Sequence[bytes]] = sink.missing
        return missing(lines, since) if since else missing(lines)
    place: Callable[[], bytes] | None = getattr(sink, "place", None)
    if place and (now := place()) != since:
        segment.positions.note(number, now)
    return lines
