"""Compressed files, recognised by their names: what `logrotate` and `flywheel-log rotate` make of old logs."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

_BUFFER_BYTES = 1 << 17


def _zstd() -> Any:
    try:
        return import_module("compression.zstd")  # of Python 3.14
    except ImportError:
        return import_module("backports.zstd")  # the same for older ones, where somebody has installed it


_FORMATS: dict[str, Callable[[BinaryIO, str], Any]] = {
    ".gz": lambda data, mode: import_module("gzip").GzipFile(filename="", fileobj=data, mode=mode),
    ".xz": lambda data, mode: import_module("lzma").LZMAFile(data, mode),
    ".bz2": lambda data, mode: import_module("bz2").BZ2File(data, mode),
    ".zst": lambda data, mode: _zstd().ZstdFile(data, mode),
}
_INSTALLED_BY = {".zst": "install backports.zstd, or "}  # All others come with Python, if it was built with them.
OWN = ".gz"
"""What the names of files end in that we compress ourselves."""

SUFFIXES = tuple(_FORMATS)
"""What the names of compressed files end in."""


def is_compressed(path: Path) -> bool:
    """Tell whether the name of *path* says that it is compressed."""
    return path.suffix in _FORMATS


def plain(path: Path) -> Path:
    """Return *path* as it was called before it was compressed."""
    return path.with_suffix("") if is_compressed(path) else path


def reading(data: BinaryIO, path: Path, *, closing: bool = False) -> BinaryIO:
    """Return what is in the compressed file *path*, whose bytes are *data*; with *closing*, both are closed together.

    Raises:
        OSError: this Python does not read its format; or later, when it is read: it is damaged.
    """
    return cast(BinaryIO, io.BufferedReader(_Unpacked(data, path, closing=closing), _BUFFER_BYTES))


def writing(data: BinaryIO, path: Path) -> BinaryIO:
    """Return what compresses into *data* what is written to it, as the name of *path* says. *data* stays open."""
    return cast(BinaryIO, _FORMATS[path.suffix](data, "wb"))


class _Unpacked(io.RawIOBase):
    """What is in a compressed file, and errors that name it."""

    def __init__(self, data: BinaryIO, path: Path, *, closing: bool) -> None:
        self._data = data if closing else None
        self._path = path
        try:
            self._plain = _FORMATS[path.suffix](data, "rb")
        except ImportError:
            how = f"{_INSTALLED_BY.get(path.suffix, '')}decompress it"
            raise OSError(f"{path} cannot be read: this Python knows no {path.suffix}; {how}") from None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            found = self._plain.read1(len(buffer))
        except Exception as error:  # noqa: BLE001 - each format has errors of its own
            raise OSError(f"{self._path} is damaged, or is not a {self._path.suffix} file: {error}") from None
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        if self._data is not None:
            self._data.close()
        super().close()
