"""docs/reference/doors.md says what the tests show, no more and no less, and why where there is no test."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .table import CASES, DOORS, PAGE, TABLE, stale, table

ROOT = Path(__file__).parents[2]
SAYS_SO = re.compile(r"mark\.door\(")


def test_the_page_says_what_the_tests_show() -> None:
    files = [path for path in (ROOT / "tests").rglob("test_*.py") if SAYS_SO.search(path.read_text(encoding="utf-8"))]
    command = [sys.executable, "-m", "pytest", "--doors", "--collect-only", "-qq", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


SHOWN = {(door, case): {"test": True} for door in DOORS for case in CASES}


def of(shown: dict[tuple[str, str], dict[str, bool]], *reasons: str) -> str:
    return "\n".join(["<!-- doors -->", f"{table(shown)}<!-- end of doors -->", *reasons])


@pytest.mark.parametrize("outcome", [None, False])
def test_a_table_that_is_not_that_of_the_tests_is_stale(outcome: bool | None) -> None:
    before = {what: tests for what, tests in SHOWN.items() if what != ("groq", "left")}
    before |= {("groq", "left"): {"test": outcome}} if outcome is not None else {}
    assert stale(SHOWN, of(SHOWN)) == []
    assert stale(SHOWN, of(before)) == ["the table is stale; run make doors"]


def test_a_dash_has_a_reason_and_a_reason_has_a_dash() -> None:
    shown = {what: tests for what, tests in SHOWN.items() if what not in {("groq", "left"), ("decorator", "left")}}
    reason = "| `left` | Groq, `@logged_llm` | why |"
    assert stale(shown, of(shown, reason)) == []
    assert stale(shown, of(shown)) == [
        "no test shows left for decorator, and nothing says why",
        "no test shows left for groq, and nothing says why",
    ]
    assert stale(SHOWN, of(SHOWN, "| `left` | Groq | why |")) == [
        "a test shows left for groq, and a reason says it cannot"
    ]


def test_there_is_one_table_on_the_page() -> None:
    assert len(TABLE.findall(PAGE.read_text(encoding="utf-8"))) == 1
