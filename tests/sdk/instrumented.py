"""A plugin of pytest that has every client in an SDK's own tests recorded, and fails where a record is missing.

`make matrix-sdk` runs openai's tests with it. An SDK's tests are called `tests` too, hence a folder of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import flywheel_log


@pytest.fixture(scope="session", autouse=True)
def every_client_is_recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("recorded")
    flywheel_log.configure(journal=folder / "journal", sinks=[f"file:{folder / 'genai.log'}"])
    flywheel_log.instrument()
    yield
    assert flywheel_log.flush(60) == 0
    recorded = flywheel_log.stats()
    assert recorded["accepted"] > 0
    assert recorded["dropped"] == {}
    assert len((folder / "genai.log").read_text(encoding="utf-8").splitlines()) == recorded["accepted"]
