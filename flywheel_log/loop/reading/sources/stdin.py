"""Records from standard input: `zcat genai.log.*.gz | flywheel-log stats -`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime


def records(source: str, since: datetime | None = None) -> Iterator[bytes]:  # noqa: ARG001  there is but one
    """Return the lines of standard input as they come."""
    return iter(sys.stdin.buffer)
