"""`stdout:`: one JSON line per event for collectors, one readable line for eyes on a terminal."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any
from urllib.parse import urlsplit

import orjson

from ..clock import taken_ms
from ..event import to_flat
from . import Sink

_EXCERPT = 60
_POLL_S = 1.0
_GONE = {errno.EPIPE, errno.EIO, errno.EBADF, errno.ECONNRESET}  # Of a pipe, a terminal, a closed one, a socket.
_SHOWN = ("kind", "workload_id", "name", "model", "status")
_SAID = ("rating", "thumbs", "label")


def open(url: str) -> Stdout:
    """Return the sink of *url*, which is `stdout:` and nothing more.

    Raises:
        ValueError: the URL says more.
    """
    parts = urlsplit(url)
    if parts.netloc or parts.path or parts.query:
        raise ValueError(f"sink 'stdout' takes neither path nor parameters; write stdout: instead of {url!r}")
    return Stdout()


class Stdout(Sink):
    """Writes to what `sys.stdout` is at that moment; once the reader is gone, it is silent and counts.

    Args:
        stream: returns the text stream to write to.

    Attributes:
        linger_s: seconds for a batch to grow; few, because the events stand among other lines that people watch.
    """

    linger_s = 0.05

    def __init__(self, stream: Callable[[], IO[str] | None] = lambda: sys.stdout) -> None:
        self._stream = stream
        self._broken = False
        self._unseen = 0
        self._render: Callable[[dict[str, Any]], str] | None = None

    def write(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Write *lines*, in one write; events for a reader that has gone are counted as `unseen`."""
        stream = self._stream()
        if stream is None or self._broken:
            self._unseen += len(lines)
            return ()
        try:
            _write(stream, self._readable(lines) if stream.isatty() else b"".join(line + b"\n" for line in lines))
        except (OSError, ValueError) as error:  # ValueError: the stream is closed.
            if isinstance(error, OSError) and error.errno not in _GONE:
                raise
            self._broken = True
            self._unseen += len(lines)
        return ()

    def stats(self) -> dict[str, int]:
        """Return `unseen`: the events that came when the reader had gone."""
        return {"unseen": self._unseen}

    def _readable(self, lines: Sequence[bytes]) -> bytes:
        if self._render is None:
            self._render = _renderer()
        return "".join(f"{_rendered(line, self._render)}\n" for line in lines).encode()


def _rendered(line: bytes, render: Callable[[dict[str, Any]], str]) -> str:
    try:
        return render(_short(orjson.loads(line)))
    except (ValueError, TypeError, AttributeError):  # An answer of a shape nobody knows is still worth a line.
        return line.decode("utf-8", "replace")


def _write(stream: IO[str], data: bytes) -> None:
    stream.flush()  # What the program printed before comes first.
    try:
        fd = stream.fileno()
    except (AttributeError, io.UnsupportedOperation):
        stream.write(data.decode())
        return
    # Past the stream's buffer: what a broken pipe left in there would fail once more at the interpreter's exit.
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:  # The program made its stdout non-blocking.
            select.select([], [fd], [], _POLL_S)


def _short(event: Any) -> dict[str, Any]:
    """Return what fits a line: when, what, who, how much, how long, and the beginnings of question and answer."""
    flat = {**to_flat(event), "error": event.get("error", {}).get("message")}
    shown = {name: event[name] for name in _SHOWN if name in event}
    tokens = f"{event.get('input_tokens', '?')}→{event.get('output_tokens', '?')}"
    latency = taken_ms(event)
    quality = event.get("quality", {})
    return {
        "timestamp": event.get("timestamp", ""),
        "event": str(shown.pop("kind", "event")),
        **shown,
        **({"tokens": tokens} if tokens != "?→?" else {}),
        **({"latency": f"{latency:.0f}ms"} if latency is not None else {}),
        **{name: quality[name] for name in _SAID if name in quality},
        **{name: _excerpt(flat[name]) for name in ("prompt", "response", "error") if flat[name]},
    }


def _excerpt(text: str) -> str:
    line = " ".join(text[: _EXCERPT * 4].split())
    return line if len(line) <= _EXCERPT else f"{line[: _EXCERPT - 1]}…"


def _renderer() -> Callable[[dict[str, Any]], str]:
    import structlog

    console = structlog.dev.ConsoleRenderer(0, colors=not os.environ.get("NO_COLOR"), sort_keys=False)
    return lambda event: str(console(None, "info", event))
