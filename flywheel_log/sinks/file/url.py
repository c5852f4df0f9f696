"""What a `file:` URL says: which file, in which format, and when to start the next one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import quote, unquote, urlsplit

from flywheel_log.sinks._parameters import Parameters

_MEGABYTE = 1_000_000

Format = Literal["flat", "full"]
_FORMATS: tuple[Format, ...] = get_args(Format)


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
        ValueError: the URL has no path, an unknown parameter, a bad value, or keep without rotate_mb; the message says
            what is allowed.
    """
    parts = urlsplit(url)
    if parts.netloc or not parts.path:
        raise ValueError(f"sink {url!r} names no file of this machine; write file:genai.log or file:/var/log/genai.log")
    given = Parameters(url, ("format", "keep", "rotate_mb"))
    if given.text("keep") is not None and given.text("rotate_mb") is None:
        raise ValueError("sink 'file' rotates by rotate_mb only; write it beside keep, as in ?rotate_mb=100&keep=5")
    return Options(
        path=Path(_absolute(parts.path)),
        format=given.word("format", _FORMATS, "full"),
        rotate_bytes=given.count("rotate_mb", 0) * _MEGABYTE,
        keep=given.count("keep", 5),
    )


def _absolute(quoted: str) -> str:
    path = unquote(quoted)
    try:
        return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - links stay links
    except FileNotFoundError:
        raise ValueError(f"{path} is in the working directory, which does not exist any more; write file:/…") from None
