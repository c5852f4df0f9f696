"""What the tests of signals share: a recorded client of a stand-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import openai
import pytest

import flywheel_log
from flywheel_log import standin
from flywheel_log.event import Event


@pytest.fixture
def client(events: list[Event]) -> Iterator[openai.OpenAI]:
    with standin.serve() as server, openai.OpenAI(base_url=server.url, api_key="stand-in") as client:
        yield flywheel_log.instrument(client)


@pytest.fixture
def ask(client: openai.OpenAI) -> Callable[..., openai.types.chat.ChatCompletion]:
    """Ask the model something: `ask()`, `ask("…")`."""

    def ask(text: str = "hi") -> openai.types.chat.ChatCompletion:
        return client.chat.completions.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": text}])

    return ask
