"""Assemble what a caller received piece by piece from another vendor's stream or a generator."""

from __future__ import annotations

from typing import Any

from ...event import JSON
from .. import wire
from ..outcome import Outcome
from ..surfaces import Surface, surface_of

KEEP_AT_MOST = 100_000
_SAYS = ("choices", "output", "content", "error")


class Gathered:
    """Collects pieces: text becomes one message, an SDK's chunks the response they belong to, anything else JSON.

    Args:
        surface: how to fold chunks that do not say it themselves.
    """

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._pieces: list[Any] = []
        self._more = False

    def add(self, piece: Any) -> None:
        """Keep *piece*; what comes after the first hundred thousand is left out, and said to be."""
        if len(self._pieces) < KEEP_AT_MOST:
            self._pieces.append(wire.plain(piece))
        else:
            self._more = True

    def outcome(self, request: JSON, *, exhausted: bool) -> Outcome:
        """The answer so far; it is whole when the consumer took everything or the chunks say that it is."""
        if not self._pieces:
            return Outcome(None, whole=exhausted)
        if all(isinstance(piece, dict) for piece in self._pieces):
            surface = surface_of(self._pieces[0]) or self._surface
            response = surface.assemble(self._pieces)
            if any(response.get(key) for key in _SAYS):
                finished = exhausted or surface.finished(response, request)
                return Outcome(response, whole=finished and not self._more)
        whole = exhausted and not self._more
        return Outcome(said(_text(self._pieces), finished=whole), whole=whole)


def _text(pieces: list[Any]) -> str:
    """The text in *pieces*; what is none is JSON, and a list of it where no piece is text."""
    if not any(isinstance(piece, (str, bytes)) for piece in pieces):
        return json_of(pieces).decode()
    whole = b"".join(
        piece if isinstance(piece, bytes) else _encoded(piece) if isinstance(piece, str) else json_of(piece)
        for piece in pieces
        if piece is not None
    )
    return whole.decode(errors="replace")


def _encoded(text: str) -> bytes:
    return text.encode(errors="backslashreplace")


def json_of(value: Any) -> bytes:
    """*value*, whatever it is, as JSON."""
    return wire.written({"_": value})[5:-1]


def said(content: str | None, *, finished: bool = True) -> JSON:
    """*content* as the assistant's answer in the shape of a `chat.completion`; one left early has no finish reason."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop" if finished else None}
    return {"object": "chat.completion", "choices": [choice]}
