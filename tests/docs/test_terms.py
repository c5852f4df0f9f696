"""The table of terms: each names tests that exist, and each example runs."""

from __future__ import annotations

import ast
import os
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import flywheel_log
from flywheel_log import cli, config

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "terms.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?P<term>.+?) \| `(?P<example>.+?)` \| `(?P<shown_by>.+?)` \|$", re.MULTILINE)
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"\$ flywheel-log (?P<arguments>.*?)(?: # exits with (?P<code>\d+))?")
SECTIONS = {
    "Logging layers": 7,
    "Core logging categories": 8,
    "Types of logging": 8,
    "Advanced practices": 7,
    "Problems": 5,
    "Environment variables": 4,
    "Schemas": 5,
    "Integration steps": 4,
    "Best practices": 5,
    "The loop and what is built on it": 12,
    "LangChain": 4,
}


class Row(NamedTuple):
    """A term, what does it, and the test that shows it."""

    term: str
    example: str
    shown_by: str


ROWS = [Row(*row.groups()) for row in ROW.finditer(PAGE)]


def run(example: str, namespace: dict[str, Any]) -> None:
    """Run what stands in a row: a command, a variable of the environment, or Python."""
    if command := COMMAND.fullmatch(example):
        flywheel_log.flush()
        assert cli.run(shlex.split(command["arguments"])) == int(command["code"] or 0)
    elif re.match(r"[A-Z_]+=", example):
        name, _, value = example.partition("=")
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv(name, value)
            config.load()
    else:
        exec(example, namespace)  # noqa: S102 - the page's own example is what is tested


def is_there(shown_by: str) -> bool:
    path, _, name = shown_by.partition("::")
    if not (ROOT / path).is_file():
        return False
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, functions)}
    return not name or name in names


def test_every_section_has_all_its_rows() -> None:
    found = {
        section.partition("\n")[0]: sum(line.startswith("| ") for line in section.splitlines()[1:]) - 1
        for section in PAGE.split("\n## ")[1:]
    }
    assert {name: max(0, count) for name, count in found.items()} == SECTIONS
    assert len(ROWS) == sum(SECTIONS.values())


def test_every_test_that_is_named_exists() -> None:
    assert [row.shown_by for row in ROWS if not is_there(row.shown_by)] == []


@pytest.mark.usefixtures("openai_environment")
def test_every_example_runs() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__", "os": os}
    exec("\n".join(BLOCK.findall(PAGE)), namespace)  # noqa: S102 - the page's own code is what is tested
    failed = {}
    for row in ROWS:
        try:
            run(row.example, namespace)
        except Exception as error:  # noqa: BLE001 - every row is tried, and all that fail are shown
            failed[row.example] = repr(error)
    assert failed == {}
