"""Secrets in commands and statements that have no sign for them: `mysql -p…`, `IDENTIFIED BY '…'`, netrc."""

from __future__ import annotations

import re

from .assignments import assigned
from .pattern import BLANKS, Family, Finder, Pattern

_QUOTE = r"(?:\\?[\"'`])?"
_ARGUMENT = rf"{_QUOTE}([^\s\"'`\\|;&]{{1,256}})"
_UP_TO = r" [^\n|;]{0,256}?(?<= )"
_ATTACHED = r"mysql(?:dump|admin|import|show|check|sh)?|mariadb(?:-dump|-admin)?|sshpass"
_APART = r"sshpass|mongo(?:sh|dump|restore|export|import)?|(?:docker|podman|helm registry|az|oc) login"
_PORTS = re.compile(r"[\d.:]+(?:/\w+)?")  # `docker run --name mongo -p 27017:27017`
_STATEMENT = r"(?:IDENTIFIED|identified)(?: (?:WITH|with) [\w'\"]{1,40})? (?:BY|by)(?: (?:PASSWORD|password))?"
_TEXT = r"'((?:[^'\"\\\n]|\\.){1,256})'"


def _given(candidate: str) -> int:
    return 0 if candidate.startswith("-") or _PORTS.fullmatch(candidate) else assigned(candidate, bare=False)


def _telling(candidate: str) -> int:
    return assigned(candidate, bare=True)


_COMMANDS = (
    Pattern(
        "basic_auth",
        re.compile(rf"curl [^\n]{{0,256}}?(?<= )(?:-u ?|--user[ =]){_QUOTE}[^\s:\"'\\]{{1,64}}:([^\s\"'\\]{{1,256}})"),
        ("curl ",),
    ),
    Pattern(
        "password", re.compile(rf"(?a:\b)(?:{_ATTACHED}){_UP_TO}-p{_ARGUMENT}"), ("mysql", "mariadb", "sshpass"), _given
    ),
    Pattern(
        "password",
        re.compile(rf"(?a:\b)(?:{_APART}){_UP_TO}-p {_ARGUMENT}"),
        ("sshpass ", "mongo", " login "),
        _given,
    ),
    Pattern("password", re.compile(rf"(?a:\b)redis-cli{_UP_TO}(?:-a|--pass) {_ARGUMENT}"), ("redis-cli ",), _given),
    Pattern("password", re.compile(rf"(?a:\b){_STATEMENT} {_TEXT}"), ("IDENTIFIED", "identified"), _given),
    Pattern("password", re.compile(rf"(?a:\b)PASSWORD {_TEXT}"), ("PASSWORD '",), _given),
    Pattern("password", re.compile(rf"(?a:\b)password {_TEXT}"), ("password '",), _telling),
    Pattern("password", re.compile(rf"(?a:\b)(?i:set password for) [^\s=]{{1,80}} ?= ?{_TEXT}"), ("=",), _given),
    Pattern(
        "password",
        re.compile(
            r"(?a:\b)machine\s{1,8}\S{1,256}\s{1,8}(?:(?:login|account)\s{1,8}\S{1,256}\s{1,8}){0,2}password\s{1,8}([^\s\"'`\\]{1,256})"
        ),
        ("machine",),
        _given,
    ),
)

# The same in a line of JSON, for the engine of `anchors`.
ANCHORS = (
    r"curl (?s:.)*-(?:u|-user[ =])",
    r"(?:mysql|mariadb|sshpass|mongo|login)(?s:.)* -p",
    r"redis-cli(?s:.)* -(?:a|-pass) ",
    rf"(?i:identified(?s:.)* by){BLANKS}(?:(?i:password){BLANKS})?\\*'",
)
_BY = ("identified by ", "identified by password ")
WORDS = ("curl ", " -p", "redis-cli", *(f"{by}{quote}" for by in _BY for quote in ("'", "\\")), "identified with")
WITH_PASSWORD = (r"(?:PASSWORD|password) \\*'", r"(?i:set password for )", r"machine(?s:.)*password")
"""The same for those that have the word, which is one of `secret_names.WORDS`."""

COMMANDS: tuple[Finder, ...] = (Family(_COMMANDS, ANCHORS, WITH_PASSWORD),)
