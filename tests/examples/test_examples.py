"""Every program under examples/ runs as it stands and leaves records."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("*.py"))
NO_RECORDS = "# Leaves no genai.log: "


@pytest.mark.usefixtures("openai_environment")
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_program_exits_cleanly_and_leaves_records(program: str, tmp_path: Path) -> None:
    path = EXAMPLES / program
    done = subprocess.run([sys.executable, path], stdin=subprocess.DEVNULL, timeout=110, check=False, cwd=tmp_path)
    log = tmp_path / "genai.log"
    expected = not path.read_text(encoding="utf-8").startswith(NO_RECORDS)
    assert (done.returncode, log.exists() and log.stat().st_size > 0) == (0, expected)
