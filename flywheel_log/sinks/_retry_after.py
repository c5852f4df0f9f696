"""When a server says it may be called again: the Retry-After header of HTTP (RFC 9110, 10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST_WAIT_S = 600.0


def seconds(header: str | None) -> float | None:
    """Read seconds or a date; a gateway's mistake costs ten minutes. None where nothing is said that can be read."""
    if not header:
        return None
    if header.isdecimal():
        return min(float(header), _LONGEST_WAIT_S)
    try:
        left = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(0.0, left), _LONGEST_WAIT_S)
