"""Calls of a made-up log, so many minutes before noon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def call(minutes: float, number: int = 0, **fields: Any) -> dict[str, Any]:
    """A call that began *minutes* before noon."""
    at = (NOON - timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"id": f"r-{minutes:g}-{number}", "timestamp": at, "kind": "llm", "status": "ok", **fields}


def failed(minutes: float, number: int = 0, **fields: Any) -> dict[str, Any]:
    """A call that failed."""
    return call(minutes, number, **{"status": "error", "error": {"type": "Timeout"}, **fields})
