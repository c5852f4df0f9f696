"""The sums of `stats` over large files, made by DuckDB: the same as those of the reader in Python, and much sooner.

It counts logs whose every line is an event as we write it. Of any other line (a flywheel document, a flat record, what
is torn) the reader in Python knows more, and is left to count the whole log. What is counted is looked at in every
line, and the shape of all else in a sample: to read that too would take half as long again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ..filter import Filter
from ..reading import progress
from ..statistics.sketch import EXACT, Sketch
from ..stats import COUNTS, SUMS, Row, Stats
from ..values import as_text, getter
from .column import is_text
from .condition import Condition
from .sample import is_sound
from .statement import statement

_LARGE = 16_000_000
_QUICKER = 4
_MEMORY = "256MB"


class _Group(NamedTuple):
    """What DuckDB says of the events with the same keys and the same sample rate, as far as they count or not.

    Attributes:
        key: the values grouped by, as text or as JSON; None where it lacks.
        counts_in: whether they are calls that are chosen.
        odd: how many lines are no event as we write it.
        recorded: how many calls there are; `counts`, `sums`: `COUNTS` and `SUMS` of a `Row`.
        sketches: of latencies and times to the first token the number of values, how many there are by bucket, and the
            smallest values.
    """

    key: tuple[str | None, ...]
    counts_in: bool
    rate: float | None
    odd: int
    recorded: int
    counts: tuple[int, ...]
    sums: tuple[float | None, ...]
    first: str
    last: str
    sketches: list[tuple[int, dict[int, int] | None, list[float] | None]]


def available() -> bool:
    """Tell whether DuckDB, the extra `[analytics]`, is installed."""
    return find_spec("duckdb") is not None


def worthwhile(wanted: int, whole: int) -> bool:
    """Tell whether to look through *whole* bytes here is quicker than through the *wanted* ones of them in Python."""
    return wanted >= _LARGE and wanted * _QUICKER >= whole


def summarise(
    paths: Sequence[Path], by: Sequence[str], *, chosen: Filter | None = None, scaled: bool = False
) -> Stats | None:
    """Do what `stats.summarise` does, for the events in the files *paths* that are *chosen*.

    Returns:
        None if a line is no event as we write it, or if only the reader in Python can tell what is chosen: by text, by
        feedback, by what is neither a text nor a whole number.

    Raises:
        ValueError: a field to group by does not exist.
    """
    import duckdb

    for name in by:
        getter(name)
    condition = Condition.of(chosen or Filter())
    if condition is None or not all(map(is_sound, paths)):
        return None
    with duckdb.connect(config={"memory_limit": _MEMORY, "preserve_insertion_order": False}) as base:
        try:
            groups = _groups(base, [str(path) for path in paths], by, condition)
            found = [_row(group, by, scaled=scaled) for group in groups]
        except (duckdb.Error, UnicodeError, _Odd):  # a torn line, NaN, a lone surrogate, a huge event
            return None
    rows: dict[tuple[str, ...], Row] = {}
    for row in found:
        rows.setdefault(row.key, Row(row.key, scaled=scaled)).merge(row)
    return Stats.of(rows.values(), by, scaled=scaled)


class _Odd(Exception):
    """The reader in Python knows more of this log."""


def _groups(base: Any, paths: list[str], by: Sequence[str], condition: Condition) -> Iterator[_Group]:
    """Yield the groups of calls. Raises _Odd where a line is no event as we write it."""
    given = {"paths": paths}
    percent = getattr(base, "query_progress", lambda: 0)  # not before DuckDB 1.3
    with progress.polled(sum(Path(path).stat().st_size for path in paths), lambda: percent() / 100), _interruptible():
        lines = base.execute(statement(by, condition), given | condition.values).fetchall()
    found = [_group(line, len(by)) for line in lines]
    if any(group.odd for group in found):
        raise _Odd
    return (group for group in found if group.counts_in)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C be what it is elsewhere, in the words of whichever release of DuckDB."""
    import duckdb

    try:
        yield
    except (duckdb.InterruptException, RuntimeError) as error:
        if "interrupted" not in str(error).lower():
            raise
        raise KeyboardInterrupt from error


def _group(line: tuple[Any, ...], wide: int) -> _Group:
    values = iter(line)
    key, (counts_in, rate, odd, recorded) = tuple(islice(values, wide)), islice(values, 4)
    counts, sums = tuple(islice(values, len(COUNTS))), tuple(islice(values, len(SUMS)))
    first, last, *rest = values
    sketches = [tuple(rest[:3]), tuple(rest[3:])]
    return _Group(key, counts_in, rate, odd, recorded, counts, sums, first, last, sketches)


def _row(group: _Group, by: Sequence[str], *, scaled: bool) -> Row:
    if not all(map(math.isfinite, filter(None, group.sums))):
        raise _Odd
    row = Row(_decoded(group.key, by), first=group.first, last=group.last, scaled=scaled)
    times = row.count(group.rate, group.recorded)
    for name, figure in zip((*COUNTS, *SUMS), (*group.counts, *group.sums), strict=True):
        setattr(row, name, None if figure is None else times * figure)
    row.latency, row.first_token = (_sketch(*one, times=times) for one in group.sketches)
    return row


def _sketch(count: int, buckets: Mapping[int, int] | None, smallest: Iterable[float] | None, *, times: float) -> Sketch:
    """Few values are taken as they are, many by their buckets, as a `Sketch` keeps them."""
    if count <= EXACT:
        return Sketch.of(count, [(value, times) for value in smallest or ()], {})
    return Sketch.of(count, (), {bucket: times * many for bucket, many in (buckets or {}).items()})


def _decoded(key: Iterable[str | None], by: Sequence[str]) -> tuple[str, ...]:
    values = [text if text is None or is_text(name) else json.loads(text) for text, name in zip(key, by, strict=True)]
    if any(isinstance(value, (float, list, dict, bool)) for value in values):
        raise _Odd
    return tuple(map(as_text, values))
