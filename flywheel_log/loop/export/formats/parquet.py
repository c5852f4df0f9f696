"""`parquet`: a typed table for pandas, DuckDB, Spark and Hugging Face; needs the extra `[parquet]`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from ...extra import need
from ..example import Example
from . import Format, named
from ._table import COLUMNS, row

_BATCH = 1000

# Where they are missing, choosing the format says so, before a log is read and a folder made.
arrow, parquet = need("pyarrow", "parquet"), need("pyarrow.parquet", "parquet")


def _write(path: Path, part: str, examples: Sequence[Example]) -> int:  # noqa: ARG001  all sets look alike
    """Write one example a row, compressed."""
    types = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
    schema = arrow.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    rows = ({name: _sound(value) for name, value in row(one).items()} for one in examples)
    with parquet.ParquetWriter(str(path), schema, compression="zstd") as file:
        while batch := [*islice(rows, _BATCH)]:
            file.write_table(arrow.Table.from_pylist(batch, schema=schema))
    return len(examples)


def _sound(value: object) -> object:
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


FORMAT = Format(_write, named("parquet"))
