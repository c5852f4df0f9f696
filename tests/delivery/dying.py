"""Programs that are killed before anything that they put into the journal is shipped."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

from flywheel_log.delivery import Delivery
from flywheel_log.delivery.delivery import new_run
from flywheel_log.delivery.tuning import Tuning


def leave(
    lines: Iterable[bytes],
    url: str,
    root: Path,
    *,
    run: Callable[[], str] = new_run,
    clock: Callable[[], float] = time.time,
) -> None:
    """Leave *lines* in the journal under *root*, waiting for the sink *url*."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # Of threads, which it does not need.
        child = os.fork()
    if child == 0:
        try:
            delivery = Delivery([url], root, tuning=Tuning(linger_s=3600.0), run=run, clock=clock)
            for line in lines:
                delivery.put(line)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
