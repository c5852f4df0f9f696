"""Parts of messages that read the same everywhere: counts with nouns, unknown names, values that do not fit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_ALIKE = 0.65
_LONGEST_SHOWN = 60
_ALTERNATIVES = ("constrained-float", "dict[str,constrained-float]", "callable", "str")
"""How pydantic names the types of which a setting may be one."""
_PLAIN = (
    ("Value error, ", ""),
    (", unable to parse string as a number", ""),
    (", unable to parse string as an integer", ""),
    (", or Input should be ", ", or "),
    ("a valid tuple", "a list"),
    ("a valid dictionary", "a mapping, in the environment a JSON object"),
)


def counted(count: int, noun: str, nouns: str = "") -> str:
    """Return *count* with its *noun*: `1 event`, `1,200 events`; *nouns* where the plural takes more than an s."""
    return f"1 {noun}" if count == 1 else f"{count:,} {nouns or noun + 's'}"


def first_few(names: Sequence[str], most: int = 5) -> str:
    """Return the first *most* of *names* with commas between them, and an ellipsis where there are more."""
    return ", ".join(names[:most]) + ", …" * (len(names) > most)


def suggestion(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return the end of an error message about the unknown *name*: `did you mean sinks?`, or `expected one of a, b`.

    A *prefix* that all names have, and upper and lower case, are ignored when they are compared.
    """
    have = {one.removeprefix(prefix).lower(): one for one in known}
    near = get_close_matches(name.removeprefix(prefix).lower(), have, n=1, cutoff=_ALIKE)
    return f"did you mean {have[near[0]]}?" if near else f"expected one of {', '.join(have.values())}"


def plain(message: str) -> str:
    """Return what pydantic says about a value, without the words that only its users know."""
    for words, better in _PLAIN:
        message = message.replace(words, better)
    return message


def mistakes(problems: Iterable[ErrorDetails], secret: Collection[str] = ()) -> str:
    """Return what pydantic finds wrong with values, in words: `content: Input should be 'on' or 'off'; got 'no'`.

    Of those that are *secret*, the value is not shown.
    """
    found: dict[str, list[ErrorDetails]] = {}
    for problem in problems:
        name = ".".join(str(part) for part in problem["loc"] if part not in _ALTERNATIVES) or "settings"
        found.setdefault(name, []).append(problem)
    inmost = [name for name in found if not any(other.startswith(f"{name}.") for other in found)]
    return "; ".join(_mistake(name, found[name], shown=name not in secret) for name in inmost)


def _mistake(name: str, problems: Sequence[ErrorDetails], *, shown: bool) -> str:
    """What is wrong with one value, which may be one of several types, and what it is; our own checks say that."""
    own = any(one["type"] == "value_error" for one in problems)
    wanted = plain(", or ".join(one["msg"] for one in problems))
    return f"{name}: {wanted}" + ("" if own or not shown else f"; got {repr(problems[0]['input'])[:_LONGEST_SHOWN]}")
