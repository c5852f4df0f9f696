"""The pipeline that settings ask for: structlog's processors in their order, and what redacts the finished line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..event import JSON, Event
from ..infrastructure import stamp
from .check import Returning, check
from .mask import Mask
from .parse import parse
from .refer import refer
from .sample import Sampler
from .select import Selection
from .withhold import withhold

if TYPE_CHECKING:
    from ..config import Settings
    from .redact import Redactor

BLIND = frozenset({refer, stamp})
"""Processors that do without the content of a conversation."""


def processors(settings: Settings, sampler: Sampler, *, stamped: bool) -> list[Any]:
    """The processors that *settings* ask for, in the order in which an event meets them."""
    chain: list[Any] = [sampler] if sampler else []
    chain += [refer] if settings.embeddings == "reference" else []
    chain += [withhold] if settings.content == "off" else []
    if settings.processors:
        chain += [parse, *map(Returning, settings.processors), check]
    if settings.reasoning != "keep":
        chain.append(Mask(settings.reasoning))
    chain += [stamp] if stamped and settings.infrastructure == "on" else []
    if selection := Selection(settings.fields_allow, settings.fields_deny):
        chain.append(selection)
    return chain


def logger(keeper: Any, chain: list[Any], identity: JSON) -> Any:
    """Return *chain* as a logger of structlog's, a private one; what it leaves of an event comes to `keeper.keep`."""
    import structlog  # With what it loads for its own console, as long as all else that a start does.

    # Bound values stand under those of the event: who made the call is known best where it was made.
    return structlog.wrap_logger(
        keeper, processors=[*chain, _as_argument], wrapper_class=structlog.BoundLogger, cache_logger_on_first_use=True
    ).bind(**identity)


def _as_argument(_: Any, __: str, event: Any) -> tuple[tuple[Event], JSON]:
    return (event,), {}


def redactor(settings: Settings) -> Redactor | None:
    """What cleans finished lines, or None where nothing is redacted."""
    if not settings.redact and not settings.redact_patterns:
        return None
    from .redact import Redactor  # Its patterns take a while to compile.

    return Redactor.of(settings)
