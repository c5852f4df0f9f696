"""What a `file:` URL says: which file, in which format, and when to begin the next one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_MEGABYTE = 1_000_000

Format = Literal["full", "flat"]


@dataclass(frozen=True)
class Options:
    """What a `file:` URL says.

    Attributes:
        path: the file, absolute.
        format: "full" writes the whole event, "flat" the ten fields of `flywheel_log.event.to_flat`.
        rotate_bytes: rename the file to `.1` before it grows over this; 0 never does.
        keep: how many renamed files there may be.
    """

    path: Path
    format: Format = "full"
    rotate_bytes: int = 0
    keep: int = 5


def resolve(url: str) -> str:
    """Return *url* with its path made absolute: a relative one means another file in another working directory."""
    parts = urlsplit(url)
    if parts.netloc or not parts.path:
        return url
    path = quote(_absolute(parts.path))
    return f"file:{path}?{parts.query}" if parts.query else f"file:{path}"


def options(url: str) -> Options:
    """Return what *url* says: `file:PATH[?format=full|flat][&rotate_mb=N][&keep=N]`.

    Raises:
        ValueError: the URL has no path, an unknown parameter or a bad value; the message says what is allowed.
    """
    parts = urlsplit(url)
    if parts.netloc or not parts.path:
        raise ValueError(f"sink {url!r} names no file of this machine; write file:genai.log or file:/var/log/genai.log")
    path = Path(_absolute(parts.path))
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(given) - {"format", "rotate_mb", "keep"}):
        raise ValueError(f"sink 'file' knows no parameter {', '.join(unknown)}; has format, keep, rotate_mb")
    return Options(
        path,
        _format(given.get("format", "full")),
        _whole("rotate_mb", given["rotate_mb"]) * _MEGABYTE if "rotate_mb" in given else 0,
        _whole("keep", given.get("keep", "5")),
    )


def _absolute(quoted: str) -> str:
    path = unquote(quoted)
    try:
        return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - links stay links
    except FileNotFoundError:
        raise ValueError(f"{path} is in the working directory, which does not exist any more; write file:/…") from None


def _format(value: str) -> Format:
    if value not in ("full", "flat"):
        raise ValueError(f"sink 'file' has no format {value!r}; has flat, full")
    return cast(Format, value)


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise ValueError(f"sink 'file' wants a whole number above 0 as {name}; got {value!r}")
    return int(value)
