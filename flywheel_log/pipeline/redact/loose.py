"""Secrets that only their place and look together reveal: `token=…`, `auth: …`, `sig=…`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from .assignments import is_placeholder
from .pattern import BLANKS, VALUE_FOLLOWS, VALUE_STANDS_BEFORE, Family, Finder, Pattern, Span, behind

_HEADS = ("token", "Token", "TOKEN", "auth", "Auth", "AUTH")
# What the next page of a list is fetched by is no secret.
_NAME = rf"(?:{'|'.join(map(behind, _HEADS))})(?<!(?:page|next|sync).token)(?<!(?:PAGE|NEXT|SYNC).TOKEN)"
_ENDS_IN_NAME = re.compile(_NAME + r"[sS]?\Z")
_RUN = re.compile(r"[A-Za-z0-9]{12,}")  # Numbers of tokens stand beside units and names, and have no such run.
_VALUE = re.compile(r"[!#-&(-\[\]-_a-~]{12,}")  # No quote, no backslash, no blank: the same in JSON.


def may_name_secret(key: str) -> bool:
    """Whether the value under *key* is a secret if it looks like one: under `token` also words stand."""
    return key[-3:].lower() in ("ken", "ens", "uth") and _ENDS_IN_NAME.search(key) is not None


def looks_random(value: str, *, many: bool = False) -> bool:
    """Whether *value*, one of *many* or not, is long, without a blank, and has digits among its letters."""
    return _VALUE.fullmatch(value) is not None and (_runs(value) if many else _mixed(value)) > 0


def _mixed(candidate: str) -> int:
    mixed = re.search("[0-9]", candidate) and re.search("[A-Za-z]", candidate)
    return len(candidate) if mixed and not is_placeholder(candidate) else 0


def _runs(candidate: str) -> int:
    """Tell a token from what else follows `tokens =`, the word of models: a number, a function, an attribute."""
    return len(candidate) if any(_mixed(run) for run in _RUN.findall(candidate)) else 0


_QUOTE = r"(?:\\?[\"'`])?"
_ASSIGNED = rf"{_QUOTE} ?[:=] {{0,4}}"
_ONE = r"[A-Za-z0-9._~+/-]{12,4096}+={0,2}+(?![(\[])"  # What goes on with a bracket is the name of a function.


class Tokens:
    """Finds tokens behind a name in the plural: `TOKENS=…`, and each of a list in brackets: `"tokens": ["…", "…"]`."""

    _assigned = re.compile(rf"{_NAME}[sS]{_ASSIGNED}(?:\[([^\]]{{0,4096}})|{_QUOTE}({_ONE}))")
    _one = re.compile(_ONE)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where values begin and end; their kind is `token`."""
        if "okens" in text or "TOKENS" in text:
            for list_or_one in self._assigned.finditer(text):
                for one in self._one.finditer(text, *list_or_one.span(list_or_one.lastindex or 0)):
                    if _runs(one.group()):
                        yield *one.span(), "token"


_LOOSE: tuple[Finder, ...] = (
    Pattern(
        "token",
        re.compile(rf"{_NAME}{_ASSIGNED}{_QUOTE}({_ONE})"),
        _HEADS,
        _mixed,
    ),
    Tokens(),
    Pattern(
        "signature",
        re.compile(r"(?:sig(?<=[?&;]sig)|X-(?:Amz|Goog)-Signature)=([A-Za-z0-9%+/=_-]{16,})"),
        ("sig=", "-Signature="),
    ),
)

# The same in a line of JSON, for the engine of `anchors`.
_ANY_NAME = "(?:[Tt]oken|TOKEN|[Aa]uth|AUTH)"
ANCHORS = (
    rf"{_ANY_NAME}[\\\"'`]*{BLANKS}[:=]{BLANKS}[\\\"'`]*[^\s\"'`]{{12}}",
    rf"{_ANY_NAME}[sS]?{VALUE_FOLLOWS}",
    rf"{VALUE_STANDS_BEFORE}{_ANY_NAME}[sS]?\\*\"",
    r"sig=[A-Za-z0-9%+/=_\\-]{16}",
    r"-Signature=[A-Za-z0-9%+/=_\\-]{16}",
)
_ESCAPED = ('\\"', "\\\\", "\\'", "\\`")
WORDS = (
    *("".join(parts) for parts in product(("token", "auth"), ('"', "'", "`", *_ESCAPED, ":", "=", " :", " ="))),
    *('value"', 'value\\"', "value\\\\", "sig=", "signature="),
)
_SEVERAL = r"(?:\[|[\\\"'`]+[^\s\"'`]{12}|[^\s\"'`,}\]]{12})"
MANY = (rf"(?:tokens|Tokens|TOKENS)[\\\"'`]*{BLANKS}[:=]{BLANKS}{_SEVERAL}",)
"""The same for what has none of the words: tokens are counted in every answer."""

LOOSE: tuple[Finder, ...] = (Family(_LOOSE, ANCHORS, MANY),)
