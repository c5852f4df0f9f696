"""Fired rules as one HTTP POST: JSON with a `text`, as Slack and its like take it, and with all figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import orjson

from .check import Outcome
from .words import as_json, in_words

TIMEOUT_S = 10.0
_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class WebhookFailed(Exception):
    """The receiver did not take it; the text names its host only, since the rest of such a URL is a secret."""


def checked(url: str) -> str:
    """Return *url* if it is one that can be posted to. Raises ValueError, without the URL's secret part, if not."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"the webhook is {parts.scheme or 'no URL'!r}; expected http://… or https://…")
    return url


def post(url: str, outcomes: Sequence[Outcome], timeout: float = TIMEOUT_S) -> None:
    """Tell the receiver at *url* about *outcomes*, in *timeout* seconds at most for each of its steps.

    `text` is escaped as Slack's messages are (&, <, >); `alerts` has the figures, the rules and ids of calls, and
    nothing that was said to or by a model. A redirection is an error: it would be followed without the message.

    Raises:
        WebhookFailed: there was no answer, or one that is not a success.
        ValueError: *url* is none.
    """
    host = urlsplit(checked(url)).hostname
    request = Request(url, payload(outcomes), {"content-type": "application/json"}, method="POST")  # noqa: S310  checked
    try:
        with build_opener(_NoRedirects).open(request, timeout=timeout):
            return
    except HTTPError as error:
        error.close()
        raise WebhookFailed(f"the webhook at {host} answers HTTP {error.code}") from None
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        why = "no answer in time" if isinstance(reason, TimeoutError) else type(reason).__name__
        raise WebhookFailed(f"the webhook at {host} was not reached: {why}") from None


def payload(outcomes: Sequence[Outcome]) -> bytes:
    """Return the body of the request."""
    text = "\n".join(f"flywheel_log: {in_words(outcome)}" for outcome in outcomes)
    return orjson.dumps({"text": text.translate(_SLACK), "alerts": [as_json(outcome) for outcome in outcomes]})


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None
