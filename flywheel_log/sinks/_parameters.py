"""The parameters after the `?` of a sink's URL, read and checked in the same way for all sinks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

Word = TypeVar("Word", bound=str)
_LONGEST_S = 600


class Parameters:
    """The parameters of a sink's URL. Each method reads one, and raises ValueError for a value that it may not have.

    Args:
        url: the URL; its scheme names the sink in what is said of mistakes.
        known: the names of the sink's parameters.

    Raises:
        ValueError: there is another one; the message says which there are.
    """

    def __init__(self, url: str, known: Sequence[str]) -> None:
        parts = urlsplit(url)
        self._sink = f"sink {parts.scheme!r}"
        self._given = dict(parse_qsl(parts.query, keep_blank_values=True))
        if unknown := sorted(set(self._given) - set(known)):
            raise ValueError(
                f"{self._sink} has no parameter {', '.join(unknown)}; expected one of {', '.join(sorted(known))}"
            )

    def text(self, name: str) -> str | None:
        """Return the text of *name*, whatever it is; None where it is not given."""
        return self._given.get(name)

    def word(self, name: str, words: Sequence[Word], default: str) -> Word:
        """Return which of *words* *name* is."""
        given = self._given.get(name, default)
        if given.lower() not in words:
            raise ValueError(f"{self._sink} has no {name} {given!r}; expected one of {', '.join(words)}")
        return cast(Word, given.lower())

    def scheme(self, hosts: str) -> str:
        """Return "https" where `tls` asks for it, or *hosts* end in port 443 as hosted services do; else "http"."""
        default = "true" if hosts.endswith(":443") else "false"
        return "https" if self.word("tls", ("false", "true"), default) == "true" else "http"

    def count(self, name: str, default: int) -> int:
        """Return *name*, a whole number above 0."""
        if name not in self._given:
            return default
        given = self._given[name]
        if not (given.isascii() and given.isdigit() and int(given)):
            raise ValueError(f"{self._sink} wants a whole number above 0 as {name}; got {given!r}")
        return int(given)

    def seconds(self, name: str, default: float) -> float:
        """Return *name*, seconds above 0, and no more than ten minutes."""
        given = self._given.get(name, str(default))
        try:
            seconds = float(given)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= _LONGEST_S:
            raise ValueError(f"{self._sink} wants seconds between 0 and {_LONGEST_S} as {name}; got {given!r}")
        return seconds
