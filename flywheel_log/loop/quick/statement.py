"""The statement that counts: it looks through the files once, and reads every value once.

Numbers are read as the JSON that stands there, so that "7" is told from 7. Texts are not, as that takes half as long
again: one that might be a number, an object or a list counts as odd.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from flywheel_log.meter import CALLS

from ..statistics.sketch import EXACT, GROWTH, SMALLEST
from ..stats import SUMS
from . import column
from .column import TEXTS, quoted
from .condition import Condition

_COUNTED = ("timestamp", "kind", "status")
_SKETCHED = ("latency_ms", "time_to_first_token_ms")
_NUMBERS = (*SUMS, *_SKETCHED, "sample_rate")


def statement(by: Sequence[str], condition: Condition) -> str:
    """Return the statement that counts the lines of the files `$paths`, grouped *by* fields.

    Its columns are the keys, whether these are calls that the *condition* chooses, and what `_figures` yields.
    """
    read = _columns([*by, *condition.fields])
    texts = [name for name, kind in read.items() if kind == "VARCHAR"]
    keys = [f"CASE WHEN counts_in THEN {column.value(name)} END AS key{place}" for place, name in enumerate(by)]
    odd = " OR ".join(f"({one})" for one in (*_oddities(texts), *condition.odd))
    return (  # the names are those of `Event`, the values of no log are in it
        f"SELECT {', '.join([*keys, 'counts_in', *_figures(odd)])} "  # noqa: S608
        f"FROM (SELECT *, {', '.join(_prepared(condition))} FROM {_lines(read)}) GROUP BY ALL"
    )


def _columns(fields: Iterable[str]) -> dict[str, str]:
    """What is read, and as what: all that is counted, and what *fields* lie in."""
    named = [name for name in map(column.first, fields) if name]
    read = dict.fromkeys((*_COUNTED, *named), "VARCHAR")
    return read | dict.fromkeys((*_NUMBERS, *(name for name in named if name not in TEXTS)), "JSON")


def _lines(read: Mapping[str, str]) -> str:
    columns = ", ".join(f"{quoted(name)}: '{kind}'" for name, kind in read.items())
    return f"read_json($paths, format = 'newline_delimited', columns = {{{columns}}})"


def _prepared(condition: Condition) -> Iterator[str]:
    """Yield what several figures need: the numbers of a line, and whether it counts."""
    for name in _NUMBERS:  # a cast from JSON would take the text "7" for a number
        yield f"TRY_CAST({name}::VARCHAR AS DOUBLE) AS {_number(name)}"
    holds = " AND ".join((f"kind IN {CALLS!r}", *condition.holds))
    yield f"coalesce({holds}, false) AS counts_in"


def _figures(odd: str) -> Iterator[str]:
    """Yield the figures of a group, in the order of the fields of `_Group` from `rate` on."""
    yield _number("sample_rate")
    yield f"count(*) FILTER ({odd})"
    yield from ("count(*)", "count(*) FILTER (status = 'error')", "count(*) FILTER (status = 'incomplete')")
    yield f"count({_number('cost_usd')})"
    yield from (f"fsum({_number(name)})" for name in SUMS)
    yield from ("min(timestamp)", "max(timestamp)")
    for name in _SKETCHED:
        fit = f"{_number(name)} >= 0 AND {_number(name)} < 'inf'"
        number = f"CASE WHEN {fit} THEN {_number(name)} END"
        bucket = f"ceil(ln(greatest({_number(name)}, {SMALLEST!r}::DOUBLE)) / {GROWTH!r}::DOUBLE)::SMALLINT"
        # histogram(…) would do, but DuckDB 2 sets all lines aside for it first. This takes some four bytes a call.
        buckets = f"list_histogram(list({bucket}) FILTER ({fit}))"
        yield from (f"count({number})", buckets, f"min({number}, {EXACT})")


def _oddities(texts: Iterable[str]) -> Iterator[str]:
    """Yield what is true of no event as we write it; of what is missing nothing is true."""
    yield "kind IS NULL OR timestamp IS NULL"
    yield from map(_no_text, texts)
    yield from (f"{_number(name)} IS NULL AND {name} <> 'null'" for name in _NUMBERS)


def _no_text(name: str) -> str:
    """Say that the column *name*, read as a text, may be JSON of another sort: 7, true, an object, a list."""
    number = f"{name} < ':' AND NOT regexp_matches({name}, '^$|[^0-9eE.+-]')"
    return (  # in this order, what is seldom needed and takes long is seldom done
        f"CASE WHEN {name} BETWEEN 'a' AND '{{' THEN {name} IN ('true', 'false') "
        f"WHEN {name} < ':' AND contains({name}, ':') THEN false "
        f"ELSE ascii({name}) IN ({ord('[')}, {ord('{')}) OR ({number}) END"
    )


def _number(name: str) -> str:
    """Return the column with the number that *name* is."""
    return f"the_{name}"
