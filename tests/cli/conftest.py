"""A log with every sort of record, and a way to run a command on it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from flywheel_log.cli import run

CHAT = {
    "id": "run-1",
    "timestamp": "2026-01-31T10:00:00.000Z",
    "kind": "llm",
    "client_id": "shop",
    "workload_id": "support",
    "request": {
        "model": "gpt-4.1-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Where is\nmy order?"}, {"type": "image_url"}]},
        ],
    },
    "response": {
        "id": "chatcmpl-1",
        "choices": [{"message": {"role": "assistant", "content": "On its way."}, "finish_reason": "stop"}],
    },
    "surface": "chat.completions",
    "provider": "openai",
    "status": "ok",
    "model": "gpt-4.1-mini",
    "user_id": "u42",
    "input_tokens": 1430,
    "output_tokens": 4,
    "cached_tokens": 1024,
    "cost_usd": 0.0012,
    "latency_ms": 812.4,
    "time_to_first_token_ms": 310.0,
}
TOOL = {
    "id": "run-2",
    "timestamp": "2026-01-31T10:00:01.000Z",
    "kind": "llm",
    "workload_id": "weather",
    "request": {
        "model": "gpt-4.1",
        "messages": [{"role": "user", "content": "Is it raining?"}],
        "tools": [{"type": "function", "function": {"name": "weather"}}],
    },
    "response": {
        "id": "chatcmpl-2",
        "choices": [
            {
                "message": {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city": "Ulm"}'},
                        }
                    ],
                },
                "finish_reason": "tool_calls",
            }
        ],
    },
    "status": "ok",
    "model": "gpt-4.1",
    "input_tokens": 60,
    "output_tokens": 12,
    "latency_ms": 2100.0,
}
ERROR = {
    "id": "other-3",
    "timestamp": "2026-01-31T10:00:02.000Z",
    "kind": "llm",
    "workload_id": "support",
    "request": {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Hello \x1b[31mred"}]},
    "response": {"error": {"message": "slow down"}},
    "status": "error",
    "error": {"type": "RateLimitError", "message": "slow down", "status_code": 429},
    "model": "gpt-4.1-mini",
    "latency_ms": 7.5,
}
EVENTS = [CHAT, TOOL, ERROR]


class Ran(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "genai.log"
    path.write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    return path


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command line in an empty folder, in UTC, piped, 110 columns wide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.delenv("FLYWHEEL_LOG_SINKS", raising=False)
    time.tzset()

    def ran(*arguments: object) -> Ran:
        code = run([str(one) for one in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return ran
