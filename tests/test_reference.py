"""The reference under docs/ says what the program says: its commands, settings, names, keys, figures and reasons."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

import flywheel_log

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\]\((?P<path>[^)#:\s]+)(?:#(?P<place>[^)\s]+))?\)")


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table under *heading*, without its head."""
    text = (REFERENCE / page).read_text(encoding="utf-8").partition(f"\n{heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    lines = table[0].splitlines() if table else []
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(page: str, heading: str) -> list[str]:
    return [name for row in rows(page, heading) for name in re.findall(r"`([^`]+)`", row[0])]


def in_words(hint: Any) -> str:
    """Return a type as the page writes it."""
    if get_origin(hint) is NotRequired:
        return in_words(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return "str"
    if get_origin(hint) is list:
        inner = in_words(get_args(hint)[0])
        return f"list of {inner}s" if inner == "object" else f"list of {inner}"
    return "object" if get_origin(hint) is dict or is_typeddict(hint) else hint.__name__


def reasons() -> set[str]:
    """Return the fixed words under which the package counts what is lost."""
    found = set()
    for path in (ROOT / "flywheel_log").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                word = str(node.args[0].value)
                if called in ("drop", "guarded"):
                    found.add(word)
                if called == "BackgroundWorker":
                    found |= {f"{word}_failed", f"{word}_left_out"}
    return found


def test_what_is_generated_is_fresh_and_every_public_name_is_told() -> None:
    command = [sys.executable, DOCS / "refresh.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_key_of_an_event_is_told_with_its_type() -> None:
    told = {row[0].strip("`"): row[1] for row in rows("record.md", "## Keys")}
    hints = get_type_hints(flywheel_log.Event, include_extras=True)
    assert told == {key: in_words(hint) for key, hint in hints.items()}


def test_every_reason_for_a_loss_is_told() -> None:
    # The journal names the reasons of its own where it finds out, and counts them where it remembers them.
    assert sorted(names("stats.md", "## Reasons")) == sorted(reasons() | {"journal_full", "journal_failed"})


def test_every_extra_is_told_with_what_it_brings() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    brought = {
        f"`[{extra}]`": ", ".join(re.split("[>=<]", one)[0] for one in sorted(requirements))
        for extra, requirements in project["optional-dependencies"].items()
    }
    told = {row[0]: ", ".join(sorted(row[2].split(", "))) for row in rows("extras.md", "## What each extra adds")}
    assert told == brought


def test_every_figure_is_told(tmp_path: Path) -> None:
    flywheel_log.configure(sinks=[f"file:{tmp_path}/genai.log"])
    flywheel_log.logged_llm(lambda: "an answer")()
    assert flywheel_log.flush() == 0
    figures = flywheel_log.stats()
    (sink,) = figures["sinks"].values()
    text = (REFERENCE / "stats.md").read_text(encoding="utf-8")
    assert names("stats.md", "## Figures") == list(figures)
    assert [name for name in sink if f"| `{name}` |" not in text] == []


def test_every_page_stands_in_the_navigation_once() -> None:
    nav = re.findall(r'"([\w/-]+\.md)"', (ROOT / "zensical.toml").read_text(encoding="utf-8"))
    assert sorted(nav) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {link[0]}"
        for page in PAGES
        for link in LINK.finditer(page.read_text(encoding="utf-8"))
        if not _exists(page.parent / link["path"], link["place"])
    ]
    assert broken == []


def _exists(target: Path, place: str | None) -> bool:
    if not target.exists():
        return False
    headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE) if place else []
    return place is None or place in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_site_has_pages_and_styles_and_nothing_else() -> None:
    unpublished = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["exclude_docs"].split()
    files = [path for path in DOCS.glob("**/*.*") if "__pycache__" not in path.parts]
    published = {path.suffix for path in files if not any(path.match(pattern) for pattern in unpublished)}
    assert published == {".md", ".css"}
