"""Rules in a TOML file: `rules`, a list of lines, or of tables with a rule, a name, filters and a minimum."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .rule import Rule, parse

_KEYS = ("rule", "name", "where", "min")
_FORM = 'have: rules = ["error_rate > 5% over 15m"], or tables [[rules]] with the keys rule, name, where, min'


def load(path: Path) -> list[Rule]:
    """Read the rules of the file *path*.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not TOML, or something in it is wrong; the message names the rule.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not TOML: {error}") from None
    given = content.pop("rules", None)
    if content or not isinstance(given, list) or not given:
        there = ", ".join(sorted(content)) if content else "no rules"
        raise ValueError(f"{path} has {there}; {_FORM}")
    try:
        return [_rule(number, one) for number, one in enumerate(given, start=1)]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _rule(number: int, given: Any) -> Rule:
    if isinstance(given, str):
        return parse(given)
    if not isinstance(given, Mapping) or not isinstance(given.get("rule"), str):
        raise ValueError(f"rule {number} is {given!r}; {_FORM}")
    if unknown := sorted(set(given) - set(_KEYS)):
        raise ValueError(f"rule {number} has {', '.join(unknown)}; {_FORM}")
    name, least = given.get("name", ""), given.get("min")
    if not isinstance(name, str) or not (least is None or (type(least) is int and least >= 0)):
        raise ValueError(
            f"rule {number} has the name {name!r} and min {least!r}; expected a text and a number of calls"
        )
    return parse(given["rule"], name=name, where=_where(number, given.get("where", {})), least=least)


def _where(number: int, given: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(given, Mapping):
        raise ValueError(f'rule {number} has where = {given!r}; expected where = {{ workload_id = "chat" }}')
    found = {name: tuple(values) if isinstance(values, list) else (values,) for name, values in given.items()}
    for name, values in found.items():
        if not all(isinstance(value, str) for value in values):
            raise ValueError(f"rule {number} has where {name} = {given[name]!r}; expected a text or a list of texts")
    return found
