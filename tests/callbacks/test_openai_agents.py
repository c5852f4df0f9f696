"""The Agents SDK's tracing processor: a run is a trace of steps, in which every call of a model stands once."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import agents
import openai
import pytest
from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool

import flywheel_log
from flywheel_log.cli.trace import line
from flywheel_log.event import Event
from flywheel_log.loop.tree import Branch, tree
from flywheel_log.openai_agents import FlywheelTracingProcessor, exchange
from flywheel_log.standin import Received, Reply, Server
from tests.capture.clients import KEY, SAID, bare, chunk, recorded, streaming

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}


@pytest.fixture(autouse=True)
def _registered() -> None:
    agents.set_trace_processors([FlywheelTracingProcessor("support", tags=["agents"])])


@function_tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"dry in {city}"


def tool_first(received: Received) -> Reply | None:
    """Ask for the tool while nobody has told its result."""
    if any(message["role"] == "tool" for message in received.json()["messages"]):
        return None
    message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4.1-mini"}
    return Reply.json({**body, "choices": [choice], "usage": usage})


def agent(client: openai.AsyncOpenAI, kind: Any = OpenAIChatCompletionsModel, **options: Any) -> Agent:
    return Agent(name="Clerk", instructions="Be brief.", model=kind("gpt-4.1-mini", client), **options)


def drawn(branches: list[Branch], depth: int = 0) -> list[str]:
    """The tree that `flywheel-log trace` draws, without times."""
    told = []
    for branch in branches:
        told.append("  " * depth + line(branch).plain.split("  ")[0])
        told += drawn(branch.inside, depth + 1)
    return told


@pytest.mark.door("agents", "usage")
@pytest.mark.parametrize("client_of", [bare, recorded])
async def test_a_run_is_a_trace_of_steps_with_its_calls_each_once(
    client_of: Any, start: Any, events: list[Event]
) -> None:
    async with client_of(start(tool_first), openai.AsyncOpenAI) as client:
        with agents.trace("Support", trace_id=f"trace_{TRACE}", group_id="s7"):
            await Runner.run(agent(client, tools=[weather]), "Rain in Ulm?")
    assert {(event["trace_id"], event["session_id"], event["workload_id"]) for event in events} == {
        (TRACE, "s7", "support")
    }
    assert drawn(tree(events)) == [
        "✓ Support",
        "  ✓ invoke_agent Clerk",
        "    ✓ chat.completions gpt-4.1-mini",
        "    ✓ execute_tool weather",
        "    ✓ chat.completions gpt-4.1-mini",
    ]
    calls = [event for event in events if event["kind"] == "llm"]
    assert (calls[0]["input_tokens"], calls[0]["output_tokens"]) == (5, 3)
    assert [event["request"]["messages"][0] for event in calls] == [{"role": "system", "content": "Be brief."}] * 2
    assert calls[0]["response"]["choices"][0]["message"]["tool_calls"] == [CALL]
    step = next(event for event in events if event.get("name") == "execute_tool weather")
    assert step["metadata"] == {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"}


@pytest.mark.parametrize("client_of", [bare, recorded])
async def test_of_two_processors_the_first_records(client_of: Any, server: Server, events: list[Event]) -> None:
    agents.add_trace_processor(FlywheelTracingProcessor("again"))
    async with client_of(server, openai.AsyncOpenAI) as client:
        await Runner.run(agent(client), "hi")
    assert drawn(tree(events)) == ["✓ Agent workflow", "  ✓ invoke_agent Clerk", "    ✓ chat.completions gpt-4.1-mini"]
    assert {event["workload_id"] for event in events} == {"support"}


@pytest.mark.parametrize("client_of", [bare, recorded])
async def test_a_stream_and_the_responses_api_are_told_too(client_of: Any, server: Server, events: list[Event]) -> None:
    async with client_of(server, openai.AsyncOpenAI) as client:
        await Runner.run(agent(client, OpenAIResponsesModel), "hi")
        streamed = Runner.run_streamed(agent(client), "hi")
        async for _ in streamed.stream_events():
            pass
    calls = [event for event in events if event["kind"] == "llm"]
    assert [(event["surface"], event["status"]) for event in calls] == [("responses", "ok"), ("chat.completions", "ok")]
    assert (calls[0]["request"]["instructions"], "hi" in str(calls[0]["request"]["input"])) == ("Be brief.", True)
    assert calls[0]["response"]["output"][0]["content"][0]["text"] == SAID
    assert calls[1]["response"]["choices"][0]["message"]["content"] == SAID


async def test_a_stream_that_told_no_counts_has_none(server: Server, events: list[Event]) -> None:
    async with bare(server, openai.AsyncOpenAI) as client:
        streamed = Runner.run_streamed(agent(client), "hi")
        async for _ in streamed.stream_events():
            pass
    (call,) = [event for event in events if event["kind"] == "llm"]
    assert (call["streamed"], call["usage_source"], "input_tokens" in call) == (True, "missing", False)
    assert call["response"]["choices"] == [{"index": 0, "message": {"role": "assistant", "content": SAID}}]


@pytest.mark.door("agents", "parts")
@pytest.mark.parametrize("key", ["refusal", "reasoning_content"])
async def test_what_is_neither_text_nor_tool_survives_a_stream(key: str, start: Any, events: list[Event]) -> None:
    pieces = [chunk({"role": "assistant"}), chunk({key: "I "}), chunk({key: "won't."}), chunk({}, "stop")]
    async with bare(start(streaming(*pieces)), openai.AsyncOpenAI) as client:
        streamed = Runner.run_streamed(agent(client), "hi", max_turns=1)
        with suppress(agents.exceptions.AgentsException):
            async for _ in streamed.stream_events():
                pass
    call = next(event for event in events if event["kind"] == "llm")
    message = call["response"]["choices"][0]["message"]
    assert message == {"role": "assistant", "content": None, key: "I won't."}


async def test_handoffs_and_guardrails_are_steps(start: Any, events: list[Event]) -> None:
    def to_the_expert(received: Received) -> Reply | None:
        tools = [tool["function"]["name"] for tool in received.json().get("tools", [])]
        if "transfer_to_expert" not in tools:
            return None
        call = {"id": "h1", "type": "function", "function": {"name": "transfer_to_expert", "arguments": "{}"}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        return Reply.json({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})

    @agents.input_guardrail
    async def polite(*_: Any) -> agents.GuardrailFunctionOutput:
        return agents.GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

    async with recorded(start(to_the_expert), openai.AsyncOpenAI) as client:
        expert = Agent(name="Expert", model=OpenAIChatCompletionsModel("gpt-4.1-mini", client))
        await Runner.run(agent(client, handoffs=[expert], input_guardrails=[polite]), "hi")
    told = {event["name"]: event.get("metadata", {}) for event in events if event["kind"] == "step"}
    assert (told["handoff"], told["guardrail polite"]) == (
        {"handoff.from": "Clerk", "handoff.to": "Expert"},
        {"guardrail.triggered": False},
    )
    assert "invoke_agent Expert" in told


@pytest.mark.parametrize("client_of", [bare, recorded])
async def test_a_call_that_fails_is_one_error(client_of: Any, start: Any, events: list[Event]) -> None:
    server = start(lambda _: Reply.json({"error": {"message": "too long"}}, 400))
    async with client_of(server, openai.AsyncOpenAI) as client:
        with pytest.raises(openai.BadRequestError):
            await Runner.run(agent(client), "hi")
    (call,) = [event for event in events if event["kind"] == "llm"]
    assert (call["status"], "too long" in call["error"]["message"]) == ("error", True)


async def test_a_run_inside_a_trace_of_ours_is_a_part_of_it(server: Server, events: list[Event]) -> None:
    async with recorded(server, openai.AsyncOpenAI) as client:
        with flywheel_log.trace("request", user_id="u42"):
            await Runner.run(agent(client), "hi")
    assert len({event["trace_id"] for event in events}) == 1
    assert [one.strip() for one in drawn(tree(events))][:2] == ["✓ request", "✓ Agent workflow"]
    assert {event["user_id"] for event in events} == {"u42"}


async def test_what_is_suppressed_leaves_nothing(server: Server, events: list[Event]) -> None:
    async with bare(server, openai.AsyncOpenAI) as client:
        with flywheel_log.suppress():
            await Runner.run(agent(client), "hi")
    assert events == []


async def test_sensitive_data_that_the_sdk_leaves_out_is_left_out(server: Server, events: list[Event]) -> None:
    async with bare(server, openai.AsyncOpenAI) as client:
        config = agents.RunConfig(trace_include_sensitive_data=False)
        await Runner.run(agent(client, OpenAIResponsesModel), "a secret question", run_config=config)
    (call,) = [event for event in events if event["kind"] == "llm"]
    assert (call["status"], "secret" in str(events), call["output_tokens"] > 0, KEY in str(events)) == (
        "ok",
        False,
        True,
        False,
    )


def test_a_release_that_tells_of_the_counts_alone_has_them() -> None:
    usage = {"input_tokens": 3, "output_tokens": 5}
    told = SimpleNamespace(type="response", input="a secret question", response=None, usage=usage)
    assert exchange.responses(told) == ({}, {"usage": usage})


def test_a_span_that_cannot_be_read_is_still_one_record(events: list[Event]) -> None:
    with agents.trace("Support"), agents.generation_span(input=[], model="gpt-4.1-mini") as span:
        span.span_data.usage = "not what it was"
    assert [event["status"] for event in events if event["kind"] == "llm"] == ["incomplete"]


def test_a_release_that_tells_neither_answer_nor_counts_still_has_a_record() -> None:
    assert exchange.responses(SimpleNamespace(type="response", input="a secret question", response=None)) == ({}, None)
