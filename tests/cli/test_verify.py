"""`verify`: what is missing, and what is there more than once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from .conftest import CHAT, Ran

Command = Callable[..., Ran]


def test_repeated_events_are_named_and_counted_once(command: Command, tmp_path: Path):
    log = tmp_path / "genai.log"
    numbers = [1, 2, 3, 2, 2, 4, 5, 6, 7, 7, 6, 5, 4, 3]
    log.write_text("".join(json.dumps({**CHAT, "id": f"r-{number}"}) + "\n" for number in numbers))
    assert command("verify", log) == Ran(
        0,
        "all there: 7 events of 1 process\n",
        "flywheel-log: 6 events more than once: r-2, r-3, r-4, r-5, r-6, …\n",
    )
    log.write_text(json.dumps({**CHAT, "id": "r-1"}) + "\n")
    assert command("verify", log).err == ""
