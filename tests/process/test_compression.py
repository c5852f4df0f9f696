"""Compressed files are read and written as their names say."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from flywheel_log.process import compression

LINES = [b'{"n":%d}\n' % number for number in range(50_000)]
zstd: Any = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
FORMATS = [("gz", gzip), ("xz", lzma), ("bz2", bz2), ("zst", zstd)]


@pytest.mark.parametrize(("suffix", "module"), FORMATS)
def test_what_others_compressed_in_parts_is_read_line_by_line(suffix: str, module: type[gzip]) -> None:
    data = io.BytesIO(module.compress(b"".join(LINES[:10])) + module.compress(b"".join(LINES[10:])))
    with compression.reading(data, Path(f"genai.log.1.{suffix}")) as lines:
        assert [*lines] == LINES
    assert not data.closed


@pytest.mark.parametrize(("suffix", "module"), FORMATS)
def test_what_is_written_others_can_read(suffix: str, module: type[gzip]) -> None:
    data = io.BytesIO()
    with compression.writing(data, Path(f"genai.log.1.{suffix}")) as out:
        out.writelines(LINES)
    assert module.decompress(data.getvalue()) == b"".join(LINES)


@pytest.mark.parametrize(("suffix", "compress"), [(suffix, module.compress) for suffix, module in FORMATS])
def test_what_stands_before_a_damage_is_read_and_the_damage_named(
    suffix: str, compress: Callable[[bytes], bytes]
) -> None:
    cut = compress(b"".join(LINES)) + compress(LINES[0])[:-5]
    with compression.reading(io.BytesIO(cut), Path(f"genai.log.1.{suffix}")) as lines:
        assert [next(lines) for _ in LINES] == LINES
        with pytest.raises(OSError, match=rf"^genai\.log\.1\.{suffix} is damaged, or is not a \.{suffix} file: "):
            list(lines)


def test_a_format_that_python_does_not_know_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        OSError, match=r"^genai\.log\.1\.zst cannot be read: .* install backports\.zstd, or decompress it"
    ):
        compression.reading(io.BytesIO(), Path("genai.log.1.zst"))


def test_what_would_help_is_named_only_where_it_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lzma", None)
    with pytest.raises(OSError, match=r"^genai\.log\.1\.xz cannot be read: this Python knows no \.xz; decompress it$"):
        compression.reading(io.BytesIO(), Path("genai.log.1.xz"))


def test_a_file_is_compressed_if_its_name_says_so() -> None:
    names = [
        "genai.log",
        "genai.log.1",
        "genai.log.1.gz",
        "genai.log-20260131.xz",
        "genai.log.2.bz2",
        "genai.log.3.zst",
    ]
    assert [compression.is_compressed(Path(name)) for name in names] == [False, False, True, True, True, True]
    assert [compression.plain(Path(name)).name for name in names] == [
        "genai.log", "genai.log.1", "genai.log.1", "genai.log-20260131", "genai.log.2", "genai.log.3"
    ]  # fmt: skip
