"""The stand-in stands alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from flywheel_log import standin


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return named | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}


def test_it_imports_the_standard_library_and_itself_only():
    folder = Path(standin.__file__).parent
    foreign = {
        f"{path.name}: {name}"
        for path in folder.rglob("*.py")
        for name in imported(path)
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("flywheel_log.standin.")
    }
    assert foreign == set()
