"""The command line as a whole: its commands, its exit codes, its manners in a pipe."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer

from flywheel_log.cli import app, commands
from flywheel_log.cli._file_errors import explained

from .conftest import Ran

Command = Callable[..., Ran]


def test_every_module_is_a_command(command: Command):
    shown = command("--help").out
    assert {"demo", "drain", "show", "stats", "tail"} <= set(commands())
    assert [name for name in commands() if f"\n  {name} " not in shown] == []


def test_no_summary_is_cut_off_in_eighty_columns(command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, _, listed = command("--help").out.partition("Commands:")
    assert [line for line in listed.splitlines() if line.endswith("...")] == []


@pytest.mark.parametrize("name", ["prune", "rotate"])
def test_what_changes_files_offers_no_standard_input(command: Command, name: str):
    assert "standard input" not in command(name, "--help").out


def test_every_option_names_what_it_takes():
    program: Any = typer.main.get_command(app())
    options = [
        (name, one)
        for name, command in program.commands.items()
        for one in command.params
        if one.param_type_name == "option" and not one.is_flag
    ]
    assert [f"{name} {one.opts[0]}" for name, one in options if not one.metavar] == []


@pytest.mark.parametrize("name", commands())
def test_no_argument_shows_its_type_of_pythons(command: Command, name: str):
    assert re.findall("<[a-z]+", command(name, "--help").out.replace("<=", "")) == []


@pytest.mark.parametrize("name", commands())
def test_no_help_shows_the_escapes_of_markup(command: Command, name: str):
    assert "\\" not in command(name, "--help").out


@pytest.mark.parametrize("name", commands())
def test_every_command_speaks_json(command: Command, name: str):
    assert " --json " in command(name, "--help").out


@pytest.mark.parametrize(
    ("typed", "completed"), [("flywheel-log ver", "verify"), ("flywheel-log tail --wo", "--workload")]
)
def test_a_shell_completes_commands_and_options(typed: str, completed: str):
    asked = {"_FLYWHEEL_LOG_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    ran = subprocess.run(
        [sys.executable, "-m", "flywheel_log"], env=os.environ | asked, capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == [completed]


def test_the_version_is_the_packages(command: Command):
    assert command("--version") == Ran(0, f"flywheel-log {version('flywheel-log')}\n", "")


@pytest.mark.parametrize("arguments", [["nope"], ["tail", "--nope"], ["stats", "--by", "modle"], ["tail", "kafka://x"]])
def test_wrong_usage_is_two(command: Command, log: Path, arguments: list[str]):
    ran = command(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Error: " in ran.err


@pytest.mark.parametrize("arguments", [["stats", "--over", "day"], ["tail", "-n", "x"], ["drain", "--timeout", "x"]])
def test_a_wrong_value_is_told_in_plain_words(command: Command, arguments: list[str]):
    ran = command(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert f"Invalid value for '{arguments[1]}'" in ran.err
    assert "Value error" not in ran.err
    assert "unable to parse" not in ran.err


@pytest.mark.parametrize("name", ["tail", "stats", "show"])
def test_a_missing_log_is_one_and_says_what_to_do(command: Command, name: str):
    arguments = [name, "last", "no.log"] if name == "show" else [name, "no.log"]
    ran = command(*arguments)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("flywheel-log: no.log does not exist; ")


@pytest.mark.parametrize("name", ["tail", "stats"])
def test_an_empty_log_is_one(command: Command, tmp_path: Path, name: str):
    (tmp_path / "empty.log").touch()
    ran = command(name, "empty.log")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err in ("flywheel-log: no records in empty.log yet\n", "flywheel-log: no calls in empty.log yet\n")


@pytest.mark.parametrize("sinks", ["file:genai.log", "file:genai.log?rotate_mb=1&keep=9"])
def test_every_command_reads_what_was_rotated_away(
    command: Command, log: Path, monkeypatch: pytest.MonkeyPatch, sinks: str
):
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", sinks)
    lines = log.read_text().splitlines(keepends=True)
    for line in lines[:2]:
        log.write_text(line)
        assert command("rotate", log).code == 0
    log.write_text(lines[2])
    shown = [json.loads(line)["id"] for line in command("tail", "--json").out.splitlines()]
    assert shown == ["run-1", "run-2", "other-3"]
    assert json.loads(command("stats", "--by", "client_id", "--json", "--where", "model=gpt*").out.splitlines()[0])
    assert sum(json.loads(line)["calls"] for line in command("stats", "--json").out.splitlines()) == 3
    assert "of 3 calls" in command("errors", log).out
    assert command("grep", "my order", "--count").out == "1\n"
    assert command("show", "run-1").code == 0
    log.unlink()
    assert command("show", "last", log.name).code == 0


def test_the_log_of_the_settings_is_the_default(command: Command, log: Path, monkeypatch: pytest.MonkeyPatch):
    log.rename(log.with_name("other.log"))
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", "stdout:,file:other.log?format=full")
    assert command("tail", "-n", "1").out.startswith("01-31 10:00:02 ✗ support")


def test_wrong_settings_are_one(command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", "kafka:")
    ran = command("tail")
    assert ran.code == 1
    assert ran.err.startswith("flywheel-log: flywheel_log is configured wrongly: sinks: ")


@pytest.mark.parametrize("variable", ["FLYWHEEL_LOG_SAMPLE", "FLYWHEEL_LOG_SAMPEL"])
@pytest.mark.parametrize("name", ["tail", "stats", "errors", "show", "grep", "verify", "ready", "export"])
def test_a_wrong_setting_that_reading_does_not_need_stops_no_reader(
    command: Command, log: Path, monkeypatch: pytest.MonkeyPatch, name: str, variable: str
):
    monkeypatch.setenv(variable, "abc")
    ran = command(name, *(["order"] if name == "grep" else []))
    assert "abc" not in ran.err
    assert variable not in ran.err
    assert ran.out != ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "--out", "a.file"], "a.file is a file; name a folder for the dataset"),
        (["export", "--out", "a.file/x"], "a.file/x: not a directory"),
        (["export", "--again", "none"], "none: no such file or directory"),
        (["replay", "--dry-run", "--prompt", "a.folder"], "a.folder: is a directory"),
        (["tail", "n" * 300], f"{'n' * 300}: file name too long"),
        (["tail", "-f", "a.folder"], "a.folder is a directory; name the log in it, such as a.folder/genai.log"),
        (["compare"], "no call has a prompt.version to compare by; compare by another field, such as --by model"),
        (["compare", "--replay", "last", "--log", "genai.log"], "no replays in genai.log yet"),
        (["verify", "a.file"], "no events in a.file yet"),
        (["tail", "--model", "none"], "none of the records in genai.log match model=none"),
        (
            ["stats", "elasticsearch://127.0.0.1:1/x"],
            "Elasticsearch at http://127.0.0.1:1 does not answer: unreachable",
        ),
    ],
)
def test_a_problem_names_what_it_is_about(command: Command, log: Path, arguments: list[str], said: str):
    log.with_name("a.file").touch()
    log.with_name("a.folder").mkdir()
    assert command(*arguments) == Ran(1, "", f"flywheel-log: {said}\n")


@pytest.mark.parametrize("name", ["forget", "prune", "rotate"])
def test_a_link_that_leads_to_itself_is_no_log(command: Command, log: Path, name: str):
    log.with_name("loop.log").symlink_to("loop.log")
    more = {"forget": ["--user", "u"], "prune": ["--older-than", "1d"]}.get(name, [])
    ran = command(name, *more, "loop.log")
    assert (ran.code, ran.out) == (1, "")
    assert "loop.log does not exist; a program writes it" in ran.err


@pytest.mark.parametrize("source", ["elasticsearch:", "elasticsearch://127.0.0.1:1/BAD INDEX"])
def test_a_source_of_a_replay_that_names_nothing_is_wrong_usage(command: Command, source: str):
    ran = command("replay", "--dry-run", "--model", "m", source)
    assert (ran.code, ran.out) == (2, "")
    assert "Error: Invalid value for SOURCE: " in ran.err


def test_a_log_of_somebody_else_says_whose_it_is(log: Path):
    error = PermissionError(errno.EACCES, "Permission denied", str(log))
    owner = log.owner()
    assert explained(error) == f"{log}: permission denied; it is {owner}'s, who alone may read what flywheel_log writes"


@pytest.mark.parametrize("source", ["genai.lgo", "file:genai.lgo?rotate_mb=5"])
def test_a_log_that_is_waited_for_is_told(log: Path, source: str):
    with subprocess.Popen(
        [sys.executable, "-m", "flywheel_log", "tail", "-f", source],
        cwd=log.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "flywheel-log: genai.lgo is not there yet; waiting for it\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_skipped_lines_are_told(command: Command, log: Path):
    log.write_text(log.read_text() + "{torn\n")
    assert command("tail", log).err == "flywheel-log: skipped 1 line that is not a record\n"


def test_a_reader_that_leaves_is_no_complaint(log: Path):
    log.write_text(log.read_text() * 2000)
    with subprocess.Popen(
        [sys.executable, "-m", "flywheel_log", "tail", "-n", "6000", str(log)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": "110"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        assert (first[15:18], process.stderr.read(), process.wait(60)) == ("✓".encode(), b"", 1)
