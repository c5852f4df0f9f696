"""GET /models and /models/<id>: the stand-in itself, and any name it is asked for."""

from __future__ import annotations

from flywheel_log.standin.answers import CREATED
from flywheel_log.standin.wire import JSON, Received, Reply

METHOD = "GET"
PATH = "/models"
REQUIRED = ()


def answer(body: JSON, received: Received) -> Reply:  # noqa: ARG001  the signature of every surface
    """List the one model there is, or describe the one that the path names."""
    name = received.route.partition(f"{PATH}/")[2]
    if name:
        return Reply.json(_model(name))
    return Reply.json({"object": "list", "data": [_model("stand-in")]})


def _model(name: str) -> JSON:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "flywheel-log-standin"}
