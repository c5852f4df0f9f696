"""Compare an answer with the documents retrieved for it, word by word: a cheap first sign of a hallucination."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..event import Event, to_flat

SUPPORTED_FROM = 0.5
"""An answer with a smaller share of its words in the documents is flagged."""

_WORD = re.compile(r"\w*\d\w*|\w{4,}")  # A word of three letters or less says nothing; a number always does.


def judge(event: Event) -> Mapping[str, Any] | None:
    """Return `quality.grounding` and `hallucination_flag` of an answer for which documents were retrieved.

    `score` is the share, 0 to 1, of the answer's words of four letters or more, and of its numbers, that occur in the
    documents; `unsupported` are up to ten of the others. It knows no synonyms and no negation, and no language without
    spaces: a heuristic that finds candidates to look at, hence `method: "lexical_overlap"`.
    """
    sources = [doc["text"] for doc in event.get("retrieval_docs") or () if isinstance(doc.get("text"), str)]
    said = dict.fromkeys(_words(to_flat(event)["response"] or ""))
    if not sources or not said:
        return None
    known = {word for source in sources for word in _words(source)}
    unsupported = [word for word in said if word not in known]
    score = round(1 - len(unsupported) / len(said), 3)
    grounding = {"method": "lexical_overlap", "score": score, "unsupported": unsupported[:10]}
    return {"quality": {"grounding": grounding}, "hallucination_flag": score < SUPPORTED_FROM}


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
