"""LiteLLM with every client of the process recorded: one record a call, named by the function around it."""

from __future__ import annotations

import os
from typing import Any

import openai
import pytest

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # Else the import asks the network for prices.
import litellm

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.standin import Server
from tests.capture.clients import KEY, MESSAGES
from tests.frameworks.conftest import told


@pytest.fixture
def ask(server: Server, events: list[Event]) -> dict[str, Any]:
    flywheel_log.instrument(workload_id="client")
    return {"model": "openai/gpt-4.1-mini", "messages": MESSAGES, "api_base": server.url, "api_key": KEY}


def test_a_call_is_one_record(ask: dict[str, Any], events: list[Event]) -> None:
    @flywheel_log.logged_llm(workload_id="chat")
    def chat(**options: Any) -> Any:
        return litellm.completion(**ask, **options)

    chat()
    assert "".join(piece.choices[0].delta.content or "" for piece in chat(stream=True)).endswith("hi")
    litellm.completion(**ask)
    assert told(events) == [("chat", "ok", False), ("chat", "ok", True), ("client", "ok", False)]
    assert {event["model"] for event in events} == {"gpt-4.1-mini"}


def test_an_error_is_one_record(ask: dict[str, Any], events: list[Event]) -> None:
    with flywheel_log.context(workload_id="chat"), pytest.raises(openai.NotFoundError):
        litellm.completion(**ask | {"model": "openai/error-404"}, max_retries=0)
    assert told(events) == [("chat", "error", False)]


async def test_a_call_of_a_coroutine_is_one_record(ask: dict[str, Any], events: list[Event]) -> None:
    @flywheel_log.logged_llm(workload_id="chat")
    async def chat() -> Any:
        return await litellm.acompletion(**ask)

    await chat()
    await litellm.aembedding(**{key: ask[key] for key in ("api_base", "api_key")}, model="openai/e", input=["a"])
    assert [(event["workload_id"], event["kind"]) for event in events] == [("chat", "llm"), ("client", "embedding")]
