"""The table of docs/reference/doors.md: what each door to the records is shown to keep, by the tests that say so.

A test says it with `@pytest.mark.door("langchain", "tools", "usage")`: the door, and the cases that it shows for it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "doors.md"
TABLE = re.compile(r"(?<=<!-- doors -->\n).*?(?=<!-- end of doors -->)", re.DOTALL)
REASON = re.compile(r"^\| `(?P<case>\w+)` \| (?P<doors>[^|]+) \| [^|]+ \|$", re.MULTILINE)

DOORS = {
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "groq": "Groq",
    "google": "google-genai",
    "foreign": "any other client",
    "decorator": "`@logged_llm`",
    "langchain": "LangChain",
    "litellm": "LiteLLM",
    "agents": "Agents SDK",
}
CASES = {
    "request": "The request is recorded whole: nothing invented, what was unset left out",
    "choices": "The choices of one answer are kept apart",
    "tools": "Tool calls that come in pieces are put together",
    "parts": "What is neither text nor tool survives a stream: refusals, reasoning",
    "usage": "Tokens are counted, and the record says where the counts are from",
    "asked": "Counts that a stream leaves out are asked for, and hidden from the caller again",
    "error": "A call that is refused is an `error` with its message and status",
    "retries": "Retries are counted",
    "broken": "A stream that breaks is an `error`, and keeps the text until then",
    "cancelled": "A call that is cancelled in flight is one record, `incomplete`",
    "left": "A stream that is left early is one record, `incomplete`",
    "unread": "A stream that nobody reads is one record, `incomplete`",
    "first": "The first token is the first that says something",
    "consumer": "The time that the consumer takes between two chunks is not the model's",
    "long": "50,000 chunks take bounded memory and linear time",
    "unsafe": "Answers that no dataset should take are marked: cut off, filtered, refused, tool arguments no JSON",
}

Shown = dict[tuple[str, str], dict[str, bool]]


def proofs(item: pytest.Item) -> list[tuple[str, str]]:
    """The doors and cases that *item* shows; a `ValueError` where it names one that is none."""
    found = [(mark.args[0], case) for mark in item.iter_markers("door") for case in mark.args[1:]]
    for door, case in found:
        if door not in DOORS or case not in CASES:
            raise ValueError(f"{item.nodeid}: no such door and case: {door}, {case}")
    return found


def table(shown: Shown) -> str:
    """The table in Markdown: in each field how many tests show it; a cross where one of them failed."""
    head = ["", *DOORS.values()]
    rows = [
        [f"`{case}`: {text}", *(_field(shown.get((door, case), {})) for door in DOORS)] for case, text in CASES.items()
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def _field(tests: dict[str, bool]) -> str:
    if not tests:
        return "-"
    return f"✓ {len(tests)}" if all(tests.values()) else "✗"


def stale(shown: Shown, page: str) -> list[str]:
    """What is wrong with the *page*: a table that is not that of *shown*, or a dash without its reason below."""
    found = TABLE.findall(page)
    wrong = [] if found == [table(shown)] else ["the table is stale; run make doors"]
    names = {title: name for name, title in DOORS.items()}
    told = {(names[door], row["case"]) for row in REASON.finditer(page) for door in row["doors"].split(", ")}
    lacking = {(door, case) for door in DOORS for case in CASES} - set(shown)
    wrong += [f"no test shows {case} for {door}, and nothing says why" for door, case in sorted(lacking - told)]
    return wrong + [
        f"a test shows {case} for {door}, and a reason says it cannot" for door, case in sorted(told - lacking)
    ]


class Gathering:
    """The plugin behind `pytest --doors`: writes the table of what ran; with `--collect-only`, says what is stale."""

    def __init__(self) -> None:
        self._shown: Shown = defaultdict(dict)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test shows with how it went, from whichever process: parametrized, it is still one test."""
        for name, what in report.user_properties:
            if name == "door" and (report.when == "call" or not report.passed):
                tests, test = self._shown[cast("tuple[str, str]", tuple(what))], report.nodeid.partition("[")[0]
                tests[test] = report.passed and tests.get(test, True)

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Compare with the page, or write to it."""
        page = PAGE.read_text(encoding="utf-8")
        if session.config.getoption("collectonly"):
            wrong = stale(_collected(session.items), page)
            print(*wrong, sep="\n")  # noqa: T201 - the answer
            session.exitstatus = session.exitstatus or int(bool(wrong))
        else:
            PAGE.write_text(TABLE.sub(lambda _: table(self._shown), page), encoding="utf-8")


def _collected(items: Iterable[pytest.Item]) -> Shown:
    """What *items* show if all of them pass."""
    shown: Shown = defaultdict(dict)
    for item in items:
        for what in proofs(item):
            shown[what][item.nodeid.partition("[")[0]] = True
    return shown
