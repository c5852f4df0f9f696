"""OpenAI's Agents SDK on a recorded client: one record a call, named by the function around it."""

from __future__ import annotations

import agents
import openai
import pytest
from agents.models.interface import Model

import flywheel_log
from flywheel_log.event import Event
from tests.frameworks.conftest import told

MODELS = [agents.OpenAIChatCompletionsModel, agents.OpenAIResponsesModel]


@agents.function_tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Rain in {city}"


@pytest.fixture(autouse=True)
def _no_tracing() -> None:
    """The SDK's own tracing goes to OpenAI's servers."""
    agents.set_trace_processors([])


def agent(of: type[Model], client: openai.AsyncOpenAI) -> agents.Agent:
    model = of("gpt-4.1-mini", openai_client=client)  # type: ignore[call-arg]
    return agents.Agent(name="forecaster", instructions="Be brief.", tools=[weather], model=model)


@pytest.mark.parametrize("of", MODELS)
async def test_a_run_is_one_record_a_call(of: type[Model], client: openai.AsyncOpenAI, events: list[Event]) -> None:
    @flywheel_log.logged_llm(workload_id="forecast")
    async def forecast() -> str:
        return str((await agents.Runner.run(agent(of, client), "Is it raining in Ulm?")).final_output)

    assert await forecast()
    assert told(events) == [("forecast", "ok", False)] * 2


@pytest.mark.parametrize("of", MODELS)
async def test_a_run_that_is_streamed_is_one_record_a_call(
    of: type[Model], client: openai.AsyncOpenAI, events: list[Event]
) -> None:
    @flywheel_log.logged_llm(workload_id="forecast")
    async def forecast() -> int:
        run = agents.Runner.run_streamed(agent(of, client), "Is it raining in Ulm?")
        return len([event async for event in run.stream_events()])

    assert await forecast()
    assert told(events) == [("forecast", "ok", True)] * 2
