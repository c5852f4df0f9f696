"""Secrets that only their place and their looks together tell: `token=…`, `auth: …`, `sig=…`, `curl -u user:…`."""

from __future__ import annotations

import re

from .assignments import is_placeholder
from .pattern import BLANKS, Finder, Pattern, behind

_HEADS = ("token", "Token", "TOKEN", "auth", "Auth", "AUTH")
# What the next page of a list is fetched by is no secret.
_NAME = rf"(?:{'|'.join(map(behind, _HEADS))})(?<!(?:page|next|sync).token)(?<!(?:PAGE|NEXT|SYNC).TOKEN)"
_ENDS_IN_NAME = re.compile(_NAME + r"\Z")
_VALUE = re.compile(r"[!#-&(-\[\]-_a-~]{12,}")  # No quote, no backslash, no blank: the same in JSON.


def may_name_secret(key: str) -> bool:
    """Whether the value under *key* is a secret if it looks like one: under `token` also words stand."""
    return key[-3:].lower() in ("ken", "uth") and _ENDS_IN_NAME.search(key) is not None


def looks_random(value: str) -> bool:
    """Whether *value* is long, without a blank, and has digits among its letters."""
    return _VALUE.fullmatch(value) is not None and _mixed(value) > 0


def _mixed(candidate: str) -> int:
    mixed = re.search("[0-9]", candidate) and re.search("[A-Za-z]", candidate)
    return len(candidate) if mixed and not is_placeholder(candidate) else 0


_QUOTE = r"(?:\\?[\"'`])?"
LOOSE: tuple[Finder, ...] = (
    Pattern(
        "token",
        # What goes on with a bracket is the name of a function.
        re.compile(rf"{_NAME}{_QUOTE} ?[:=] {{0,4}}{_QUOTE}([A-Za-z0-9._~+/-]{{12,4096}}+={{0,2}}+)(?![(\[])"),
        _HEADS,
        _mixed,
    ),
    Pattern(
        "signature",
        re.compile(r"(?:sig(?<=[?&;]sig)|X-(?:Amz|Goog)-Signature)=([A-Za-z0-9%+/=_-]{16,})"),
        ("sig=", "-Signature="),
    ),
    Pattern(
        "basic_auth",
        re.compile(rf"curl [^\n]{{0,256}}?(?<= )(?:-u ?|--user[ =]){_QUOTE}[^\s:\"'\\]{{1,64}}:([^\s\"'\\]{{1,256}})"),
        ("curl ",),
    ),
)

# The same in a line of JSON, for the engine of `anchors`.
ANCHORS = (
    rf"(?:[Tt]oken|TOKEN|[Aa]uth|AUTH)[\\\"'`]*{BLANKS}[:=]{BLANKS}[\\\"'`]*[^\s\"'`]{{12}}",
    r"sig=[A-Za-z0-9%+/=_\\-]{16}",
    r"-Signature=[A-Za-z0-9%+/=_\\-]{16}",
    r"curl (?s:.)*-(?:u|-user[ =])",
)
