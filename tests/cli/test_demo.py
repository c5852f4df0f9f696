"""`demo`: real calls, real records."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flywheel_log import standin

from .conftest import Ran

Command = Callable[..., Ran]


def test_the_demo_records_its_calls_and_says_what_to_do_next(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "140")
    ran = command("demo", "--log", "my demo.log")
    events = [json.loads(line) for line in (tmp_path / "my demo.log").read_text().splitlines()]
    seen = [(event["workload_id"], event["status"], event["client_id"], event["user_id"]) for event in events]
    assert (ran.code, ran.err) == (0, "")
    assert sorted(seen) == [
        ("greeting", "ok", "demo", "you"),
        ("mistake", "error", "demo", "you"),
        ("story", "ok", "demo", "you"),
        ("translate", "ok", "demo", "you"),
        ("translate", "ok", "demo", "you"),
        ("weather", "ok", "demo", "you"),
    ]
    assert [
        part for part in ("the stand-in", 'weather({"city": "Ulm"})', "404 NotFoundError") if part not in ran.out
    ] == []
    assert "\n    import flywheel_log\n    client = flywheel_log.instrument(OpenAI())\n" in ran.out
    assert f"These are 6 JSON lines in {tmp_path}/my demo.log" in ran.out
    assert " stats 'my demo.log'\n" in ran.out


@pytest.mark.parametrize(
    ("called", "path", "told"),
    [
        (".venv/bin/flywheel-log", "/nowhere", ".venv/bin/flywheel-log"),
        ("/a/flywheel_log/__main__.py", "/nowhere", f"{shlex.quote(sys.executable)} -m flywheel_log"),
        ("__main__.py", str(Path(sys.executable).parent), "flywheel-log"),
    ],
)
def test_what_to_do_next_can_be_typed_as_it_stands(
    command: Command, monkeypatch: pytest.MonkeyPatch, called: str, path: str, told: str
):
    monkeypatch.setenv("PATH", path)
    monkeypatch.setattr("sys.argv", [called])
    assert f"\n    {told} stats genai.log\n" in command("demo").out


def test_a_second_demo_shows_its_own_records_only(command: Command):
    runs = [[json.loads(line)["id"] for line in command("demo", "--json").out.splitlines()] for _ in range(2)]
    assert [len(ids) for ids in runs] == [6, 6]
    assert not set(runs[0]) & set(runs[1])


@pytest.mark.parametrize(("arguments", "asked"), [([], True), (["--stand-in"], False)])
def test_a_key_means_the_real_service_unless_told_otherwise(
    command: Command, openai_environment: standin.Server, arguments: list[str], asked: bool
):
    assert command("demo", *arguments).code == 0
    assert bool(openai_environment.requests) == asked


def test_a_log_that_cannot_be_written_is_told(command: Command, tmp_path: Path):
    said = f"flywheel-log: {tmp_path} cannot be written (Is a directory); name another file with --log\n"
    assert command("demo", "--log", tmp_path) == Ran(1, "", said)


def test_nothing_is_said_of_an_option_that_was_not_given(command: Command, monkeypatch: pytest.MonkeyPatch):
    Path("genai.log").touch()
    monkeypatch.setattr(os, "access", lambda *_: False)  # As it is of somebody else's log; root may read any.
    assert command("demo", "--stand-in").err == ""
