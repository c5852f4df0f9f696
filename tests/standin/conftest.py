"""A stand-in and a client of it for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import OpenAI

from flywheel_log import standin


@pytest.fixture
def server() -> Iterator[standin.Server]:
    with standin.serve() as server:
        yield server


@pytest.fixture
def client(server: standin.Server) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.url, api_key="stand-in", max_retries=0) as client:
        yield client
