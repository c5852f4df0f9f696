"""The share of an answer's words that its documents have."""

from __future__ import annotations

from typing import Any

import pytest

from flywheel_log.event import Event
from flywheel_log.judges.grounding import judge


def event(answer: str, *texts: str) -> Event:
    return {
        "timestamp": "2026-01-31T10:00:00.000Z",
        "kind": "llm",
        "response": {"choices": [{"message": {"role": "assistant", "content": answer}}]},
        "retrieval_docs": [{"id": str(number), "text": text} for number, text in enumerate(texts)],
    }


@pytest.mark.parametrize(
    ("answer", "score", "unsupported", "flag"),
    [
        ("Ulm lies on the Danube.", 1.0, [], False),
        ("ULM LIES ON THE DANUBE!", 1.0, [], False),
        ("Ulm lies on the Rhine.", 0.5, ["rhine"], False),
        ("Founded 854, rebuilt 1945.", 0.25, ["founded", "rebuilt", "1945"], True),
        ("Perhaps nobody knows.", 0.0, ["perhaps", "nobody", "knows"], True),
    ],
)
def test_words_and_numbers_are_looked_for_in_the_documents(
    answer: str, score: float, unsupported: list[str], flag: bool
) -> None:
    found = judge(event(answer, "Ulm lies on the river Danube.", "It was first named in 854."))
    grounding = {"method": "lexical_overlap", "score": score, "unsupported": unsupported}
    assert found == {"quality": {"grounding": grounding}, "hallucination_flag": flag}


@pytest.mark.parametrize("nothing", [event("Ulm lies on the Danube."), event("", "text"), event("a b c", "text")])
def test_without_documents_or_words_there_is_no_verdict(nothing: Any) -> None:
    assert judge(nothing) is None
