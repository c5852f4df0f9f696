"""`structlog:`: hand each event to the program's own structlog, to go wherever its logs go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson

from ..health import health
from . import Sink
from ._parameters import Parameters

LEVELS = ("critical", "debug", "error", "info", "warning")


def open(url: str) -> Structlog:
    """Return the sink of *url*: `structlog:[?logger=NAME][&level=LEVEL]`.

    Raises:
        ValueError: the URL has a path, an unknown parameter or an unknown level; the message says what is allowed.
    """
    parts = urlsplit(url)
    if parts.netloc or parts.path:
        raise ValueError(f"sink 'structlog' takes no path; write structlog:?logger=NAME instead of {url!r}")
    given = Parameters(url, ("level", "logger"))
    return Structlog(given.text("logger"), given.word("level", LEVELS, "info"))


class Structlog(Sink):
    """Logs each event through `structlog.get_logger()`, as the program has configured it.

    The event dict is the record; its name is `llm_call` for a call and the kind for everything else.

    Args:
        logger: the name to ask for; None asks for none.
        level: of events that went well; one with `status` "error" is logged as an error.

    Attributes:
        linger_s: seconds for a batch to grow; few, because the events stand among the program's other lines.
    """

    linger_s = 0.05

    def __init__(self, logger: str | None, level: str) -> None:
        self._name = logger
        self._level = level
        self._refused = 0

    def write(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Log *lines* one by one; one at which the program's own processors raise is counted as `refused` and left."""
        import structlog

        logger = structlog.get_logger(*filter(None, [self._name]))
        for line in lines:
            try:
                self._log(logger, orjson.loads(line))
            except Exception as error:  # noqa: BLE001 - offered again it would be refused again, and hold up all others
                self._refused += 1
                health.drop("structlog_refused", error)
        return ()

    def stats(self) -> dict[str, int]:
        """Return `refused`: the events at which the program's processors raised."""
        return {"refused": self._refused}

    def _log(self, logger: Any, event: dict[str, Any]) -> None:
        kind = event.get("kind")
        name = "llm_call" if kind == "llm" else str(kind or "event")
        level = "error" if event.get("status") == "error" else self._level
        fields = {key: value for key, value in event.items() if key != "event"}
        getattr(logger, level)(name, **fields)
