"""What the headers of an answer say about the service's load: rate limits, and its own processing time."""

from __future__ import annotations

from typing import Any

from ..event import JSON

_SERVER_MS, _SERVER_KEY = b"openai-processing-ms", "server_ms"
_LIMIT_WORDS = frozenset({"limit", "remaining", "reset"})


class _Keys(dict[bytes, str | None]):
    """What headers that tell of the service's load are called in the record, None for others.

    `x-ratelimit-remaining-tokens` and `anthropic-ratelimit-tokens-remaining` alike are `remaining_tokens`. Every answer
    has some twenty headers, whose names are the same.
    """

    _MOST = 512

    def __missing__(self, header: bytes) -> str | None:
        if len(self) >= self._MOST:
            self.clear()
        key = self[header] = self._called(header.lower())
        return key

    def _called(self, name: bytes) -> str | None:
        if name == _SERVER_MS:
            return _SERVER_KEY
        _, limit, rest = name.decode("ascii", "replace").partition("ratelimit-")
        words = rest.split("-")
        if words[-1] in _LIMIT_WORDS:
            words = [words[-1], *words[:-1]]
        return "_".join(words) if limit else None


_keys = _Keys()


def load_of(http: Any) -> JSON:
    """What the headers of *http* say of the service's load: `rate_limits`, and `server_ms`, its own time for the call.

    The rest of the latency is the network, and the queue in front of the service. Names of OpenAI and those who follow
    it: https://platform.openai.com/docs/guides/rate-limits; Anthropic: https://docs.anthropic.com/en/api/rate-limits
    """
    found: JSON = {}
    told: JSON = {}
    for name, value in getattr(getattr(http, "headers", None), "raw", ()):
        if (key := _keys[name]) is None:
            continue
        if key != _SERVER_KEY:
            told[key] = _number(value)
        elif value.isdigit():
            found[key] = int(value)
    if told:
        found["rate_limits"] = told
    return found


def _number(value: bytes) -> float | int | str:
    """A header's value: a number where it is one, else its text (`6m0s`, a time)."""
    if value.isdigit():
        return int(value)
    text = value.decode("latin-1")
    try:
        return float(text) if text[-1:].isdigit() else text
    except ValueError:
        return text
