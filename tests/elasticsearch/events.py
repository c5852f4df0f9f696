"""Events to send: small chats that differ, as lines of the journal."""

from __future__ import annotations

from typing import Any

import orjson


def event(number: int, run: str = "run", **changes: Any) -> dict[str, Any]:
    """The *number*th chat of *run*; *changes* replaces or adds keys."""
    asked = {"role": "user", "content": f"What is {number} and {number}?"}
    answered = {"role": "assistant", "content": f"It is {number + number}.", "refusal": None}
    return {
        "id": f"{run}-{number}",
        "timestamp": "2026-01-31T12:00:00.000Z",
        "kind": "llm",
        "client_id": "acme",
        "workload_id": "sums",
        "request": {"model": "gpt-4.1-mini", "messages": [asked], "temperature": 0.2},
        "response": {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "choices": [{"index": 0, "message": answered, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
        },
        "status": "ok",
        "latency_ms": 3.25,
        **changes,
    }


def line(number: int, run: str = "run", **changes: Any) -> bytes:
    """The event as a line of the journal."""
    return orjson.dumps(event(number, run, **changes))


def lines(count: int, run: str = "run") -> list[bytes]:
    """The first *count* events of *run*."""
    return [line(number, run) for number in range(count)]
