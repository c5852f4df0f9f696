"""Counts with their nouns, for messages."""

from __future__ import annotations


def counted(count: int, noun: str, nouns: str = "") -> str:
    """Return *count* with its *noun*: `1 event`, `1,200 events`; *nouns* where the plural takes more than an s."""
    return f"1 {noun}" if count == 1 else f"{count:,} {nouns or noun + 's'}"
