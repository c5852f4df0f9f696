"""Record what programs say to language models: one line, and every call is in genai.log."""

from .scope import context, suppress
from .event import Event
from .loop.read import read
from .recorder import configure, flush, instrument, logged_llm, shutdown, stats, uninstrument

__all__ = [
    "Event",
    "configure",
    "context",
    "flush",
    "instrument",
    "logged_llm",
    "read",
    "shutdown",
    "stats",
    "suppress",
    "uninstrument",
]
