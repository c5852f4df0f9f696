"""README.md and every page under docs/ do what they show."""

from __future__ import annotations

import codeop
import re
from pathlib import Path

import pytest

from .blocks import left_out, read

ROOT = Path(__file__).parents[2]
PAGES = [str(page.relative_to(ROOT)) for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")))]
FIRST = {"README.md", "docs/tutorial.md", "docs/the-loop.md"}


@pytest.mark.timeout(300)  # a page may run a dozen commands, each of them a program of its own
@pytest.mark.usefixtures("openai_environment")
@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_the_page_runs(page: str) -> None:
    blocks = list(read(ROOT / page))
    ran = []
    for block in blocks:
        block.evaluate()
        ran.append(block.line)
    assert ran == [block.line for block in blocks]


@pytest.mark.parametrize("page", [page for page in PAGES if page in FIRST])
def test_the_first_pages_can_be_typed_line_by_line(page: str) -> None:
    typed: list[str] = []
    for block in re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE):
        for line in (*block.splitlines(), ""):
            typed.append(line)
            if codeop.compile_command("\n".join(typed), page) is not None:  # A mistake raises SyntaxError.
                typed.clear()
    assert typed == []


def test_blocks_that_are_not_run_are_few_and_say_why() -> None:
    reasons = [f"{page}: {reason}" for page in PAGES for reason in left_out(ROOT / page)]
    assert len(reasons) <= 8, reasons
