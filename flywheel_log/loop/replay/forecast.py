"""What a replay will cost: the logged token counts, corrected for a new prompt, at the price of the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from flywheel_log.event import JSON, Event
from flywheel_log.loop.conversation import conversation
from flywheel_log.loop.values import finite

from .fit import KEYS

Price = Callable[[Event], JSON]
_CHARACTERS = 4
_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")


@dataclass(frozen=True)
class Estimate:
    """One request: tokens expected (None: unknown), and dollars for those that are known (None: no price is)."""

    input_tokens: int
    output_tokens: int | None
    cost_usd: float | None


@dataclass
class Forecast:
    """The sum of all estimates.

    Attributes:
        priced: how many of the requests are in `cost_usd`.
        unknown: of how many of the requests nobody knows how long the answer will be: of these the question counts.
    """

    requests: int = 0
    priced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    unknown: int = 0

    def add(self, one: Estimate) -> None:
        """Count one request more."""
        self.requests += 1
        self.input_tokens += one.input_tokens
        self.output_tokens += one.output_tokens or 0
        self.unknown += one.output_tokens is None
        if one.cost_usd is not None:
            self.priced += 1
            self.cost_usd += one.cost_usd


def estimate(event: Event, request: JSON, price: Price, now: str) -> Estimate:
    """Estimate what *request*, made of *event*, will take, at the prices of *now* (a timestamp).

    The answer is taken to be as long as the old one; without one, as long as the request allows. A token is four
    characters where no server has counted. Nothing is expected to be cached.
    """
    before = finite(event.get("input_tokens"))
    grown = _grown(request, event["request"] if before else {})
    asked = max(1, int(before or 0) + grown // _CHARACTERS)
    answer = _answer(event, request)
    counts = {"input_tokens": asked, "output_tokens": answer or 0}
    sent = {"timestamp": now, "kind": "llm", "provider": "openai", "model": request["model"], **counts}
    return Estimate(asked, answer, price(cast(Event, sent)).get("cost_usd"))


def _answer(event: Event, request: JSON) -> int | None:
    if event.get("status") == "error":
        return next((request[name] for name in _LIMITS if isinstance(request.get(name), int)), None)
    if (counted := finite(event.get("output_tokens"))) is not None:
        return int(counted)
    said = sum(
        len(turn.text) + sum(len(call.arguments) for call in turn.calls) for turn in conversation(event).answered
    )
    return 1 + said // _CHARACTERS


def _grown(request: JSON, before: JSON) -> int:
    """How many characters are asked more than *before*, near enough; what nobody has changed is not looked at."""
    asked = ((request.get(key), before.get(key)) for key in ("instructions", *KEYS.values()))
    return sum(_size(new) - _size(old) for new, old in asked if new is not old)


def _size(asked: Any) -> int:
    return 0 if asked is None else len(json.dumps(asked, ensure_ascii=False))
