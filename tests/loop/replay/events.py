"""Calls on record, as they come back from a log."""

from __future__ import annotations

from typing import Any


def call(identity: str = "r-1", *, answer: str = "On its way.", **fields: Any) -> Any:
    request = {
        "model": "gpt-4.1",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Where is my order?"},
        ],
    }
    message = {"role": "assistant", "content": answer}
    return {
        "id": identity,
        "timestamp": "2026-01-31T10:00:00.000Z",
        "kind": "llm",
        "surface": "chat.completions",
        "provider": "openai",
        "status": "ok",
        "request": request,
        "response": {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]},
        **fields,
    }


def replayed(of: str, run: str = "run", **fields: Any) -> Any:
    return call(f"new-{of}", metadata={"replay": {"of": of, "run": run}}, **fields)
