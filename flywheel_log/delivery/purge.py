"""Remove lines from the journal before they are delivered: from the segments of programs that are gone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from ..health import health
from ..process import disk
from . import adopt
from .adopt import DRAFT, alone
from .destination import Destination
from .names import journals, segments
from .segments import Segment

ASKED = "let-go"


def lines(root: Path) -> Iterator[bytes]:
    """Yield every line that the journals under *root* hold, delivered or not, those of programs that run too."""
    for path in chain.from_iterable(map(segments, journals(root))):
        try:
            data = path.read_bytes()
        except FileNotFoundError:  # It was delivered while we looked.
            continue
        yield from data[: data.rfind(b"\n") + 1].splitlines(keepends=True)


def purge(root: Path, instead: Callable[[bytes], bytes]) -> int:
    """Rewrite what programs that are gone have left under *root*, and return how many lines do not stay.

    *instead* returns the line itself if it stays, a line to take its place for the sinks that wait for it, or nothing.
    Segments of programs that run are theirs: only they may write to them, so they are left as they are.

    Raises:
        OSError, ValueError: a journal cannot be read or written; what was left in it is delivered as before.
    """
    removed = 0
    for directory in journals(root):
        with alone(directory) as ours:
            for path in segments(directory) if ours else ():
                removed += _purged(path, len(Destination.load(directory).names), instead)
    return removed


def sweep(root: Path) -> None:
    """Delete what killed processes left half made under *root*, copies of lines among it.

    Raises:
        OSError: the disk refused.
    """
    for directory in journals(root):
        with alone(directory) as ours:
            if ours:
                adopt.sweep(directory)


def ask_to_let_go(root: Path) -> None:
    """Ask the programs that run to let go of what they have delivered; they look every few seconds."""
    for directory in journals(root):
        fd = os.open(directory / ASKED, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.utime(fd)
        finally:
            os.close(fd)


def asked_at(directory: Path) -> int:
    """Return when programs were last asked to let go of what is in *directory*, in nanoseconds; 0 if never."""
    try:
        return (directory / ASKED).stat().st_mtime_ns
    except OSError:
        return 0


def _purged(path: Path, sinks: int, instead: Callable[[bytes], bytes]) -> int:
    segment = Segment.adopt(path, sinks)
    if segment is None:
        return 0
    try:
        return _rewritten(segment, path, instead)
    finally:
        segment.close()
        health.say()


def _rewritten(segment: Segment, path: Path, instead: Callable[[bytes], bytes]) -> int:
    kept: list[bytes] = []
    acknowledged, before, removed = [0] * len(segment.shipped), 0, 0
    for line in segment.read(0, segment.used).splitlines(keepends=True):
        if (new := instead(line)) != line:
            removed += 1
            new = new if before >= min(segment.positions.acknowledged) else b""  # Or nobody waits for it.
        kept.append(new)
        for sink, position in enumerate(segment.positions.acknowledged):
            acknowledged[sink] += len(new) * (before < position)
        before += len(line)
    if removed and any(kept):
        _replace(segment, path, kept, acknowledged)
    elif removed:
        segment.remove()
    return removed


def _replace(segment: Segment, path: Path, lines: list[bytes], acknowledged: list[int]) -> None:
    """Let a segment of *lines* take the place of *segment*; its lock and that of its directory are ours.

    The positions go first and come back last: without them, a crash in between has everything offered again to sinks
    that know what they hold.
    """
    draft = path.with_suffix(DRAFT)
    disk.write(draft, lines)
    segment.positions.remove()
    disk.replace(path, draft)
    for sink, position in enumerate(acknowledged):
        if position or segment.positions.places[sink]:
            segment.positions.acknowledge(sink, position)
