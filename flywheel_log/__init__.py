"""Record what programs say to language models: add one line, and every call is in genai.log."""

import os as _os
from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if _os.name == "nt":
    raise ImportError(
        "flywheel_log needs a POSIX system, for file locks and fork: Linux or macOS. This is Windows; it works in WSL."
    )

if TYPE_CHECKING:
    from .event import Event
    from .instrumentation import instrument, logged_llm, uninstrument
    from .loop.reading.read import read
    from .recorder import configure, flush, shutdown, stats
    from .scope import context, suppress
    from .signals.feedback import log_feedback
    from .signals.invocation import invocation
    from .signals.metrics import metrics
    from .signals.prompts import Prompt
    from .signals.retrieval import log_retrieval
    from .signals.spans import step, trace

__all__ = [
    "Event",
    "Prompt",
    "configure",
    "context",
    "flush",
    "instrument",
    "invocation",
    "log_feedback",
    "log_retrieval",
    "logged_llm",
    "metrics",
    "read",
    "shutdown",
    "stats",
    "step",
    "suppress",
    "trace",
    "uninstrument",
]

# Where each name lives: imported when it is first asked for, so that importing the package costs next to nothing.
_HOMES = {
    "event": ("Event",),
    "instrumentation": ("instrument", "logged_llm", "uninstrument"),
    "loop.reading.read": ("read",),
    "recorder": ("configure", "flush", "shutdown", "stats"),
    "scope": ("context", "suppress"),
    "signals.feedback": ("log_feedback",),
    "signals.invocation": ("invocation",),
    "signals.metrics": ("metrics",),
    "signals.prompts": ("Prompt",),
    "signals.retrieval": ("log_retrieval",),
    "signals.spans": ("step", "trace"),
}
_HOME = {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .process.forks import loading

    with loading():
        found = globals()[name] = getattr(_import_module(_HOME[name]), name)
    return found


def __dir__() -> list[str]:
    return __all__
