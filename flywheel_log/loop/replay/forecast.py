"""What a replay will cost: the logged token counts, corrected for a new prompt, at the price of the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flywheel_log.event import JSON, Event
from flywheel_log.loop.conversation import conversation
from flywheel_log.loop.fields import finite

from .fit import KEYS

Price = Callable[[Event], JSON]
_CHARACTERS = 4
_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")


@dataclass(frozen=True)
class Estimate:
    """One request: tokens expected (None: unknown), and dollars (None: the price or a count is unknown)."""

    input_tokens: int
    output_tokens: int | None
    cost_usd: float | None


@dataclass
class Forecast:
    """The sum of all estimates; `priced` counts the requests that are in `cost_usd`."""

    requests: int = 0
    priced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0

    def add(self, one: Estimate) -> None:
        """Count one request more."""
        self.requests += 1
        self.input_tokens += one.input_tokens
        self.output_tokens += one.output_tokens or 0
        if one.cost_usd is not None:
            self.priced += 1
            self.cost_usd += one.cost_usd


def estimate(event: Event, request: JSON, price: Price, now: str) -> Estimate:
    """Estimate what *request*, made of *event*, will take, at the prices of *now* (a timestamp).

    The answer is as long as the old one was, or as it may be at most where there was none. A token is four characters
    where no server has counted. Nothing is expected to be cached.
    """
    before = finite(event.get("input_tokens"))
    grown = _size(request) - _size(event["request"]) if before else _size(request)
    asked = max(1, int(before or 0) + grown // _CHARACTERS)
    answer = _answer(event, request)
    counts = {"input_tokens": asked} | ({} if answer is None else {"output_tokens": answer})
    sent = {"timestamp": now, "kind": "llm", "provider": "openai", "model": request["model"], **counts}
    return Estimate(asked, answer, price(cast(Event, sent)).get("cost_usd"))


def _answer(event: Event, request: JSON) -> int | None:
    if event.get("status") == "error":
        return next((request[name] for name in _LIMITS if isinstance(request.get(name), int)), None)
    counted = finite(event.get("output_tokens"))
    said = sum(
        len(turn.text) + sum(len(call.arguments) for call in turn.calls) for turn in conversation(event).answered
    )
    return int(counted) if counted is not None else 1 + said // _CHARACTERS


def _size(request: JSON) -> int:
    """The characters that are asked, near enough to say how many were added."""
    asked = (request[key] for key in ("instructions", *KEYS.values()) if key in request)
    return sum(len(json.dumps(one, ensure_ascii=False)) for one in asked)
