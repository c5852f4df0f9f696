"""What the stand-in answers; a surface is a module with `METHOD`, `PATH`, `REQUIRED` and `answer(body, received)`.

One whose errors have another shape than OpenAI's has `own_error(status, message)` too, and one whose path says the
model `model_of(received)`.
"""

from __future__ import annotations

import json
import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from flywheel_log.standin.errors import error, on_demand
from flywheel_log.standin.wire import Received, Reply

_CREDENTIALS = {"authorization", "api-key", "x-api-key", "x-goog-api-key"}


def answer(received: Received) -> Reply:
    """Return the reply to *received*: 401 without credentials, 404 for an unknown surface, 400 for a wrong body."""
    if not (_CREDENTIALS & received.headers.keys()):
        return error(401, "You didn't provide an API key: the Authorization header is missing.")
    surface = _find(received)
    if surface is None:
        known = ", ".join(f"{module.METHOD} {module.PATH}" for module in _surfaces())
        return error(404, f"{received.method} {received.route} is unknown to the stand-in; expected one of {known}")
    refused = _refused(surface, received)
    if refused is not None:
        return _own(surface, refused)
    reply: Reply = surface.answer(received.json() if received.body else {}, received)
    return reply


def _own(surface: ModuleType, refused: Reply) -> Reply:
    """The error in the words of the service that *surface* stands in for."""
    if not hasattr(surface, "own_error"):
        return refused
    message = json.loads(refused.body)["error"]["message"]  # type: ignore[arg-type]  # errors are not streamed
    return Reply.json(surface.own_error(refused.status, message), refused.status, refused.headers)


def _refused(surface: ModuleType, received: Received) -> Reply | None:
    """The error that the request, or its model's name, deserves."""
    try:
        body: Any = received.json() if received.body else {}
    except ValueError:
        return error(400, "We could not parse the JSON body of your request.")
    if not isinstance(body, dict):
        return error(400, "The body of the request must be a JSON object.")
    for name in surface.REQUIRED:
        if name not in body:
            return error(400, f"Missing required parameter: '{name}'.", param=name)
    return on_demand(surface.model_of(received) if hasattr(surface, "model_of") else body.get("model"))


def _find(received: Received) -> ModuleType | None:
    for module in _surfaces():
        at = received.route.endswith(module.PATH)
        below = received.method == "GET" and f"{module.PATH}/" in received.route
        if received.method == module.METHOD and (at or below):
            return module
    return None


@cache
def _surfaces() -> tuple[ModuleType, ...]:
    # The longest path first: `/chat/completions` ends in `/completions`.
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return tuple(sorted(modules, key=lambda module: -len(module.PATH)))
