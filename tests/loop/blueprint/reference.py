"""A run of the blueprint up to its data sets, step by step and independently of the package: the reference for `ready`.

What makes one record unusable comes from the other independent account of the rules, beside the tests of Elasticsearch.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
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
    newest = sorted(mine, key=moment, reverse=True)[: 2 * limit]
    lost: Counter[str] = Counter()
    distinct = {json.dumps([texts(one), choices(one)], sort_keys=True): one for one in reversed(newest)}
    lost["same_record"] = len(newest) - len(distinct)
    tools = any(choices(one) and (choices(one)[0].get("message") or {}).get("tool_calls") for one in distinct.values())
    left = []
    for one in reversed(distinct.values()):
        problems = refusals(one)
        if not problems and tools and not calling(one):
            problems = {"no_tool_call"}
        lost.update(problems)
        if not problems:
            left.append(one)
    unique = without_repeated_questions(left)
    lost["duplicate_question"] = len(left) - len(unique)
    killers = Counter(problem for one in distinct.values() for problem in deadly(one))
    enough = len(unique) >= max(minimum, evaluation + 2) and not killers
    taken = min(len(unique), limit) if enough else 0
    trained = int((taken - evaluation) * (1 - ratio)) if enough else 0
    sizes = (evaluation, trained, taken - evaluation - trained) if enough else (0, 0, 0)
    return {
        "tools": tools,
        "usable": len(unique),
        "lost": dict(+lost),
        "killers": dict(killers),
        "sizes": sizes,
        "ready": enough,
    }


def deadly(document: Document) -> set[str]:
    """What makes the consumer raise, not only this record fall."""
    request, response, found = document.get("request"), document.get("response"), set()
    for name, value in (("null_request", request), ("null_response", response)):
        if value is None:
            found.add(name)
    if "choices" in (response or {}) and response["choices"] is None:
        found.add("null_choices")
    for choice in choices(document) or []:
        if "message" in choice and choice["message"] is None:
            found.add("null_message")
    for message in texts(document) or []:
        if "content" not in message:
            found.add("no_content")
    if document["timestamp"][10] != "T":
        found.add("odd_timestamp")
    return found


def refusals(document: Document) -> set[str]:
    """Why this record alone is not used."""
    request = document["request"] or {}
    sound = {key: value for key, value in request.items() if value is not None}
    whole = {**document, "request": sound, "response": document["response"] or {}}
    found = {REASONS[problem] for problem in unusable(whole) if problem in REASONS}
    return found | ({"null_tools"} if "tools" in request and request["tools"] is None else set())


def without_repeated_questions(documents: list[Document]) -> list[Document]:
    """Of records with the same texts of the user only the first; what is no plain text is not compared."""
    unique, seen = [], []
    for one in documents:
        asked = [text for text in (turn.get("content") for turn in texts(one) if turn["role"] == "user") if text]
        if not asked or any(isinstance(text, list) for text in asked) or asked not in seen:
            unique.append(one)
        seen.append(asked)
    return unique


def moment(document: Document) -> datetime:
    return datetime.fromisoformat(document["timestamp"].replace(" ", "T").removesuffix("Z")).replace(tzinfo=UTC)


def texts(document: Document) -> Any:
    return (document["request"] or {}).get("messages", [])


def choices(document: Document) -> Any:
    return (document["response"] or {}).get("choices", [])


def calling(document: Document) -> bool:
    return any(
        one["message"].get("tool_calls") or one.get("finish_reason") == "tool_calls" for one in choices(document)
    )
