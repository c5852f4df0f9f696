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
import openai
def files(): return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
before, threads = files(), threading.active_count()
start = time.process_time()  # the processor's time: on a busy machine the clock on the wall measures the others
import flywheel_log
taken = (time.process_time() - start) * 1000
print(json.dumps({"ms": taken, "files": files() - before, "threads": threading.active_count() - threads}))
"""

LIST_HEAVY = """
import sys
import flywheel_log
print(sorted({"elasticsearch", "openai", "rich", "typer"} & set(sys.modules)))
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
    fastest = min(json.loads(run_python(MEASURE_IMPORT))["ms"] for _ in range(3))
    assert fastest < IMPORT_BUDGET_MS


def test_the_import_leaves_heavy_libraries_to_those_who_use_them() -> None:
    assert run_python(LIST_HEAVY) == "[]\n"
