"""Ship what dead processes left, for all destinations."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ..health import health
from ..sinks import open_sink
from .delivery import Delivery
from .destination import FILE, Destination
from .enrich import Enrich
from .names import journals, segments
from .tuning import Tuning
from .waiting import waiting_in

_BREATH_S = 0.02
_ADOPT_S = 0.5  # Orphans come a few at a time, also while what some of them hold has been put off.


@dataclass(frozen=True)
class Drained:
    """What became of the orphans of one destination.

    Attributes:
        sinks: the URLs of its sinks, without credentials.
        delivered, left: events.
        why: what the sinks that did not take everything said last; None when nothing is left.
    """

    sinks: tuple[str, ...]
    delivered: int
    left: int
    why: str | None


Divert = Callable[[str], str]


def drain(
    root: Path,
    timeout: float | None,
    enrich: Enrich | None = None,
    divert: Divert | None = None,
    *,
    only: Sequence[str] = (),
) -> list[Drained]:
    """Adopt the orphans of every destination under *root* and ship them, at most *timeout* seconds (None: for ever).

    Segments of processes that live are theirs and not touched. Credentials are not kept in the journal: sinks take them
    from the environment. *enrich* is what `Delivery` takes; *divert* names the sink to open in the place of a URL, to
    which the events then count as delivered; *only* those meant for exactly these sinks are shipped, where there are
    some. Returns one report for each destination.
    """
    wanted = Destination.of(only, root).directory
    directories = [directory for directory in journals(root) if not only or directory == wanted]
    deadline = None if timeout is None else time.monotonic() + timeout
    if not directories:
        return []
    with ThreadPoolExecutor(len(directories), "flywheel_log:drain") as threads:
        return list(threads.map(lambda directory: _drained(directory, deadline, enrich, divert), directories))


def _drained(directory: Path, deadline: float | None, enrich: Enrich | None, divert: Divert | None) -> Drained:
    try:
        destination = Destination.load(directory)
    except (OSError, ValueError):
        left = sum(path.read_bytes().count(b"\n") for path in segments(directory))
        return Drained((), 0, left, f"{directory / FILE} is not readable to this version")
    delivery = Delivery(
        destination.urls,
        directory.parent,
        tuning=Tuning(adopt_s=_ADOPT_S),
        enrich=enrich,
        open_sink=lambda url: open_sink(divert(url) if divert else url),
    )
    try:
        _ship(delivery, deadline)
        stats = delivery.stats()
        left = delivery.flush(0.0, adopted=True)  # Also of what was adopted while others were waited for.
    finally:
        delivery.close(0.0)
    delivered, why = max(0, stats["adopted"] - left), _why(stats["sinks"].values())
    left = max(left, _left_behind(directory, destination.names))
    return Drained(destination.names, delivered, left, (why or "another process is delivering them") if left else None)


def _ship(delivery: Delivery, deadline: float | None) -> None:
    more = delivery.adopt()
    while True:
        # Whoever adopted them, this thread or the journal's: only where none is held and none is found is none left.
        held = delivery.adopted_segments()
        left = delivery.flush(None if deadline is None else max(0.0, deadline - time.monotonic()), adopted=True)
        if left or not (more or held) or (deadline is not None and time.monotonic() >= deadline):
            return
        time.sleep(_BREATH_S)  # What is shipped has yet to be let go of, here or by another process.
        more = delivery.adopt()


def _left_behind(directory: Path, names: tuple[str, ...]) -> int:
    """How many events wait that were not even adopted."""
    try:
        return max(waiting_in(directory, names).values(), default=0)
    except OSError as error:
        health.warn("what another process left in the journal cannot be read", error)
        return 0


def _why(sinks: Iterable[dict[str, object]]) -> str:
    return ", ".join(str(sink["last_error"] or "too slow") for sink in sinks if sink["waiting"])
