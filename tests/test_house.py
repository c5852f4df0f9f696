"""The rules of the house that no linter knows: proportions, names, and what the package must not touch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "flywheel_log"
MODULES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))
}
TREES = {name: ast.parse(text, name) for name, text in MODULES.items()}
LONGEST_FUNCTION, USUAL_FUNCTION, LONGEST_FILE = 30, 15, 250
EMPTY_NAMES = re.compile(r"(utils?|helpers?|common|misc|base|core|manager)(/|\.py$)")


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function after its signature and its docstring."""
    documented = ast.get_docstring(function) is not None and len(function.body) > 1
    first = function.body[1 if documented else 0]
    return (function.end_lineno or 0) - first.lineno + 1


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def test_a_function_fits_on_a_screen() -> None:
    long = {
        f"{name}:{function.lineno} {function.name}": body_lines(function)
        for name, tree in TREES.items()
        for function in functions(tree)
        if body_lines(function) > LONGEST_FUNCTION
    }
    assert long == {}


def test_nine_functions_in_ten_are_short() -> None:
    lengths = sorted(body_lines(function) for tree in TREES.values() for function in functions(tree))
    assert lengths[len(lengths) * 9 // 10] <= USUAL_FUNCTION


def test_a_file_is_read_in_one_sitting() -> None:
    long = {name: lines for name, text in MODULES.items() if (lines := text.count("\n")) > LONGEST_FILE}
    assert long == {}


def test_a_file_opens_with_one_sentence_that_says_what_is_in_it() -> None:
    silent = [
        name for name, tree in TREES.items() if not (ast.get_docstring(tree) or "").split("\n\n")[0].endswith(".")
    ]
    assert silent == []


def test_the_http_libraries_below_the_sdks_are_not_imported() -> None:
    borrowed = {"httpx", "httpx2", "httpcore", "httpcore2"}
    guilty = [name for name, tree in TREES.items() if borrowed & {module.split(".")[0] for module in imported(tree)}]
    assert guilty == []


def test_the_applications_logging_is_not_configured() -> None:
    calls = re.compile(r"\b(structlog\.configure|logging\.basicConfig)\(")
    assert [name for name, text in MODULES.items() if calls.search(text)] == []


def test_no_error_is_suppressed_wholesale() -> None:
    wholesale = re.compile(r"suppress\((Base)?Exception\)")
    assert [name for name, text in MODULES.items() if wholesale.search(text)] == []


def test_a_file_is_named_after_what_it_holds() -> None:
    assert [name for name in MODULES if EMPTY_NAMES.search(name)] == []


def test_the_page_of_the_architecture_names_every_module_and_folder() -> None:
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    table = page.split("## Folder by folder")[1].split("## Decisions")[0]
    names = {path.name for path in PACKAGE.glob("*.py")} | {f"{path.parent.name}/" for path in PACKAGE.glob("*/*.py")}
    private = {"__main__.py"} | {name for name in names if name.startswith("_") and name.endswith("/")}
    assert sorted(names - private - set(re.findall(r"`([\w./]+)`", table))) == []


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")
    assert [name for name, text in MODULES.items() if later.search(text)] == []
