"""Record what programs say to language models: one line, and every call is in genai.log."""

from .event import Event
from .instrumentation import instrument, logged_llm, uninstrument
from .loop.read import read
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
