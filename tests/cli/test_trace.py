"""`trace`: the tree on the screen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Ran

Command = Callable[..., Ran]
TRACE = "0af7651916cd43dd8448eb211c80319c"


def event(number: int, kind: str, parent: str | None, **fields: Any) -> dict[str, Any]:
    place = {"trace_id": TRACE, "span_id": f"{number:016x}"} | ({"parent_id": parent} if parent else {})
    return {"id": f"run-{number}", "timestamp": f"2026-01-31T10:00:0{number}.000Z", "kind": kind, **place, **fields}


EVENTS = [
    event(2, "step", f"{1:016x}", name="retrieve", status="ok", duration_ms=40.0),
    event(3, "retrieval", f"{2:016x}", retrieval_docs=[{"id": "doc7"}]),
    event(
        4,
        "llm",
        f"{1:016x}",
        surface="chat.completions",
        model="gpt-4.1-mini",
        status="ok",
        latency_ms=812.0,
        input_tokens=1430,
        output_tokens=12,
        response={"id": "chatcmpl-4"},
    ),
    event(
        5,
        "llm",
        f"{1:016x}",
        surface="chat.completions",
        model="gpt-4.1",
        status="error",
        latency_ms=7.5,
        error={"type": "RateLimitError", "message": "slow down", "status_code": 429},
    ),
    event(1, "step", None, name="answer", status="ok", duration_ms=900.0),
    {"timestamp": "2026-02-01T10:00:00.000Z", "kind": "feedback", "target": "chatcmpl-4", "quality": {"thumbs": "up"}},
    {"id": "other-1", "timestamp": "2026-02-01T10:00:01.000Z", "kind": "llm", "trace_id": "1" * 32},
]
DRAWN = f"""\
trace {TRACE}
└── ✓ answer  900ms  1.4k→12 tokens
    ├── ✓ retrieve  40ms
    │   └── · retrieval of 1 document
    ├── ✓ chat.completions gpt-4.1-mini  812ms  1.4k→12 tokens
    │   └── · feedback thumbs: up
    └── ✗ chat.completions gpt-4.1  7.5ms  429 RateLimitError: slow down
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "traces.log"
    path.write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    return path


@pytest.mark.parametrize("identity", [TRACE, "0af7", "run-3", "chatcmpl-4"])
def test_a_trace_is_a_tree_of_what_happened_with_times_and_tokens(command: Command, log: Path, identity: str) -> None:
    assert command("trace", identity, log) == Ran(0, DRAWN, "")


def test_the_last_trace_is_drawn_where_none_is_named(command: Command, log: Path) -> None:
    assert command("trace", log).out == f"trace {'1' * 32}\n└── · llm\n"


def test_programs_get_the_events(command: Command, log: Path) -> None:
    lines = command("trace", TRACE, log, "--json").out.splitlines()
    assert [json.loads(line) for line in lines] == EVENTS[:-1]


def test_a_trace_that_is_not_there_is_a_problem(command: Command, log: Path) -> None:
    said = f"flywheel-log: no trace has the id 'ffff', nor a record of that id; the last one is {'1' * 32}\n"
    assert command("trace", "ffff", log) == Ran(1, "", said)


def test_a_log_without_traces_says_how_one_is_made(command: Command, log: Path) -> None:
    log.write_text('{"kind": "llm", "timestamp": "2026-01-31T10:00:00.000Z"}\n')
    said = f"flywheel-log: no traces in {log} yet; wrap calls in `with flywheel_log.trace(…):` to make one\n"
    assert command("trace", log) == Ran(1, "", said)
    log.write_text("no record\nno more\n")
    assert command("trace", log) == Ran(1, "", "flywheel-log: skipped 2 lines that are not records\n" + said)


def test_a_beginning_of_several_names_them(command: Command, log: Path) -> None:
    ran = command("trace", "", log)
    assert ran == Ran(1, "", f"flywheel-log: several traces begin with '': {TRACE}, {'1' * 32}\n")


def test_skipped_lines_are_told_once(command: Command, log: Path) -> None:
    log.write_text("no record\n" + log.read_text())
    assert command("trace", TRACE, log).err == "flywheel-log: skipped 1 line that is not a record\n"


def test_standard_input_cannot_be_read_twice(command: Command) -> None:
    ran = command("trace", "last", "-")
    assert (ran.code, ran.out) == (2, "")
    assert "this is read more than once, and standard input but once; name a file" in " ".join(ran.err.split())
