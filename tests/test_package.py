"""The package as a stranger gets it: what the wheel holds, what the front door offers, what its import costs."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import flywheel_log

ROOT = Path(__file__).parents[1]

MEASURE_IMPORT = """
import json, os, sys, threading
def files(): return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
import openai
opened, threads, modules = files(), threading.active_count(), set(sys.modules)
import flywheel_log
print(json.dumps({
    "modules": sorted(set(sys.modules) - modules),
    "files": files() - opened,
    "threads": threading.active_count() - threads,
}))
"""

LIST_HEAVY = """
import sys
import flywheel_log
for name in flywheel_log.__all__:
    getattr(flywheel_log, name)
heavy = {"elasticsearch", "openai", "pydantic_settings", "rich", "structlog", "typer"}
print(sorted(heavy & set(sys.modules)))
"""

RECORD_A_CALL = """
import os, sys, flywheel_log
from openai import OpenAI
from flywheel_log.standin import serve
os.chdir(sys.argv[1])
flywheel_log.configure(journal="journal")
with serve() as server:
    client = flywheel_log.instrument(OpenAI(base_url=server.url, api_key="sk-1", max_retries=0))
    client.chat.completions.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": "Hi"}])
assert flywheel_log.flush() == 0
print(sorted({"elasticsearch", "rich", "structlog", "typer"} & set(sys.modules)))
"""


def run_python(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
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


def test_all_is_sorted_and_every_name_in_it_is_there() -> None:
    assert dir(flywheel_log) == sorted(set(flywheel_log.__all__))
    assert [name for name in flywheel_log.__all__ if getattr(flywheel_log, name).__name__ != name] == []


def test_a_name_that_is_not_there_is_told_as_python_tells_it() -> None:
    with pytest.raises(AttributeError, match="module 'flywheel_log' has no attribute 'instrumnet'"):
        _ = flywheel_log.instrumnet  # type: ignore[attr-defined]


def test_every_public_name_is_documented() -> None:
    silent = [name for name in flywheel_log.__all__ if not getattr(flywheel_log, name).__doc__]
    assert silent == []


def test_the_import_opens_no_file_starts_no_thread_and_loads_nothing_else() -> None:
    measured = json.loads(run_python(MEASURE_IMPORT))
    assert measured == {"modules": ["flywheel_log"], "files": 0, "threads": 0}


def test_windows_is_told_at_the_import_what_is_missing_there() -> None:
    told = run_python("import os; os.name = 'nt'\ntry: import flywheel_log\nexcept ImportError as error: print(error)")
    assert "Linux or macOS. This is Windows" in told


def test_the_front_door_leaves_heavy_libraries_to_those_who_use_them() -> None:
    assert run_python(LIST_HEAVY) == "[]\n"


def test_a_recorded_call_loads_none_of_them_but_the_settings(tmp_path: Path) -> None:
    assert run_python(RECORD_A_CALL, str(tmp_path)) == "[]\n"
    assert len([*flywheel_log.read(tmp_path / "genai.log")]) == 1
