"""One call, one record: the handler with instrumented clients, decorated functions, contexts, and other handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI, OpenAI

import flywheel_log
from flywheel_log import scope
from flywheel_log.event import Event
from flywheel_log.langchain import FlywheelLogHandler
from flywheel_log.standin import Server
from tests.capture.clients import HELLO, KEY, recorded

Ask = Callable[..., ChatOpenAI]


@pytest.fixture
def everyone(events: list[Event]) -> None:
    """Every client of the process is recorded, those that LangChain makes for itself among them."""
    flywheel_log.instrument(workload_id="client")


def names(events: list[Event]) -> list[Any]:
    return [event["workload_id"] for event in events if event["kind"] == "llm"]


def seen_on_the_wire(event: Event) -> bool:
    """Whether the record is the client's: a handler alone does not know of a call's retries unless it fails."""
    return "retries" in event


@pytest.mark.usefixtures("everyone")
@pytest.mark.parametrize("responses", [False, True])
def test_the_clients_record_is_the_only_one_and_has_the_handlers_names(
    responses: bool, model: Ask, events: list[Event]
) -> None:
    handler = FlywheelLogHandler("chat", user_id="u1", tags=["beta"])
    one = model(callbacks=[handler], use_responses_api=responses)
    one.invoke("hi")
    list(one.stream("hi"))
    if hasattr(one, "stream_events"):  # From LangChain 1 on.
        list(one.stream_events("hi", version="v3"))
    one.with_structured_output({"title": "t", "description": "d", "type": "object", "properties": {}}).invoke("hi")
    found = [event for event in events if event["kind"] == "llm"]
    assert names(events) == ["chat"] * (4 if hasattr(one, "stream_events") else 3)
    assert all((event["user_id"], event["tags"], seen_on_the_wire(event)) == ("u1", ["beta"], True) for event in found)
    assert {event["surface"] for event in found} == {"responses" if responses else "chat.completions"}


@pytest.mark.filterwarnings("ignore:Unexpected type for token usage")  # of langchain-openai, adding up what is null
@pytest.mark.usefixtures("everyone")
async def test_the_record_of_a_coroutines_client_is_the_only_one(amodel: Ask, events: list[Event]) -> None:
    one = amodel(callbacks=[FlywheelLogHandler("chat")])
    await one.ainvoke("hi")
    assert [piece async for piece in one.astream("hi")]
    await one.abatch(["a", "b"])
    await one.agenerate([[HumanMessage("c")], [HumanMessage("d")]])
    assert names(events) == ["chat"] * 6
    assert all(map(seen_on_the_wire, events))


@pytest.mark.usefixtures("everyone")
def test_a_client_without_the_handler_has_its_own_names(model: Ask, events: list[Event]) -> None:
    model().invoke("hi")
    assert names(events) == ["client"]


@pytest.mark.filterwarnings("ignore:Unexpected type for token usage")
@pytest.mark.usefixtures("everyone")
def test_several_conversations_asked_at_once_are_a_record_each(model: Ask, events: list[Event]) -> None:
    one = model(callbacks=[FlywheelLogHandler("chat")])
    one.batch(["a", "b", "c"])
    one.generate([[HumanMessage("d")], [HumanMessage("e")]])
    assert names(events) == ["chat"] * 5


@pytest.mark.parametrize("instrumented", [False, True])
async def test_coroutines_of_models_of_texts_are_recorded_once(
    instrumented: bool, server: Server, events: list[Event]
) -> None:
    if instrumented:
        flywheel_log.instrument(workload_id="client")
    async with openai.DefaultAsyncHttpxClient(verify=False) as http:
        one = OpenAI(model="babbage", base_url=server.url, api_key=KEY, http_async_client=http)
        for user in ("u1", "u2"):
            await one.ainvoke("a", config={"callbacks": [FlywheelLogHandler("chat", user_id=user)]})
        await one.abatch(["b", "c"], config={"callbacks": [FlywheelLogHandler("batch")]})
        await one.ainvoke("d")
    told = [(event["workload_id"], event.get("user_id"), event["request"]["prompt"]) for event in events]
    asked = (
        [("batch", None, ["b", "c"]), ("client", None, ["d"])]
        if instrumented
        else [
            ("batch", None, "b"),
            ("batch", None, "c"),
        ]
    )
    first = [["a"], ["a"]] if instrumented else ["a", "a"]
    assert told == [("chat", "u1", first[0]), ("chat", "u2", first[1]), *asked]


@pytest.mark.usefixtures("everyone")
def test_an_error_of_the_client_is_one_record(model: Ask, events: list[Event]) -> None:
    with pytest.raises(openai.NotFoundError):
        model(model="error-404", callbacks=[FlywheelLogHandler("chat")]).invoke("hi")
    assert [(event["workload_id"], event["status"]) for event in events] == [("chat", "error")]


@pytest.mark.parametrize("instrumented", [False, True])
def test_a_decorated_function_leaves_the_record_to_the_handler(
    instrumented: bool, model: Ask, events: list[Event]
) -> None:
    if instrumented:
        flywheel_log.instrument()

    @flywheel_log.logged_llm(workload_id="outer", user_id="u1")
    def summarise(text: str) -> Any:
        return model(callbacks=[FlywheelLogHandler("chat")]).invoke(text).content

    @flywheel_log.logged_llm(workload_id="outer", user_id="u1")
    def named_by_the_function(text: str) -> Iterator[Any]:
        yield from model(callbacks=[FlywheelLogHandler()]).stream(text)

    summarise("hi")
    list(named_by_the_function("hi"))
    assert [(event["workload_id"], event["user_id"]) for event in events] == [("chat", "u1"), ("outer", "u1")]


def test_two_handlers_are_one_record_named_by_the_one_nearer_to_the_call(model: Ask, events: list[Event]) -> None:
    near = model(callbacks=[FlywheelLogHandler("near")])
    chain = RunnableLambda(near.invoke)
    chain.invoke("hi", config={"callbacks": [FlywheelLogHandler("far", user_id="u1")]})
    assert [(event["workload_id"], event["user_id"]) for event in events] == [("near", "u1"), ("far", "u1")]
    assert [event["kind"] for event in events] == ["llm", "step"]


def test_one_handler_given_twice_is_one_record(model: Ask, events: list[Event]) -> None:
    handler = FlywheelLogHandler("chat")
    model(callbacks=[handler]).with_config(callbacks=[handler]).invoke("hi", config={"callbacks": [handler]})
    assert names(events) == ["chat"]


def test_what_is_called_between_the_pieces_of_a_stream_is_none_of_the_handlers(
    model: Ask, server: Server, events: list[Event]
) -> None:
    pieces = model(callbacks=[FlywheelLogHandler("chat")]).stream("hi")
    next(pieces)
    with recorded(server) as client:
        client.chat.completions.create(**HELLO)
    list(pieces)
    assert names(events) == ["tests", "chat"]


def test_what_is_called_between_the_pieces_of_a_chains_stream_is_none_of_the_handlers(
    model: Ask, server: Server, events: list[Event]
) -> None:
    chain = RunnableLambda(lambda text: text) | model()
    pieces = chain.stream("hi", config={"callbacks": [FlywheelLogHandler("chat")]})
    next(pieces)
    with recorded(server) as client:
        client.chat.completions.create(**HELLO)
    list(pieces)
    assert names(events) == ["tests", "chat"]
    assert "trace_id" not in events[0]


async def test_what_is_called_after_a_coroutines_call_is_none_of_the_handlers(
    amodel: Ask, server: Server, events: list[Event]
) -> None:
    one = amodel(callbacks=[FlywheelLogHandler("chat")])
    for _ in range(3):
        await one.ainvoke("hi")
        assert dict(scope.current()) == {}
    async with recorded(server, openai.AsyncOpenAI) as client:
        await client.chat.completions.create(**HELLO)
    assert names(events) == ["chat", "chat", "chat", "tests"]


def test_a_plain_client_called_by_a_part_of_a_chain_has_the_handlers_names_and_place(
    server: Server, events: list[Event]
) -> None:
    with recorded(server) as client:
        ask = RunnableLambda(lambda text: client.chat.completions.create(**HELLO).choices[0].message.content + text)
        (ask | RunnableLambda(str.upper)).invoke("!", config={"callbacks": [FlywheelLogHandler("chain")]})
    call, part, whole = events
    assert [event["kind"] for event in events] == ["llm", "step", "step"]
    assert (call["workload_id"], call["trace_id"]) == ("chain", whole["trace_id"])
    assert (call["parent_id"], part["parent_id"]) == (part["span_id"], whole["span_id"])


def test_chains_go_on_with_the_trace_that_is_under_way(model: Ask, events: list[Event]) -> None:
    chain = RunnableLambda(lambda text: text) | model()
    with flywheel_log.trace("answer", user_id="u1"):
        chain.invoke("hi", config={"callbacks": [FlywheelLogHandler("chat")]})
    call, step, trace = events
    assert [(event["name"], event["user_id"]) for event in (step, trace)] == [
        ("RunnableSequence", "u1"),
        ("answer", "u1"),
    ]
    assert {event["trace_id"] for event in events} == {trace["trace_id"]}
    assert (call["parent_id"], step["parent_id"]) == (step["span_id"], trace["span_id"])


def test_a_context_inside_a_chain_counts_more_than_the_handler(model: Ask, events: list[Event]) -> None:
    one = model()

    def ask(text: str) -> Any:
        with flywheel_log.context(workload_id="inner"):
            return one.invoke(text)

    RunnableLambda(ask).invoke("hi", config={"callbacks": [FlywheelLogHandler("chain")]})
    assert names(events) == ["inner"]


def test_parts_without_a_call_inside_are_no_steps(events: list[Event]) -> None:
    chain = RunnableLambda(lambda text: text) | RunnableLambda(str.upper)
    chain.invoke("hi", config={"callbacks": [FlywheelLogHandler("chain")]})
    assert events == []


def test_a_part_that_fails_is_a_step_with_its_error(events: list[Event]) -> None:
    def fail(_: str) -> None:
        raise ValueError("out of order")

    with pytest.raises(ValueError, match="out of order"):
        RunnableLambda(fail).invoke("hi", config={"callbacks": [FlywheelLogHandler("chain")]})
    assert [(event["name"], event["status"], event["error"]["message"]) for event in events] == [
        ("fail", "error", "out of order")
    ]


async def test_concurrent_chains_are_traces_of_their_own(amodel: Ask, events: list[Event]) -> None:
    chain, handler = RunnableLambda(lambda text: text) | amodel(), FlywheelLogHandler("chat")
    await asyncio.gather(*(chain.ainvoke(f"{n}", config={"callbacks": [handler]}) for n in range(5)))
    traces = [event["trace_id"] for event in events]
    assert (len(events), {traces.count(one) for one in traces}) == (10, {2})
