"""POST …:batchEmbedContents of Google: the same vectors as those of OpenAI's surface."""

from __future__ import annotations

from flywheel_log.standin.answers import text_of
from flywheel_log.standin.surfaces.embeddings import vector
from flywheel_log.standin.surfaces.generate_content import model_of, own_error
from flywheel_log.standin.wire import JSON, Received, Reply

__all__ = ["METHOD", "PATH", "REQUIRED", "answer", "model_of", "own_error"]

METHOD = "POST"
PATH = ":batchEmbedContents"
REQUIRED = ("requests",)


def answer(body: JSON, received: Received) -> Reply:  # noqa: ARG001  the signature of every surface
    """Return one vector a request, of `outputDimensionality` numbers (8 unless asked)."""
    asked = [(text_of(one["content"].get("parts")), one.get("outputDimensionality")) for one in body["requests"]]
    return Reply.json({"embeddings": [{"values": vector(text, size)} for text, size in asked]})
