"""Parts of messages that are said alike everywhere: counts with their nouns, and what an unknown name may have been."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_ALIKE = 0.65


def counted(count: int, noun: str, nouns: str = "") -> str:
    """Return *count* with its *noun*: `1 event`, `1,200 events`; *nouns* where the plural takes more than an s."""
    return f"1 {noun}" if count == 1 else f"{count:,} {nouns or noun + 's'}"


def suggestion(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return the end of an error message about the unknown *name*: `did you mean sinks?`, or `have a, b`.

    A *prefix* that all names have is ignored when they are compared.
    """
    have = {one.removeprefix(prefix): one for one in known}
    near = get_close_matches(name.removeprefix(prefix), have, n=1, cutoff=_ALIKE)
    return f"did you mean {have[near[0]]}?" if near else f"have {', '.join(have.values())}"
