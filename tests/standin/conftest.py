"""A client of the stand-in for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import OpenAI

from flywheel_log.standin import Server


@pytest.fixture
def client(server: Server) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.url, api_key="stand-in", max_retries=0) as client:
        yield client
