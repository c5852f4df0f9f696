"""pydantic-ai on a recorded client: one record a call, named by the function around it."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

import flywheel_log
from flywheel_log.event import Event
from tests.frameworks.conftest import told

MODELS = [OpenAIChatModel, OpenAIResponsesModel]


class City(BaseModel):
    """A city."""

    name: str


@pytest.mark.parametrize("of", MODELS)
async def test_a_run_with_a_tool_is_one_record_a_call(of: Any, client: openai.AsyncOpenAI, events: list[Event]) -> None:
    agent = Agent(of("gpt-4.1-mini", provider=OpenAIProvider(openai_client=client)))

    @agent.tool_plain
    def weather(city: str) -> str:
        """Tell the weather of a city."""
        return f"Rain in {city}"

    @flywheel_log.logged_llm(workload_id="forecast")
    async def forecast() -> str:
        return str((await agent.run("Is it raining in Ulm?")).output)

    assert await forecast()
    assert told(events) == [("forecast", "ok", False)] * 2


async def test_structured_output_is_one_record(client: openai.AsyncOpenAI, events: list[Event]) -> None:
    model = OpenAIChatModel("gpt-4.1-mini", provider=OpenAIProvider(openai_client=client))
    agent = Agent(model, output_type=City)

    @flywheel_log.logged_llm(workload_id="extract")
    async def extract() -> City:
        return (await agent.run("Ulm")).output

    assert await extract() == City(name="Ulm")
    assert told(events) == [("extract", "ok", False)]


async def test_a_stream_is_one_record(client: openai.AsyncOpenAI, events: list[Event]) -> None:
    agent = Agent(OpenAIChatModel("gpt-4.1-mini", provider=OpenAIProvider(openai_client=client)))

    @flywheel_log.logged_llm(workload_id="chat")
    async def chat() -> str:
        async with agent.run_stream("hi") as run:
            return "".join([piece async for piece in run.stream_text(delta=True)])

    assert (await chat()).endswith("hi")
    assert told(events) == [("chat", "ok", True)]
