"""NVIDIA's rules for a record that its Data Flywheel can use, written down once more and independently of the package.

The rules are those found by running the blueprint's consumer, version 0.3.1: what kills a run, what drops a record.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

KEYS = {"request", "response", "timestamp", "client_id", "workload_id"}
SAFE_NAME = re.compile(r"[a-z0-9_]+([.-][a-z0-9_]+)*")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
MOST_PARAMETERS = 8


def fatal(document: dict[str, Any]) -> list[str]:
    """What in *document* ends a whole run, or makes Elasticsearch refuse it."""
    found = [f"top-level key {key}" for key in document if key not in KEYS]
    found += [f"no {key}" for key in sorted(KEYS - set(document))]
    found += [f"{key} is null" for key in document if document[key] is None]
    if not ISO.fullmatch(str(document.get("timestamp"))):
        found.append("timestamp is not ISO 8601 with T and zone")
    response, request = document.get("response") or {}, document.get("request") or {}
    if "choices" in response and response["choices"] is None:
        found.append("choices is null")
    found += ["a message is null" for choice in response.get("choices") or [] if choice.get("message", {}) is None]
    found += ["a message without content" for one in request.get("messages") or [] if "content" not in one]
    found += [f"request.{key} is null" for key in ("tools", "messages") if key in request and request[key] is None]
    return found


def unusable(document: dict[str, Any]) -> list[str]:
    """Why a record that harms no other is dropped, or is bad for training."""
    found = []
    request, response = document["request"], document["response"]
    if not request.get("messages"):
        found.append("no messages")
    choices = response.get("choices")
    if not choices or any(not choice.get("message") for choice in choices):
        found.append("no choices with a message")
        return found
    message = choices[0]["message"]
    found += [f"{key} is null in the answer" for key, value in message.items() if value is None and key != "content"]
    for call in message.get("tool_calls", []):
        found += _unusable_call(call)
    for tool in request.get("tools", []):
        parameters = tool.get("function", {}).get("parameters", {})
        if parameters is None or len(parameters.get("properties", {})) > MOST_PARAMETERS:
            found.append("a tool with no or too many parameters")
    return found


def unsafe_names(document: dict[str, Any]) -> list[str]:
    """Which of the names cannot be part of the names of indices and repositories."""
    names = [document["client_id"], document["workload_id"]]
    found = [name for name in names if not SAFE_NAME.fullmatch(name)]
    return found + [name for name in names[1:] if len(name) > 70]


def enough(documents: Iterable[dict[str, Any]], minimum: int) -> dict[str, int]:
    """The workloads with fewer than *minimum* usable records of different user messages, and how many they have."""
    texts: dict[str, set[str]] = {}
    for document in documents:
        asked = [one["content"] for one in document["request"]["messages"] if one["role"] == "user"]
        texts.setdefault(document["workload_id"], set()).add(json.dumps(asked))
    return {workload: len(some) for workload, some in texts.items() if len(some) < minimum}


def mixed(documents: Iterable[dict[str, Any]]) -> set[str]:
    """The workloads whose records are partly tool calls: all others of theirs would be dropped."""
    kinds = Counter(
        (document["workload_id"], "tool_calls" in document["response"]["choices"][0]["message"])
        for document in documents
    )
    return {workload for workload, called in kinds if not called and (workload, True) in kinds}


def _unusable_call(call: dict[str, Any]) -> list[str]:
    found = [] if call.get("type") == "function" else ["a tool call that is no function"]
    try:
        json.loads(call["function"]["arguments"])
    except (KeyError, ValueError):
        found.append("tool arguments that are no JSON")
    return found
