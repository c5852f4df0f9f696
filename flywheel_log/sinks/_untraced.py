"""Keep the sinks' own requests out of the program's traces."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any


def untraced() -> AbstractContextManager[Any]:
    """Suppress what OpenTelemetry would record of our own requests, if it is there to do so."""
    instrumentation = sys.modules.get("opentelemetry.instrumentation.utils")
    return instrumentation.suppress_instrumentation() if instrumentation else nullcontext()
