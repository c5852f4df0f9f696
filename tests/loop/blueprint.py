"""A run of the blueprint up to its data sets, step by step and independently of the package: the reference for `ready`.

What makes one record unusable comes from the other independent account of the rules, beside the tests of Elasticsearch.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tests.elasticsearch.contract import unusable

Document = dict[str, Any]
REASONS = {
    "no messages": "no_messages",
    "no choices with a message": "no_answer",
    "a tool call that is no function": "tool_call_type",
    "tool arguments that are no JSON": "tool_arguments",
    "a tool with no or too many parameters": "tool_parameters",
}


def run(
    documents: list[Document], client: str, workload: str, *, evaluation: int, ratio: float, minimum: int, limit: int
) -> dict[str, Any]:
    """What becomes of *documents*, which are in the order of their delivery."""
    mine = [one for one in documents if (one.get("client_id"), one.get("workload_id")) == (client, workload)]
    newest = sorted(mine, key=lambda one: one["timestamp"], reverse=True)[: 2 * limit]
    lost: Counter[str] = Counter()
    distinct = {json.dumps([texts(one), choices(one)], sort_keys=True): one for one in reversed(newest)}
    lost["same_record"] = len(newest) - len(distinct)
    tools = any(choices(one) and (choices(one)[0].get("message") or {}).get("tool_calls") for one in distinct.values())
    left = []
    for one in reversed(distinct.values()):
        problems = {REASONS[problem] for problem in unusable(one)}
        if not problems and tools and not calling(one):
            problems = {"no_tool_call"}
        lost.update(problems)
        if not problems:
            left.append(one)
    unique: list[Document] = []
    seen = []
    for one in left:
        asked = [text for text in (turn["content"] for turn in texts(one) if turn["role"] == "user") if text]
        if not asked or any(isinstance(text, list) for text in asked) or asked not in seen:
            unique.append(one)
        else:
            lost["duplicate_question"] += 1
        seen.append(asked)
    enough = len(unique) >= max(minimum, evaluation + 2)
    taken = min(len(unique), limit) if enough else 0
    trained = int((taken - evaluation) * (1 - ratio)) if enough else 0
    sizes = (evaluation, trained, taken - evaluation - trained) if enough else (0, 0, 0)
    return {"tools": tools, "usable": len(unique), "lost": dict(+lost), "sizes": sizes, "ready": enough}


def texts(document: Document) -> list[Any]:
    return document["request"].get("messages", [])


def choices(document: Document) -> list[Any]:
    return document["response"].get("choices", [])


def calling(document: Document) -> bool:
    return any(
        one["message"].get("tool_calls") or one.get("finish_reason") == "tool_calls" for one in choices(document)
    )
