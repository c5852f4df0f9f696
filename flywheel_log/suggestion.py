"""What an error says about an unknown name: the name probably meant, else all known names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_ALIKE = 0.65


def suggestion(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return the end of an error message about the unknown *name*: `did you mean sinks?`, or `have a, b`.

    A *prefix* that all names have is ignored when they are compared.
    """
    have = {one.removeprefix(prefix): one for one in known}
    near = get_close_matches(name.removeprefix(prefix), have, n=1, cutoff=_ALIKE)
    return f"did you mean {have[near[0]]}?" if near else f"have {', '.join(have.values())}"
