"""Agents, graphs, tools and retrievers: their calls on record, and what they did as the steps of a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.langchain import FlywheelLogHandler
from flywheel_log.standin import Server
from tests.capture.clients import HELLO, recorded

Ask = Callable[..., ChatOpenAI]
QUESTION: Any = {"messages": [("user", "Is it raining in Ulm?")]}
TREE = [
    "LangGraph",
    "  model",
    "    gpt-4.1-mini agent t1",
    "  tools",
    "    weather",
    "  model",
    "    gpt-4.1-mini agent t1",
]


class State(TypedDict):
    text: str


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Rain in {city}"


def drawn(events: list[Event]) -> list[str]:
    """The trace as a tree, in the order of beginning: steps by their names, calls by model, workload and session."""

    def below(parent: str | None, depth: int) -> list[str]:
        inside = sorted((one for one in events if one.get("parent_id") == parent), key=events.index)
        inside.sort(key=lambda event: event["timestamp"])
        return [line for one in inside for line in (named(one, depth), *below(one["span_id"], depth + 1))]

    def named(event: Event, depth: int) -> str:
        call = f"{event.get('model')} {event['workload_id']} {event.get('session_id')}"
        return "  " * depth + (event["name"] if event["kind"] == "step" else call)

    return below(None, 0)


def config(handler: FlywheelLogHandler, thread: str = "t1") -> Any:
    return {"callbacks": [handler], "configurable": {"thread_id": thread}}


@pytest.mark.parametrize("instrumented", [False, True])
def test_an_agent_is_a_trace_of_its_calls_and_tools(instrumented: bool, model: Ask, events: list[Event]) -> None:
    if instrumented:
        flywheel_log.instrument()
    create_agent(model(), [weather]).invoke(QUESTION, config=config(FlywheelLogHandler("agent")))
    assert drawn(events) == TREE
    assert {event["trace_id"] for event in events} == {events[-1]["trace_id"]}
    assert ["retries" in event for event in events if event["kind"] == "llm"] == [instrumented] * 2


def test_an_agent_that_is_streamed_is_the_same_trace(model: Ask, events: list[Event]) -> None:
    agent = create_agent(model(), [weather])
    assert list(agent.stream(QUESTION, config=config(FlywheelLogHandler("agent")), stream_mode="messages"))
    assert drawn(events) == TREE
    assert [event["streamed"] for event in events if event["kind"] == "llm"] == [True, True]


@pytest.mark.parametrize("instrumented", [False, True])
async def test_an_agent_in_a_coroutine_is_the_same_trace(instrumented: bool, amodel: Ask, events: list[Event]) -> None:
    if instrumented:
        flywheel_log.instrument()
    await create_agent(amodel(), [weather]).ainvoke(QUESTION, config=config(FlywheelLogHandler("agent")))
    assert drawn(events) == TREE


def test_a_tool_that_fails_is_a_step_with_its_error(events: list[Event]) -> None:
    @tool
    def broken(city: str) -> str:
        """Fail."""
        raise ValueError(f"no {city}")

    with pytest.raises(ValueError, match="no Ulm"):
        broken.invoke({"city": "Ulm"}, config={"callbacks": [FlywheelLogHandler("agent")]})
    assert [(event["name"], event["status"], event["workload_id"]) for event in events] == [
        ("broken", "error", "agent")
    ]


def test_a_plain_client_in_a_tool_or_a_node_is_part_of_the_trace(server: Server, events: list[Event]) -> None:
    with recorded(server) as client:

        def node(state: State) -> State:
            return {"text": client.chat.completions.create(**HELLO).choices[0].message.content}

        graph = StateGraph(State).add_node("ask", node).add_edge(START, "ask").add_edge("ask", END).compile()
        graph.invoke({"text": ""}, config=config(FlywheelLogHandler("agent")))
    assert drawn(events) == ["LangGraph", "  ask", "    gpt-4.1-mini agent t1"]


def test_a_graph_that_waits_for_a_person_has_not_failed(events: list[Event]) -> None:
    def node(_: State) -> State:
        return {"text": interrupt("Go on?")}

    graph = StateGraph(State).add_node("ask", node).add_edge(START, "ask").compile(checkpointer=InMemorySaver())
    handler = FlywheelLogHandler("agent")
    graph.invoke({"text": ""}, config=config(handler))
    assert graph.invoke(Command(resume="yes"), config=config(handler)) == {"text": "yes"}
    assert [event for event in events if event["status"] != "ok"] == []


class Shelf(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        if query == "fail":
            raise ValueError("no such shelf")
        return [Document("It rains in Ulm.", id="d1", metadata={"source": "almanac"})]


def test_what_a_retriever_finds_is_an_event_and_named_on_the_call_that_follows(model: Ask, events: list[Event]) -> None:
    chain = Shelf() | RunnableLambda(lambda found: found[0].page_content) | model()
    chain.invoke("Ulm?", config={"callbacks": [FlywheelLogHandler("rag")]})
    search, call, whole = events
    assert (search["kind"], search["request"], search["retrieval_docs"][0]["text"]) == (
        "retrieval",
        {"query": "Ulm?"},
        "It rains in Ulm.",
    )
    assert call["retrieval_docs"] == [{"id": "d1", "source": "almanac", "retrieval": search["id"]}]
    assert (search["parent_id"], search["workload_id"], search["latency_ms"] > 0) == (whole["span_id"], "rag", True)


def test_a_retriever_that_fails_is_a_step_with_its_error(events: list[Event]) -> None:
    with pytest.raises(ValueError, match="no such shelf"):
        Shelf().invoke("fail", config={"callbacks": [FlywheelLogHandler("rag")]})
    assert [(event["kind"], event["name"], event["status"]) for event in events] == [("step", "Shelf", "error")]
