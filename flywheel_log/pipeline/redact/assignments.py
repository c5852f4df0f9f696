"""Secrets that are known by their name or place: `password=…`, `"api_key": "…"`, `Bearer …`, `https://user:…@host`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import secret_names
from .pattern import BLANKS, VALUE_FOLLOWS, VALUE_STANDS_BEFORE, Family, Finder, Pattern, Span, behind
from .secret_names import BEFORE_SIGN, LONGEST_NAME, NAME, NAMED, counts, names_secret

# Also `:=`, `==`, `=>`, and the sign within what Markdown prints bold: `**Password:** …`.
_SIGN = re.compile(r"[:=\uff1a][=>]{0,2}+(?!//)(?:\*\*(?=\s))?+\s{0,4}")
_OPTION = re.compile(r"--([A-Za-z][\w-]{0,40}) (?=[^\s-])")
# Between the sign and a value in quotes: `: str = "…"`, `= SecretStr("…")`, `= rb"…"`.
_OPENING = re.compile(
    r"(?:&?(?!(?i:basic|bearer) )(?:[A-Za-z][\w.\[\]<>| ]{0,40} |[A-Za-z][A-Za-z_.\[\]<>|]{0,40})= {0,4}"
    r"(?=[\"'`]|[rbfuRBFU]{1,2}[\"']))?"
    r"(?:Secret(?:Str)?\((?=[\"']))?(?:[rbfuRBFU]{1,2}(?=[\"']))?"
)
_VALUE = re.compile(
    r"(?:\\\"([^\"\\\n]{1,256})|\"(?:\"\")?((?:[^\"\\\n]|\\.){1,256})|'(?:'')?((?:[^'\\\n]|\\.){1,256}(?=')|[^'\"\\\n]{1,256})"
    r"|`([^`\s\\]{1,256})`)"
    r"|(?:(?i:basic|bearer|token)\s{1,4})?([^\s\"'`,;&<>(){}\[\]|\\]{6,256})"
)
_LONGEST_VALUE = 256
_REST = re.compile(r"[A-Za-z0-9+/_.~%-]*={0,2}")  # Of a longer one: a key in base64 has no sign in it.
# Base64 in lines, as `base64`, `openssl` and Python's `encodebytes` fold it; the last line is shorter.
_LINE = re.compile(r"([A-Za-z0-9+/_-]{60,76})\r?")
_NEXT_LINE = re.compile(r"\\?\r?\n[ \t]{0,16}([A-Za-z0-9+/_-]{1,76}={0,2})(?=[\s\"'`\\]|$)")
_ODD_LINE = re.compile(r"[0-9+/=]|[a-z][A-Z]")  # It may be a word of what follows.
_MIXED_LINE = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z]).*[0-9+/=]")  # Behind one line alone, it has to be plainer.
# A block of YAML: `private_key: |`, and below it all lines that begin with the blanks of the first, or are blank.
_BLOCK = re.compile(
    r"[|>][+\-1-9]{0,2}[ \t]{0,4}\r?\n([ \t]{1,64})(?![|\s])"
    r"([^\r\n]{1,256}(?:(?:\r?\n[ \t]{0,64}){0,4}\r?\n\1[^\r\n]{1,256}){0,100})"
)
_IN_BACKTICKS = 4  # Names of variables stand in them, too; the next group is what has no quotes.
_OPEN = re.compile(r"[\[(]\s{0,16}(?=\\?[\"'])")
_COMMA = re.compile(r"\\?[\"']\s{0,16},\s{0,16}(?=\\?[\"'])")
_BARE_COMMA = re.compile(r",(?=[^\s\"'\\=:,]{6,256}(?:[\s,;\"']|$))")
_NOTHING = re.compile(r"(?!)")
_MOST = 64  # Of a list; each is looked at again where it assigns something itself.
_QUOTES = ("'", '"', "`", "*")

_PLACEHOLDER = re.compile(
    r"(?i)(?:.|str(?:ing)?|text|none|null|true|false|required|optional|password|secret|token|redacted|changeme|undefined"
    r"|[*x•.\"'`]+|<.*|\$.*|\{.*|%.*|\[.*|your[_ -].*|my[_ -].*|os\.environ.*|.*\.(?:get|getenv)\b.*)"
)
# What follows a quote that closes: `{"label": "Password:"}`, `["password=", 5]`.
_CLOSED = re.compile(r"[\"'`]?\s*[,:\])}]+(?:[\s\])}]|$)")
_TELLING = re.compile(r"[0-9!@#$%^*+~?]")
_USERINFO = r"://[^\s/?#:@\"'<>]{0,128}:([^\s/?#\"'<>]{1,8192})@"


def is_placeholder(value: str) -> bool:
    """Whether *value* stands for a secret: is a type, a variable, `<your key>`, asterisks, or one letter."""
    return _PLACEHOLDER.fullmatch(value) is not None


def _is_secret(value: str) -> bool:
    """Whether *value*, assigned to the name of a secret in a text, is one: no placeholder and no sentence."""
    if is_placeholder(value) or _CLOSED.match(value):
        return False
    return " " not in value or _TELLING.search(value) is not None


def _quoted(candidate: str) -> int:
    return len(candidate) if _is_secret(candidate) else 0


def _credential(candidate: str) -> int:
    return len(candidate) if re.search("[0-9]", candidate) else 0


class Assigned:
    """Finds the values of `password=…`, `"api_key": "…"`, `Authorization: …`: from the sign backwards to the name.

    What stands without quotes must have a digit or a sign in it, for it may be the name of a variable. A blank is the
    sign of an option: `--password …`.
    """

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where values begin and end; their kind is `password`."""
        for name, at in _assignments(text):
            if names_secret(name):
                for value in _values(text, at, many=counts(name)):
                    group = value.lastindex or 0
                    if length := assigned(value[group], bare=group >= _IN_BACKTICKS):
                        yield value.start(group), _end(text, value.start(group), length), "password"


def _end(text: str, start: int, length: int) -> int:
    rest = _REST.match(text, start + length) if length >= _LONGEST_VALUE else None
    if rest is None and (line := _LINE.fullmatch(text, start, start + length)):
        return _end_of_lines(text, line.end(1), len(line[1]))
    return rest.end() if rest else start + length


def _end_of_lines(text: str, end: int, width: int) -> int:
    """Where base64 ends whose first line, *width* characters, ends at *end*: lines as long, and then a shorter one."""
    at = end
    while (line := _NEXT_LINE.match(text, at)) and len(line[1]) == width:
        at = line.end()
    is_last = line is not None and len(line[1]) < width and _is_last(line[1], alone=at == end)
    return line.end() if line and is_last else at


def _is_last(line: str, *, alone: bool) -> bool:
    """Whether a shorter *line* is the last of base64, whose length is a multiple of four, rather than `NAME=`."""
    if len(line) % 4:
        return not alone and "=" not in line and _ODD_LINE.search(line) is not None
    return (_MIXED_LINE if alone else _ODD_LINE).search(line) is not None


def _assignments(text: str) -> Iterator[tuple[str, int]]:
    """What something is assigned to in *text*, and where the assigned begins."""
    for sign in _SIGN.finditer(text):
        yield text[max(0, sign.start() - LONGEST_NAME) : sign.start()].rstrip(BEFORE_SIGN), sign.end()
    for option in _OPTION.finditer(text) if "--" in text else ():
        yield option[1], option.end()


def _values(text: str, at: int, *, many: bool) -> Iterator[re.Match[str]]:
    """What is assigned *at* this place: one value, a block, those of a list in brackets, or *many* between commas."""
    if block := _BLOCK.match(text, at):
        yield block
        return
    bracket = _OPEN.match(text, at)
    between = _COMMA if bracket else _BARE_COMMA if many else _NOTHING
    opening = bracket or _OPENING.match(text, at)
    end = opening.end() if opening else at
    for _ in range(_MOST):
        if (value := _VALUE.match(text, end)) is None:
            return
        yield value
        if (comma := between.match(text, value.end())) is None:
            return
        end = comma.end()


def assigned(candidate: str, *, bare: bool) -> int:
    """How many characters of *candidate* are a secret, if it stands behind the name of one; *bare*: without quotes."""
    if bare:
        candidate = candidate.rstrip(".")
        if not _TELLING.search(candidate):
            return 0
    return len(candidate) if _is_secret(candidate) else 0


_ASSIGNMENTS: tuple[Finder, ...] = (
    Pattern("url_password", re.compile(_USERINFO), ("@",), _quoted),
    Pattern(
        "bearer_token",
        re.compile(rf"{behind('[Bb]earer')}\s{{1,4}}([A-Za-z0-9._~+/=-]{{16,}})"),
        ("earer",),
        _credential,
    ),
    Pattern("password", re.compile(rf"<[\w.:-]{{0,40}}?{NAME}[sS]?>([^<>\n]{{1,8192}})</"), ("</",), _quoted),
    Assigned(),
)

# The same in a line of JSON, for the engine of `anchors`: between a name and its sign, or the end of a name in a pair,
# stand quotes, and so many backslashes as it is deep inside JSON in strings; a slash may be escaped, too.
_DRESS = r"(?:[\s\\\"'`*\]!:\uff1a]|\\[nrtf]|\\u[0-9A-Fa-f]{4})*"
_BEHIND_NAME = (
    rf"{_DRESS}(?:[:=\uff1a]|\\+u(?i:ff1a))",
    r">[^<>]+<\\*/",
    rf"{_DRESS}{VALUE_FOLLOWS}",
    r"[\s*_`\\\"']*(?:\||[,;][^\s]|\\[tnr])",  # A heading of a table, see `tables`.
)
ANCHORS = (
    rf"{NAMED}(?:{'|'.join(_BEHIND_NAME)})",
    rf"{VALUE_STANDS_BEFORE}{NAMED}{_DRESS}\"",
    rf"[Bb]earer{BLANKS}[A-Za-z0-9._~+/=\\-]{{16}}",
)
OPTION = (rf"--[A-Za-z0-9_-]*{NAMED} ",)
"""The same, but for a pass of its own: it waits for a name from each `--` on."""
USERINFO = (r":(?:/|\\+/)\\*/[^\s/?#:@\"<>]*:[^\s/?#\"<>]+@",)
"""The same for what has none of the words, and begins with what is rare."""
WORDS = (*secret_names.WORDS, "bearer")

ASSIGNMENTS: tuple[Finder, ...] = (Family(_ASSIGNMENTS, ANCHORS, OPTION, USERINFO),)
