"""The sums of `stats` over large files, made by DuckDB: the same as those of the reader in Python, and much sooner.

It counts logs whose every line is an event as we write it. Of any other line (a flywheel document, a flat record, what
is torn) the reader in Python knows more, and is left to count the whole log. One statement looks through the files
once; values stay JSON in it, so that a text is told from a number, and are decoded a group at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from .fields import PERIODS, as_text, getter
from .sketch import EXACT, GROWTH, SMALLEST, Sketch
from .stats import CALLS, NUMBERS, Row, Stats, ordered

WORTHWHILE = 16_000_000
"""From so many bytes on it is quicker."""

_CONTENTS = ("request", "response")
_OBJECTS = ("error", "metadata", "prompt", "safety", "quality", "redactions")
_LISTS = ("tags", "retrieval_docs", "training_unsafe")
_TEXTS = ("id", "timestamp", "kind", "status", "client_id", "workload_id", "model", "surface")
_NUMBERS = (*NUMBERS, "cost_usd", "latency_ms", "time_to_first_token_ms", "sample_rate")
_SKETCHED = ("latency_ms", "time_to_first_token_ms")
_OBJECT = "STRUCT(nothing JSON)"  # null unless it is an object, and nothing is taken out of it
_COUNTS = len(NUMBERS) + 4
_MEMORY = "256MB"


class _Group(NamedTuple):
    """What DuckDB says of the events with the same keys and the same sample rate, as far as they are calls or not.

    Attributes:
        key: the values grouped by, as JSON; None where it lacks.
        odd: how many lines are no event as we write it; `bare`: how many calls lack request or response.
        counts: the figures of a `Row` from `calls` to `priced`.
        sketches: of each of `_SKETCHED` the number of values, how many there are by bucket, and the smallest values.
    """

    key: tuple[str | None, ...]
    is_call: bool
    rate: float | None
    odd: int
    bare: int
    counts: tuple[int, ...]
    cost: float | None
    first: str
    last: str
    sketches: list[tuple[int, dict[int, int] | None, list[float] | None]]


def available() -> bool:
    """Tell whether DuckDB, the extra `[analytics]`, is installed."""
    return find_spec("duckdb") is not None


def summarise(paths: Sequence[Path], by: Sequence[str], *, scaled: bool = False) -> Stats | None:
    """Do what `stats.summarise` does, for the events in the files *paths*; None if a line is no event as we write it.

    Raises:
        ValueError: a field to group by does not exist.
    """
    import duckdb

    for name in by:
        getter(name)
    with duckdb.connect(config={"memory_limit": _MEMORY, "preserve_insertion_order": False}) as base:
        try:
            found = [_row(group, scaled=scaled) for group in _groups(base, [str(path) for path in paths], by)]
        except (duckdb.Error, _Odd):  # a torn line, NaN, a lone surrogate, a huge event
            return None
    rows: dict[tuple[str, ...], Row] = {}
    total = Row(())
    for row in found:
        rows.setdefault(row.key, Row(row.key)).merge(row)
        total.merge(row)
    return Stats(tuple(by), ordered(rows.values()), total)


class _Odd(Exception):
    """The reader in Python knows more of this log."""


def _groups(base: Any, paths: list[str], by: Sequence[str]) -> Iterator[_Group]:
    """Yield the groups of calls. Raises _Odd where a line is no event as we write it."""
    found = [_group(line, len(by)) for line in base.execute(_statement(by), [paths]).fetchall()]
    if any(group.odd for group in found):
        raise _Odd
    # Without its content, or with one that is none: a second look tells, and is seldom needed.
    if any(group.bare for group in found) and base.execute(_odd_contents(), [paths]).fetchone() != (0,):
        raise _Odd
    return (group for group in found if group.is_call)


def _group(line: tuple[Any, ...], wide: int) -> _Group:
    key, (is_call, rate, odd, bare), rest = line[:wide], line[wide : wide + 4], line[wide + 4 :]
    counts, (cost, first, last), sketches = rest[:_COUNTS], rest[_COUNTS : _COUNTS + 3], rest[_COUNTS + 3 :]
    return _Group(key, is_call, rate, odd, bare, counts, cost, first, last, [sketches[:3], sketches[3:]])


def _row(group: _Group, *, scaled: bool) -> Row:
    weight = 1 / group.rate if group.rate is not None and 0 < group.rate < 1 else 1
    times = weight if scaled else 1
    row = Row(_decoded(group.key), first=json.loads(group.first), last=json.loads(group.last))
    for name, count in zip(("calls", "errors", "incomplete", *NUMBERS, "priced"), group.counts, strict=True):
        setattr(row, name, times * count)
    row.cost_usd = None if group.cost is None else times * group.cost
    row.recorded, row.estimated = group.counts[0], weight * group.counts[0]
    row.latency, row.first_token = (_sketch(*one, times=times) for one in group.sketches)
    return row


def _sketch(count: int, buckets: Mapping[int, int] | None, smallest: Iterable[float] | None, *, times: float) -> Sketch:
    """Few values are taken as they are, many by their buckets, as a `Sketch` keeps them."""
    if count <= EXACT:
        return Sketch.of(count, [(value, times) for value in smallest or ()], {})
    return Sketch.of(count, (), {bucket: times * many for bucket, many in (buckets or {}).items()})


def _decoded(key: Iterable[str | None]) -> tuple[str, ...]:
    values = [None if text is None else json.loads(text) for text in key]
    if any(isinstance(value, (float, list, dict, bool)) for value in values):
        raise _Odd
    return tuple(map(as_text, values))


def _statement(by: Sequence[str]) -> str:
    """Return the statement that makes the lines of which `_groups` makes groups."""
    read = dict.fromkeys((*_TEXTS, *_NUMBERS, *_LISTS, *_OBJECTS), "JSON") | dict.fromkeys(_CONTENTS, _OBJECT)
    read |= {name.split(".")[0]: "JSON" for name in by if name not in PERIODS}
    columns = ", ".join(f"{_quoted(name)}: '{kind}'" for name, kind in read.items())
    keys = [f"{_key(name)} AS key{place}" for place, name in enumerate(by)]
    calls = ", ".join(f"'\"{kind}\"'" for kind in CALLS)
    odd = " OR ".join(_oddities(read))
    return (  # the names are those of `Event`, the values of no log are in it
        f"SELECT {', '.join([*keys, f'kind IN ({calls}) AS is_call', *_figures(odd)])} "  # noqa: S608
        f"FROM read_json(?, format = 'newline_delimited', columns = {{{columns}}}) GROUP BY ALL"
    )


def _figures(odd: str) -> Iterator[str]:
    """Yield the figures of a group, in the order of the fields of `_Group` from `rate` on."""
    yield f"{_number('sample_rate')} AS rate"
    yield f"count(*) FILTER ({odd})"
    yield f"count(*) FILTER (is_call AND ({' OR '.join(f'{name} IS NULL' for name in _CONTENTS)}))"
    yield from ("count(*)", "count(*) FILTER (status = '\"error\"')", "count(*) FILTER (status = '\"incomplete\"')")
    yield from (f"coalesce(sum({_whole(name)}), 0)::BIGINT" for name in NUMBERS)
    cost = _number("cost_usd")
    yield from (f"count({cost})", f"fsum({cost})", "min(timestamp)", "max(timestamp)")
    for name in _SKETCHED:
        value = _number(name)
        bucket = f"ceil(ln(greatest({value}, {SMALLEST!r}::DOUBLE)) / {GROWTH!r}::DOUBLE)::INTEGER"
        for figure in ("count(*)", f"histogram({bucket})", f"min({value}, {EXACT})"):
            yield f"{figure} FILTER ({value} >= 0)"


def _oddities(read: Mapping[str, str]) -> Iterator[str]:
    """Yield what is true of no event as we write it; of what is missing nothing is true.

    By its first letter JSON of a sort is told from other JSON: a quote, a brace, a bracket, and the n of null.
    """
    yield "kind IS NULL OR kind = 'null' OR timestamp IS NULL OR timestamp = 'null' OR contains(timestamp, chr(92))"
    yield from (f"ascii({_quoted(name)}) NOT IN ({ord(begin)}, {ord('n')})" for name, begin in _begins(read))
    for name in _NUMBERS:
        number = _whole(name) if name in NUMBERS else _number(name)
        unlike = f"contains({name}, '.')" if name in NUMBERS else f"NOT isfinite({number})"
        yield f"({number} IS NULL AND {name} <> 'null') OR {unlike}"


def _begins(read: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the columns that are read as JSON, and how that begins in an event."""
    yield from ((name, '"') for name in _TEXTS)
    yield from ((name, "{") for name in (*_OBJECTS, *_CONTENTS) if read[name] == "JSON")
    yield from ((name, "[") for name in _LISTS)


def _odd_contents() -> str:
    """Return the statement that counts the requests and responses that are neither objects nor null."""
    odd = " OR ".join(f"ascii({name}) NOT IN ({ord('{')}, {ord('n')})" for name in _CONTENTS)
    columns = ", ".join(f"{name}: 'JSON'" for name in _CONTENTS)
    return f"SELECT count(*) FROM read_json(?, format = 'newline_delimited', columns = {{{columns}}}) WHERE {odd}"  # noqa: S608


def _number(name: str) -> str:
    """Return the number in the column *name*; a cast from JSON would take the text "7" for one."""
    return f"TRY_CAST({name}::VARCHAR AS DOUBLE)"


def _whole(name: str) -> str:
    return f"TRY_CAST({name}::VARCHAR AS BIGINT)"


def _key(name: str) -> str:
    """Return the field *name* as JSON."""
    if name in PERIODS:
        return f"substr(timestamp, 1, {PERIODS[name] + 1}) || '\"'"
    first, *deeper = name.split(".")
    place = "$" + "".join(f".{_quoted(step)}" for step in deeper)
    return f"json_extract({_quoted(first)}, '{place.replace(chr(39), chr(39) * 2)}')" if deeper else _quoted(first)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
