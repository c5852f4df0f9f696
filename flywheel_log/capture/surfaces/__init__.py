"""The APIs we can read. A surface is a module: the path it answers to, and how to read its bodies."""

from __future__ import annotations

import pkgutil
import re
from functools import cache, lru_cache
from importlib import import_module
from typing import Any, Protocol, cast

from ...event import JSON, Kind
from ...process.forks import loading


class Surface(Protocol):
    """What a module in this folder has.

    Attributes:
        NAME: e.g. `chat.completions`, the SDK's own name for it.
        PATH: how its URL ends.
        KIND: the kind of event a call becomes.
        TEXT: finds the JSON in front of the text of a streamed delta, so that runs of them can be joined unparsed.
        FIRST_TEXT: finds the first text (or tool argument) of a stream in the bytes of one event.
        SUMS_UP: finds the last event of a stream where that says all that the stream has said; None where none does.
        SAYS: what its answers, and the first events of its streams, say that they are, where they do.
    """

    NAME: str
    PATH: str
    KIND: Kind
    TEXT: re.Pattern[bytes]
    FIRST_TEXT: re.Pattern[bytes]
    SUMS_UP: re.Pattern[bytes] | None
    SAYS: frozenset[str]

    def assemble(self, events: list[JSON]) -> JSON:
        """Fold the events of a stream into the response the same call would have given unstreamed."""

    def tokens(self, response: JSON) -> JSON:
        """The event's token counts, as far as *response* says them."""

    def finished(self, response: JSON, request: JSON) -> bool:
        """Whether an assembled *response* is whole: the model came to its end for all that was asked."""

    def marks(self, response: JSON) -> list[str]:
        """Why no dataset should take *response* by accident; empty when it is sound."""


@lru_cache(maxsize=512)
def surface_for(url: str) -> Surface | None:
    """The surface that *url* belongs to, or None: then the call is left alone."""
    path = "/" + url.partition("?")[0]  # A path may be given without its first slash.
    return next((surface for surface in _surfaces() if path.endswith(surface.PATH)), None)


def surface_named(name: str) -> Surface:
    """The surface called *name*, e.g. `chat.completions`. Raises KeyError where there is none."""
    return {surface.NAME: surface for surface in _surfaces()}[name]


def surface_of(said: JSON) -> Surface | None:
    """The surface whose answer, or the first event of whose stream, *said* is by its own words; None for none."""
    words = [word for word in (said.get("object"), said.get("type")) if isinstance(word, str)]
    return next((surface for surface in _surfaces() if not surface.SAYS.isdisjoint(words)), None)


@cache
def _surfaces() -> tuple[Surface, ...]:
    with loading():
        modules: list[Any] = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    found = [cast(Surface, module) for module in modules if hasattr(module, "PATH")]
    return tuple(sorted(found, key=lambda surface: -len(surface.PATH)))
