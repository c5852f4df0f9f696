"""What is said of a name that nobody knows: the one that was probably meant, else all that there are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_ALIKE = 0.65


def instead(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return how a message goes on that began with the unknown *name*: `did you mean sinks?`, or `have a, b`.

    A *prefix* that all names have does not make them alike.
    """
    have = {one.removeprefix(prefix): one for one in known}
    near = get_close_matches(name.removeprefix(prefix), have, n=1, cutoff=_ALIKE)
    return f"did you mean {have[near[0]]}?" if near else f"have {', '.join(have.values())}"
