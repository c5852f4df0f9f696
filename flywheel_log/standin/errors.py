"""Errors in OpenAI's shape, and the models that only produce an error: `error-429`, `error-500` and so on."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from .wire import Reply

_KINDS = {
    400: ("invalid_request_error", None, "The stand-in was asked for a bad request."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "The stand-in was asked for a refusal."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again in 10ms."),
}

# The SDK reads the finer header first: whoever retries need not wait the whole second.
_RETRY_SOON = {"retry-after": "1", "retry-after-ms": "10"}


def error(status: int, message: str | None = None, *, param: str | None = None) -> Reply:
    """Return an error of *status* in OpenAI's shape; 429 says when to come back."""
    ours = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    kind, code, default = _KINDS.get(status, (ours, None, None))
    text = message or default or f"The stand-in was asked for a {status}."
    value = {"error": {"message": text, "type": kind, "param": param, "code": code}}
    return Reply.json(value, status, _RETRY_SOON if status == HTTPStatus.TOO_MANY_REQUESTS else None)


def on_demand(model: Any) -> Reply | None:
    """Return the error that a model called `error-<status>` stands for; None for any other model."""
    found = re.fullmatch(r"error-([45]\d\d)", model) if isinstance(model, str) else None
    return error(int(found[1])) if found else None
