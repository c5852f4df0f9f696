"""The numbers of the delivery in one place: sizes in bytes, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from ..sinks import BATCH_BYTES

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Tuning:
    """What the measurements of the design decided; a sink's own `linger_s`, `batch_lines` and `batch_bytes` win.

    Attributes:
        first_segment_bytes: a process begins small, so that two hundred workers do not use up the quota by starting.
        segment_bytes: every further segment; a larger line gets one of its own size.
        memory_bytes: what may wait in memory when no directory can be written.
        batch_lines, batch_bytes: what is handed to a sink at once, at most.
        linger_s: how long a batch may grow before it is handed over: each batch costs its thread as much as ten lines.
        sync_s: how often journal and file are brought to the disk itself.
        adopt_s: how often orphans are looked for.
        refused_s: how long a full disk is believed to be full.
    """

    first_segment_bytes: int = MEGABYTE
    segment_bytes: int = 8 * MEGABYTE
    memory_bytes: int = 64 * MEGABYTE
    batch_lines: int = 500
    batch_bytes: int = BATCH_BYTES
    linger_s: float = 0.2
    sync_s: float = 1.0
    adopt_s: float = 5.0
    refused_s: float = 1.0
