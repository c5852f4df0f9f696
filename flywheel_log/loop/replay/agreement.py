"""How similar two answers are: character by character, in content, in their tool calls, and word by word."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from flywheel_log.event import Event
from flywheel_log.loop.conversation import Turn, conversation
from flywheel_log.loop.extra import need
from flywheel_log.loop.statistics.estimate import Mean, Share

_WORD = re.compile(r"\w+")


@dataclass
class Agreement:
    """How alike the answers of pairs are, of those that have two.

    Attributes:
        exact: the same texts, to the letter, and the same tool calls.
        normalised: the same words, whatever their case, spaces and punctuation, or equal JSON; the same tool calls.
        tool_calls: of the pairs in which one calls tools, those with the same calls in any order, arguments as JSON.
        similarity: the share of words in common and in order (0 to 1); empty without `flywheel-log[replay]`.
    """

    exact: Share = field(default_factory=Share)
    normalised: Share = field(default_factory=Share)
    tool_calls: Share = field(default_factory=Share)
    similarity: Mean = field(default_factory=Mean)

    def add(self, old: Event, new: Event, place: int | None = None) -> None:
        """Count one pair, whose group is in the bucket at *place*; one that lacks an answer does not count."""
        before, after = conversation(old).answered, conversation(new).answered
        if not (before and after):
            return
        same_calls = _calls(before) == _calls(after)
        texts = text_of_answer(old), text_of_answer(new)
        self.exact.add(same_calls and texts[0] == texts[1], place=place)
        self.normalised.add(same_calls and normalised(texts[0]) == normalised(texts[1]), place=place)
        if _calls(before) or _calls(after):
            self.tool_calls.add(same_calls, place=place)
        if any(texts) and (alike := similarity(*texts)) is not None:
            self.similarity.add(alike, place=place)


def text_of_answer(event: Event) -> str:
    """Return all that was answered, several answers with a line between them."""
    return "\n\n".join(turn.text for turn in conversation(event).answered)


def normalised(text: str) -> Any:
    """Return *text* as it is compared: JSON parsed, all else as its words in small letters."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _words(text)
    return value if isinstance(value, (dict, list)) else _words(text)


def similarity(a: str, b: str) -> float | None:
    """Return the share of words that *a* and *b* have in common and in order, 0 to 1; None without RapidFuzz."""
    try:
        measure: Any = need("rapidfuzz.distance", "replay").Indel.normalized_similarity
    except ModuleNotFoundError:
        return None
    return float(measure(_words(a), _words(b)))


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _calls(turns: tuple[Turn, ...]) -> Counter[tuple[str, str]]:
    return Counter((call.name, _canonical(call.arguments)) for turn in turns for call in turn.calls)


def _canonical(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments
