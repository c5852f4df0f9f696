"""Send lines to Elasticsearch from the command line, and give up after a time."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from flywheel_log.delivery.retry import Backoff
from flywheel_log.sinks import RetryLater, Sink
from flywheel_log.sinks.elasticsearch.target import Target, target

from . import Problem, failing

Into = Annotated[
    str, typer.Option(metavar="URL", help="elasticsearch://host:9200/index; else ELASTICSEARCH_URL and _INDEX.")
]
Timeout = Annotated[
    float, typer.Option(metavar="SECONDS", min=1, help="Seconds to wait for a server that accepts nothing.")
]


def where(url: str) -> Target:
    """Return what *url* and the environment mean. Raises Problem if they are wrong."""
    with failing(ValueError):
        return target(url)


def deliver(sink: Sink, lines: Sequence[bytes], timeout: float) -> None:
    """Offer *lines* to *sink* until it has taken them all.

    Raises:
        Problem: it took none for *timeout* seconds.
    """
    backoff = Backoff(random.random)
    deadline = time.monotonic() + timeout
    reason = "it takes no documents"
    while lines:
        try:
            again = sink.write(lines)
            after = None
        except RetryLater as later:
            again, reason, after = lines, later.reason, later.after
        if len(again) < len(lines):
            deadline = time.monotonic() + timeout
            backoff.reset()
        lines = again
        if lines and time.monotonic() > deadline:
            raise Problem(f"Elasticsearch does not take the documents: {reason}; try `flywheel-log doctor`")
        if lines:
            time.sleep(min(backoff.delay(after), max(0.0, deadline - time.monotonic())))
