"""The package as a stranger gets it: what the wheel holds, what the front door offers, what its import costs."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import flywheel_log

ROOT = Path(__file__).parents[1]
IMPORT_BUDGET_MS = 60

MEASURE_IMPORT = """
import json, os, threading, time
def files(): return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
clock = time.process_time  # on a busy machine the clock on the wall measures the others
start = clock()
import openai
loaded, opened, threads = clock(), files(), threading.active_count()
import flywheel_log
print(json.dumps({
    "openai_ms": (loaded - start) * 1000,
    "ms": (clock() - loaded) * 1000,
    "files": files() - opened,
    "threads": threading.active_count() - threads,
}))
"""

LIST_HEAVY = """
import sys
import flywheel_log
heavy = {"elasticsearch", "openai", "pydantic_settings", "rich", "structlog", "typer"}
print(sorted(heavy & set(sys.modules)))
"""


def run_python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_the_wheel_holds_the_package_its_licence_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    about = f"flywheel_log-{wheel.name.split('-')[1]}.dist-info"
    held = set(zipfile.ZipFile(wheel).namelist())
    sources = {
        path for path in (ROOT / "flywheel_log").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    expected = {path.relative_to(ROOT).as_posix() for path in sources} | {
        f"{about}/METADATA",
        f"{about}/RECORD",
        f"{about}/WHEEL",
        f"{about}/entry_points.txt",
        f"{about}/licenses/LICENSE",
    }
    assert held == expected


def test_all_equals_the_public_names_and_is_sorted() -> None:
    public = [
        name
        for name in dir(flywheel_log)
        if not name.startswith("_") and not isinstance(getattr(flywheel_log, name), ModuleType)
    ]
    assert flywheel_log.__all__ == public


def test_every_public_name_is_documented() -> None:
    silent = [name for name in flywheel_log.__all__ if not getattr(flywheel_log, name).__doc__]
    assert silent == []


def test_the_import_opens_no_file_and_starts_no_thread() -> None:
    measured = json.loads(run_python(MEASURE_IMPORT))
    assert (measured["files"], measured["threads"]) == (0, 0)


def test_the_import_stays_within_its_budget_where_openai_is_loaded() -> None:
    """The budget is for a machine that loads openai within a second; a slower one has more in proportion."""
    runs = [json.loads(run_python(MEASURE_IMPORT)) for _ in range(3)]
    fastest = min(run["ms"] / max(1.0, run["openai_ms"] / 1000) for run in runs)
    assert fastest < IMPORT_BUDGET_MS


def test_the_import_leaves_heavy_libraries_to_those_who_use_them() -> None:
    assert run_python(LIST_HEAVY) == "[]\n"
