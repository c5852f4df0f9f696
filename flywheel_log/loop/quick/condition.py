"""A filter in SQL, as far as SQL can express it with the same meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..filter import Filter
from . import column

_PLAIN = re.compile(r"\w[\w-]*(\.\w[\w-]*)*", re.ASCII)
_LIKE = str.maketrans({"*": "%", "?": "_", "%": r"\%", "_": r"\_", "\\": r"\\"})
"""What makes of the pattern of a file's name one of SQL."""
_MILLISECOND = timedelta(milliseconds=1)
_OURS = r"[1-9]\d{3}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z"


@dataclass(frozen=True)
class Condition:
    """A filter in SQL.

    Attributes:
        holds: the expressions that are all true of what is chosen.
        odd: expressions; where one is true of a line, only the reader in Python can tell.
        fields: what is looked at.
        values: the parameters of the expressions, by name.
    """

    holds: tuple[str, ...]
    odd: tuple[str, ...]
    fields: tuple[str, ...]
    values: dict[str, Any]

    @classmethod
    def of(cls, chosen: Filter) -> Condition | None:
        """Return what *chosen* means; None if only the reader in Python can tell."""
        if chosen.text or chosen.feedback or chosen.joined or not all(map(_PLAIN.fullmatch, chosen.where)):
            return None
        holds, odd, values = [], [], dict[str, Any]()
        for number, (name, wanted) in enumerate(chosen.where.items()):
            holds.append(_one_of(name, wanted, f"value{number}", values))
            odd += [] if column.is_text(name) else [_untold(name)]
        for sign, time in ((">=", chosen.since), ("<", chosen.until)):
            if time:
                values[name := "since" if sign == ">=" else "until"] = _rounded_up(time)
                holds.append(f"{_TIME} {sign} ${name}")
        if chosen.since or chosen.until:
            odd.append(f"NOT regexp_full_match(timestamp, '{_OURS}') OR {_TIME} IS NULL")
        return cls(tuple(holds), tuple(odd), tuple(chosen.where), values)


_TIME = "TRY_CAST(left(timestamp, 23) AS TIMESTAMP)"


def _rounded_up(time: datetime) -> datetime:
    """To the milliseconds of the log: nothing in it lies between them."""
    utc = time.astimezone(UTC).replace(tzinfo=None)
    return utc + -timedelta(microseconds=utc.microsecond) % _MILLISECOND


def _one_of(name: str, wanted: tuple[str, ...], parameter: str, values: dict[str, Any]) -> str:
    """Say that the text of the field is one of those *wanted*, which become parameters among *values*."""
    text = _text(name)
    if not any(set("*?") & set(one) for one in wanted):
        values[parameter] = list(wanted)
        return f"list_contains(${parameter}, {text})"
    like = {f"{parameter}_{number}": one.translate(_LIKE) for number, one in enumerate(wanted)}
    values |= like
    return "(" + " OR ".join(f"{text} LIKE ${one} ESCAPE '\\'" for one in like) + ")"


def _text(name: str) -> str:
    """The field as `values.as_text` has it, where it is no odd one."""
    value = f"CAST({column.value(name)} AS VARCHAR)"
    if column.is_text(name):
        return f"coalesce({value}, '')"
    return (
        f"CASE WHEN {value} IS NULL OR {value} = 'null' THEN '' WHEN {value} = 'true' THEN 'True' "
        f"WHEN {value} = 'false' THEN 'False' WHEN {value}[1] = '\"' THEN json_extract_string({value}, '$') "
        f"ELSE {value} END"
    )


def _untold(name: str) -> str:
    """Say that the field is a list, an object, or a number that Python may write in another way."""
    value = f"CAST({column.value(name)} AS VARCHAR)"
    return f"{value} >= '#' AND NOT regexp_full_match({value}, 'null|true|false|0|-?[1-9]\\d{{0,17}}')"
