"""The sums of `stats` over large files, made by DuckDB: the same as those of the reader in Python, and much sooner.

It counts logs whose every line is an event as we write it. Of any other line (a flywheel document, a flat record, what
is torn) the reader in Python knows more, and is left to count the whole log.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .fields import PERIODS, getter
from .sketch import EXACT, GROWTH, SMALLEST, Sketch
from .stats import CALLS, NUMBERS, Row, Stats, ordered

WORTHWHILE = 16_000_000
"""From so many bytes on it is quicker."""

_CONTENTS = ("request", "response")
_OBJECTS = ("error", "metadata", "prompt", "safety", "quality", "redactions")
_LISTS = ("tags", "retrieval_docs", "training_unsafe")
_TEXTS = ("id", "timestamp", "kind", "status", "client_id", "workload_id", "model", "surface")
_NUMBERS = (*NUMBERS, "cost_usd", "latency_ms", "time_to_first_token_ms", "sample_rate")
_SKETCHED = {"latency": "latency_ms", "first_token": "time_to_first_token_ms"}
_OBJECT = "STRUCT(nothing JSON)"  # null unless it is an object, and nothing is taken out of it
_MEMORY = "256MB"


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
            plain = _is_plain(base, [str(path) for path in paths], by)
            return _stats(base, tuple(by), scaled=scaled) if plain else None
        except duckdb.Error:  # a torn line, NaN, a lone surrogate, a huge event
            return None


def _is_plain(base: Any, paths: list[str], by: Sequence[str]) -> bool:
    """Make the table of all calls, and tell whether every line is an event as we write it."""
    base.execute(_counted(by), [paths])
    odd, bare = base.execute("SELECT count(*) FILTER (NOT plain), count(*) FILTER (NOT whole) FROM counted").fetchone()
    # Without its content, or with one that is none: a second look tells, and is seldom needed.
    return not odd and (not bare or base.execute(_odd_contents(), [paths]).fetchone() == (0,))


def _counted(by: Sequence[str]) -> str:
    """Return the statement that makes a table of all calls: their keys, what is summed, and whether they are plain."""
    read = dict.fromkeys((*_TEXTS, *_NUMBERS, *_LISTS, *_OBJECTS), "JSON") | dict.fromkeys(_CONTENTS, _OBJECT)
    read |= {name.split(".")[0]: "JSON" for name in by if name not in PERIODS}
    checks = [
        *(_is(name, f"starts_with({_quoted(name)}, '{begin}')") for name, begin in _begins(read)),
        *(_is(name, f"isfinite({_cast(name, 'DOUBLE')})") for name in _NUMBERS if name not in NUMBERS),
        *(_is(name, f"{_cast(name, 'DOUBLE')} = {_cast(name, 'BIGINT')}") for name in NUMBERS),
        *(f"({_key(name)} IS NULL OR {_groups(_key(name))})" for name in by),
        *("kind IS NOT NULL", "kind <> 'null'", "timestamp IS NOT NULL", "timestamp <> 'null'"),
    ]
    shown = [f"coalesce({_shown(name)}, '') AS key{place}" for place, name in enumerate(by)]
    shown += [f"{_cast(name, 'BIGINT' if name in NUMBERS else 'DOUBLE')} AS {name}" for name in _NUMBERS]
    shown += [f"{name} ->> '$' AS {name}" for name in ("kind", "status", "timestamp")]
    rate = _cast("sample_rate", "DOUBLE")
    shown += [f"CASE WHEN {rate} > 0 AND {rate} < 1 THEN 1 / {rate} ELSE 1 END AS stands_for"]
    columns = ", ".join(f"{_quoted(name)}: '{kind}'" for name, kind in read.items())
    return (  # the names are those of `Event`, the values of no log are in it
        f"CREATE TEMP TABLE counted AS SELECT {', '.join(shown)}, coalesce({' AND '.join(checks)}, false) AS plain, "  # noqa: S608
        f"{' AND '.join(f'{name} IS NOT NULL' for name in _CONTENTS)} AS whole "
        f"FROM read_json(?, format = 'newline_delimited', columns = {{{columns}}})"
    )


def _stats(base: Any, by: tuple[str, ...], *, scaled: bool) -> Stats:
    keys = ", ".join(f"key{place}" for place in range(len(by))) or "''"
    calls = f"FROM counted WHERE kind IN {CALLS}"
    found = base.execute(f"SELECT {keys}, {', '.join(_sums(scaled=scaled))} {calls} GROUP BY ALL").fetchall()
    width = max(1, len(by))
    rows: dict[tuple[str, ...], Row] = {}
    for line in found:
        row = rows[line[:width]] = Row(line[: len(by)], *line[width:-4])
        row.first, row.last, row.recorded, row.estimated = line[-4:]
    weight = "stands_for" if scaled else "1"
    for attribute, column in _SKETCHED.items() if rows else ():
        _sketch(base, rows, attribute, f"SELECT {keys}, {column}, {weight} {calls} AND {column} >= 0")
    total = Row(())
    for row in rows.values():
        total.merge(row)
    return Stats(by, ordered(rows.values()), total)


def _sums(*, scaled: bool) -> Iterator[str]:
    """Yield the figures of a group, in the order of the fields of a `Row`."""
    kind, times, count = ("DOUBLE", " * stands_for", "sum(stands_for)") if scaled else ("BIGINT", "", "count(*)")
    for which in ("true", "status = 'error'", "status = 'incomplete'"):
        yield f"coalesce({count} FILTER ({which}), 0)"
    for name in NUMBERS:
        yield f"coalesce(sum({name}{times}), 0)::{kind}"
    yield f"coalesce({count} FILTER (cost_usd IS NOT NULL), 0)"
    yield f"fsum(cost_usd{times})"
    yield from ("min(timestamp)", "max(timestamp)", "count(*)", "sum(stands_for)")


def _sketch(base: Any, rows: dict[tuple[str, ...], Row], attribute: str, values: str) -> None:
    """Few values are taken as they are, many by their buckets, as a `Sketch` keeps them."""
    width = len(next(iter(rows)))
    keys = ", ".join(f"k{place}" for place in range(width))
    named = f"({values}) AS valued({keys}, v, w)"
    bucket = f"ceil(ln(greatest(v, {SMALLEST!r}::DOUBLE)) / {GROWTH!r}::DOUBLE)::INTEGER"
    every = f"SELECT {keys}, {bucket}, count(*), sum(w)::DOUBLE FROM {named} GROUP BY ALL"  # noqa: S608
    few = f"SELECT {keys}, list(v), list(w) FROM {named} GROUP BY {keys} HAVING count(*) <= {EXACT}"  # noqa: S608
    exact = {line[:width]: [*zip(*line[width:], strict=True)] for line in base.execute(few).fetchall()}
    counts: Counter[tuple[str, ...]] = Counter()
    buckets: dict[tuple[str, ...], dict[int, float]] = defaultdict(dict)
    for line in base.execute(every).fetchall():
        key, (place, count, weight) = line[:width], line[width:]
        counts[key] += count
        buckets[key][place] = weight
    for key, row in rows.items():
        given = ((), buckets[key]) if key not in exact else (exact[key], {})
        setattr(row, attribute, Sketch.of(counts[key], *given))


def _begins(read: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the columns that are read as JSON, and how that begins in an event."""
    yield from ((name, '"') for name in _TEXTS)
    yield from ((name, "{") for name in (*_OBJECTS, *_CONTENTS) if read[name] == "JSON")
    yield from ((name, "[") for name in _LISTS)


def _odd_contents() -> str:
    """Return the statement that counts the requests and responses that are neither objects nor null."""
    odd = " OR ".join("NOT " + _is(name, f"starts_with({name}, '{{')") for name in _CONTENTS)
    columns = ", ".join(f"{name}: 'JSON'" for name in _CONTENTS)
    return f"SELECT count(*) FROM read_json(?, format = 'newline_delimited', columns = {{{columns}}}) WHERE {odd}"  # noqa: S608


def _is(name: str, check: str) -> str:
    return f"({_quoted(name)} IS NULL OR {_quoted(name)} = 'null' OR {check})"


def _groups(key: str) -> str:
    """Texts and whole numbers are shown alike by both; lists, objects and fractions are not."""
    return f"{key} = 'null' OR starts_with({key}, '\"') OR TRY_CAST({key}::VARCHAR AS BIGINT)::VARCHAR = {key}::VARCHAR"


def _cast(name: str, kind: str) -> str:
    """Return the number in the column *name*; a cast from JSON would take the text "7" for one."""
    return f"TRY_CAST({name}::VARCHAR AS {kind})"


def _key(name: str) -> str:
    """Return the field *name* as JSON."""
    if name in PERIODS:
        return "timestamp"
    first, *deeper = name.split(".")
    place = "$" + "".join(f".{_quoted(step)}" for step in deeper)
    return f"json_extract({_quoted(first)}, '{place.replace(chr(39), chr(39) * 2)}')" if deeper else _quoted(first)


def _shown(name: str) -> str:
    return f"substr(timestamp ->> '$', 1, {PERIODS[name]})" if name in PERIODS else f"{_key(name)} ->> '$'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
