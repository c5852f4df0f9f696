"""What a caller was handed piece by piece, by somebody else's stream or a generator, put together again."""

from __future__ import annotations

from typing import Any

from ..event import JSON
from . import wire
from .outcome import Outcome
from .surfaces import Surface

KEEP_AT_MOST = 100_000


class Gathered:
    """Collects pieces: strings become one message, an SDK's chunks the response they belong to.

    Args:
        surface: how to fold chunks.
    """

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._pieces: list[Any] = []
        self._more = False

    def add(self, piece: Any) -> None:
        """Keep *piece*; what comes after the first hundred thousand is left out, and said to be."""
        if len(self._pieces) < KEEP_AT_MOST:
            self._pieces.append(piece if isinstance(piece, str) else wire.plain(piece))
        else:
            self._more = True

    def outcome(self, request: JSON, *, exhausted: bool) -> Outcome:
        """The answer so far; it is whole when the consumer took everything or the chunks say that it is."""
        if not self._pieces:
            return Outcome(None, whole=exhausted)
        if all(isinstance(piece, dict) for piece in self._pieces):
            response = self._surface.assemble(self._pieces)
            return Outcome(response, whole=(exhausted or self._surface.finished(response, request)) and not self._more)
        text = "".join(piece if isinstance(piece, str) else str(piece) for piece in self._pieces)
        return Outcome(said(text), whole=exhausted and not self._more)


def said(content: str | None) -> JSON:
    """*content* as the assistant's answer in the shape of a `chat.completion`."""
    message = {"role": "assistant", "content": content}
    return {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
