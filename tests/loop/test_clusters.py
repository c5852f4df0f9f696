"""What prompts have in common."""

from __future__ import annotations

from typing import Any

from flywheel_log.loop.clusters import Cluster, clusters


def asked(identity: str, text: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": "Which?"}]
    return {"id": identity, "timestamp": "2026-01-31T10:00:00Z", "kind": "llm", "request": {"messages": messages}}


WEATHER = ["rain in Ulm today", "will it rain today", "rain or sun in Ulm"]
ORDERS = ["where is my order", "my order is late", "cancel my order", "order never came"]


def test_similar_prompts_are_together():
    events = [asked(f"r-{number}", text) for number, text in enumerate([*WEATHER, *ORDERS])]
    found = clusters(events, 2)
    assert [(one.count, round(one.share, 3), one.words[0]) for one in found] == [
        (4, 0.571, "order"),
        (3, 0.429, "rain"),
    ]
    assert {*found[1].examples} == {"r-0", "r-1", "r-2"}


def test_the_same_calls_make_the_same_clusters():
    events = [asked(f"r-{number}", f"{text} {number}") for number, text in enumerate((WEATHER + ORDERS) * 5)]
    assert clusters(events, 3) == clusters(events, 3)


def test_there_are_no_more_clusters_than_prompts():
    assert clusters([asked("a", "same here"), asked("b", "same here")], 5) == [
        Cluster(2, 1.0, ["here", "same"], ["a", "b"])
    ]


def test_without_words_there_are_none():
    silent = {"timestamp": "t", "kind": "llm", "request": {"messages": [{"role": "user", "content": ""}]}}
    assert (clusters([], 3), clusters([silent], 3), clusters([asked("b", "?!")], 3)) == ([], [], [])
