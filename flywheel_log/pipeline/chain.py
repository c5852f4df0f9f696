"""The pipeline that settings ask for: structlog's processors in their order, and what redacts the finished line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..infrastructure import stamp
from .mask import Mask
from .parse import parse, returning
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
        chain += [parse, *map(returning, settings.processors)]
    if settings.reasoning != "keep":
        chain.append(Mask(settings.reasoning))
    chain += [stamp] if stamped and settings.infrastructure == "on" else []
    if selection := Selection(settings.fields_allow, settings.fields_deny):
        chain.append(selection)
    return chain


def redactor(settings: Settings) -> Redactor | None:
    """What cleans finished lines, or None where nothing is redacted."""
    if not settings.redact and not settings.redact_patterns:
        return None
    from .redact import Redactor  # Its patterns take a while to compile.

    return Redactor.of(settings)
