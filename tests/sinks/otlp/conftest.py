"""A collector for each test, and no settings of the machine's own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .collector import Collector, collecting


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector
