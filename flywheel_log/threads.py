"""Threads of our own: they keep no program from ending, and bear our name."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .health import health


def start(name: str, work: Callable[..., object], *args: object) -> threading.Thread | None:
    """Start a thread that does *work*; None at the interpreter's end, when Python (3.12 and newer) starts none.

    Whoever needs it must do without: what is on disk by then is delivered by the next process.
    """
    thread = threading.Thread(target=work, args=args, name=f"flywheel_log:{name}", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        health.warn("no thread can be started any more; events that were recorded wait on disk", error)
        return None
    return thread
