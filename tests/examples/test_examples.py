"""Every program under examples/ runs as it stands and leaves records."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("*.py"))
NO_RECORDS = "# Leaves no genai.log: "


# What another program has left in the log, with as little in it as there may be.
BEFORE = {"id": "r-1", "timestamp": "2026-01-31T10:00:00.000Z", "kind": "llm", "client_id": "c", "workload_id": "w"}


@pytest.mark.usefixtures("openai_environment")
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_program_exits_cleanly_and_leaves_records_after_those_of_others(program: str, tmp_path: Path) -> None:
    path, log = EXAMPLES / program, tmp_path / "genai.log"
    log.write_text(json.dumps(BEFORE) + "\n")
    before = log.stat().st_size
    done = subprocess.run([sys.executable, path], stdin=subprocess.DEVNULL, timeout=110, check=False, cwd=tmp_path)
    expected = not path.read_text(encoding="utf-8").startswith(NO_RECORDS)
    assert (done.returncode, log.stat().st_size > before) == (0, expected)
