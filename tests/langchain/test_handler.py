"""The handler alone, in front of a bare client: what LangChain tells becomes the record of a call."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import openai
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI
from pydantic import BaseModel

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.health import health
from flywheel_log.langchain import FlywheelLogHandler
from flywheel_log.standin import HANG_UP, Reply, Server
from tests.capture.clients import KEY, chunk, streaming

Ask = Callable[..., ChatOpenAI]
OF_THE_MOMENT = {"timestamp", "latency_ms", "time_to_first_token_ms", "span_id", "trace_id", "parent_id"}
USAGE = {
    "prompt_tokens": 13,
    "completion_tokens": 15,
    "total_tokens": 28,
    "prompt_tokens_details": {"cached_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}


class City(BaseModel):
    """A city."""

    name: str


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Rain in {city}"


def steady(event: Event) -> dict[str, Any]:
    """*event* without what differs from run to run."""
    return {key: value for key, value in event.items() if key not in OF_THE_MOMENT}


def said(event: Event) -> Any:
    return event["response"]["choices"][0]["message"]


def calls(events: list[Event]) -> list[Event]:
    return [event for event in events if event["kind"] == "llm"]


def test_feedback_on_a_message_is_about_the_call_it_came_from(
    model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    chat = model(callbacks=[handler])
    for message in (chat.invoke("hi"), reduce(add, chat.stream("hi"))):
        flywheel_log.log_feedback(message, thumbs="up")
    first, second, on_first, on_second = events
    assert (first["response"]["id"], second["response"]["id"]) == (on_first["target"], on_second["target"])


@pytest.mark.door("langchain", "request", "usage")
def test_a_call_is_recorded_whole(model: Ask, handler: FlywheelLogHandler, events: list[Event]) -> None:
    model(callbacks=[handler], temperature=0.2, max_tokens=50).invoke([SystemMessage("Be brief."), HumanMessage("hi")])
    (event,) = events
    assert event["timestamp"].endswith("Z")
    assert event["latency_ms"] > 0
    identity = event["response"]["id"]
    assert steady(event) == {
        "id": "test-1",
        "client_id": "acme",
        "workload_id": "chat",
        "kind": "llm",
        "surface": "chat.completions",
        "provider": "openai",
        "status": "ok",
        "model": "gpt-4.1-mini",
        "streamed": False,
        "input_tokens": 13,
        "output_tokens": 15,
        "cached_tokens": 0,
        "reasoning_tokens": 0,
        "usage_source": "api",
        "request": {
            "model": "gpt-4.1-mini",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
            "stream": False,
            "temperature": 0.2,
            "max_completion_tokens": 50,
        },
        "response": {
            "id": identity,
            "object": "chat.completion",
            "model": "gpt-4.1-mini",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "This is the stand-in, not a model. You said: hi"},
                    "finish_reason": "stop",
                }
            ],
            "usage": USAGE,
        },
    }


async def test_a_call_of_a_coroutine_is_recorded(amodel: Ask, handler: FlywheelLogHandler, events: list[Event]) -> None:
    await amodel(callbacks=[handler]).ainvoke("hi")
    (event,) = events
    assert (event["workload_id"], event["status"], said(event)["content"][-2:]) == ("chat", "ok", "hi")


@pytest.mark.door("langchain", "usage")
def test_a_stream_is_recorded_with_its_usage_and_its_first_token(
    model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    list(model(callbacks=[handler], stream_usage=True).stream("hi"))
    (event,) = events
    assert (event["streamed"], event["status"], event["output_tokens"]) == (True, "ok", 15)
    assert 0 < event["time_to_first_token_ms"] <= event["latency_ms"]
    assert said(event)["content"] == "This is the stand-in, not a model. You said: hi"
    assert event["response"]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.door("langchain", "usage")
async def test_a_stream_without_usage_is_recorded_and_says_that_it_is_missing(
    amodel: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    assert [piece async for piece in amodel(callbacks=[handler]).astream("hi")]
    (event,) = events
    assert (event["streamed"], event["usage_source"], "input_tokens" in event) == (True, "missing", False)
    assert said(event)["content"] == "This is the stand-in, not a model. You said: hi"


@pytest.mark.door("langchain", "first")
def test_the_first_token_is_the_first_that_says_something(
    start: Callable[..., Server], model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    pieces = (chunk({"role": "assistant", "content": ""}), 0.2, chunk({"content": "x"}), chunk({}, "stop"))
    list(model(start(streaming(*pieces)), callbacks=[handler]).stream("hi"))
    (event,) = events
    assert event["time_to_first_token_ms"] >= 200


@pytest.mark.skipif(not hasattr(ChatOpenAI, "stream_events"), reason="LangChain 1 brought them")
def test_events_of_the_third_version_of_streams_are_recorded(
    model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    list(model(callbacks=[handler]).stream_events("hi", version="v3"))
    (event,) = events
    assert (event["streamed"], event["status"], "time_to_first_token_ms" in event) == (True, "ok", True)
    assert said(event)["content"] == "This is the stand-in, not a model. You said: hi"


@pytest.mark.door("langchain", "tools")
@pytest.mark.parametrize("streamed", [False, True])
def test_tool_calls_and_their_results_have_openais_shape(
    streamed: bool, model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    ask = model(callbacks=[handler]).bind_tools([weather])
    question: Any = HumanMessage("Is it raining in Ulm?")
    answer: Any = reduce(add, ask.stream([question])) if streamed else ask.invoke([question])
    ask.invoke([question, answer, ToolMessage("Rain", tool_call_id=answer.tool_calls[0]["id"])])
    first, second = events
    (call,) = said(first)["tool_calls"]
    assert (said(first)["content"], first["response"]["choices"][0]["finish_reason"]) == (None, "tool_calls")
    assert (call["type"], call["function"]["name"]) == ("function", "weather")
    assert json.loads(call["function"]["arguments"]) == {"city": "Is it raining in Ulm?"}
    assert [one["function"]["name"] for one in first["request"]["tools"]] == ["weather"]
    assert second["request"]["messages"] == [
        {"role": "user", "content": "Is it raining in Ulm?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "Rain"},
    ]


@pytest.mark.door("langchain", "request")
def test_no_tools_are_no_null(model: Ask, handler: FlywheelLogHandler, events: list[Event]) -> None:
    model(callbacks=[handler]).invoke("hi")
    assert None not in events[0]["request"].values()


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # of langchain-openai 0.3, reading its own answer
@pytest.mark.door("langchain", "request")
def test_structured_output_is_recorded_with_its_schema(
    model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    answer = model(callbacks=[handler]).with_structured_output(City).invoke("Ulm")
    (event,) = calls(events)
    assert (answer, said(event)["content"]) == (City(name="Ulm"), '{"name": "Ulm"}')
    wanted = event["request"]["response_format"]["json_schema"]
    assert (wanted["name"], wanted["schema"]["required"]) == ("City", ["name"])


@pytest.mark.parametrize("streamed", [False, True])
def test_the_responses_api_is_recorded_in_the_shape_of_a_chat(
    streamed: bool, model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    one = model(callbacks=[handler], use_responses_api=True)
    _ = list(one.stream("hi")) if streamed else one.invoke("hi")
    one.bind_tools([weather]).invoke("hi")
    plain, called = events
    assert said(plain) == {"role": "assistant", "content": "This is the stand-in, not a model. You said: hi"}
    assert [event["response"]["choices"][0]["finish_reason"] for event in events] == ["stop", "tool_calls"]
    assert (plain["input_tokens"], plain["output_tokens"], plain["streamed"]) == (2, 15, streamed)
    assert (said(called)["content"], said(called)["tool_calls"][0]["function"]["name"]) == (None, "weather")


def test_several_choices_are_kept_apart(model: Ask, handler: FlywheelLogHandler, events: list[Event]) -> None:
    model(callbacks=[handler], n=2).generate([[HumanMessage("hi")]])
    (event,) = events
    assert [(one["index"], one["message"]["content"][-10:]) for one in event["response"]["choices"]] == [
        (0, "u said: hi"),
        (1, "(choice 1)"),
    ]


def test_a_batch_gives_one_record_a_call(model: Ask, handler: FlywheelLogHandler, events: list[Event]) -> None:
    model(callbacks=[handler]).batch(["a", "b", "c"])
    asked = [event["request"]["messages"][0]["content"] for event in events]
    assert (sorted(asked), [said(event)["content"][-1] for event in events]) == (["a", "b", "c"], asked)


async def test_concurrent_calls_of_one_handler_are_told_apart(
    amodel: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    one = amodel(callbacks=[handler])
    await asyncio.gather(*(one.ainvoke(f"number {n}") for n in range(20)))
    asked = [event["request"]["messages"][0]["content"] for event in events]
    assert sorted(asked) == sorted(f"number {n}" for n in range(20))
    assert [said(event)["content"].partition("said: ")[2] for event in events] == asked


def test_a_completion_is_recorded_as_one(server: Server, handler: FlywheelLogHandler, events: list[Event]) -> None:
    with openai.DefaultHttpxClient(verify=False) as http:
        OpenAI(model="babbage", base_url=server.url, api_key=KEY, http_client=http, callbacks=[handler]).invoke("Once")
    (event,) = events
    assert (event["surface"], event["request"]["prompt"], event["request"]["model"]) == (
        "completions",
        "Once",
        "babbage",
    )
    assert (event["response"]["object"], event["output_tokens"] > 0) == ("text_completion", True)
    assert event["response"]["choices"][0]["text"].endswith("Once")


def test_a_model_that_says_nothing_of_itself_is_recorded(handler: FlywheelLogHandler, events: list[Event]) -> None:
    FakeListChatModel(responses=["yes"], callbacks=[handler]).invoke("well?")
    (event,) = events
    assert (event["request"], event["usage_source"]) == (
        {"messages": [{"role": "user", "content": "well?"}]},
        "missing",
    )
    assert (event["status"], said(event)) == ("ok", {"role": "assistant", "content": "yes"})


def test_an_answer_out_of_the_cache_is_no_call(model: Ask, handler: FlywheelLogHandler, events: list[Event]) -> None:
    one = model(callbacks=[handler], cache=InMemoryCache())
    assert one.invoke("hi").content == one.invoke("hi").content
    assert len(events) == 1


@pytest.mark.door("langchain", "error")
@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_is_recorded_with_what_went_over_the_wire_and_without_the_key(
    streamed: bool, start: Callable[..., Server], model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    told = {"error": {"message": f"bad key {KEY}", "type": "auth", "code": "invalid_api_key"}}
    one = model(start(lambda _: Reply.json(told, 401, {"x-request-id": "req_1"})), callbacks=[handler])
    with pytest.raises(openai.AuthenticationError):
        _ = list(one.stream("hi")) if streamed else one.invoke("hi")
    (event,) = events
    assert (event["status"], event["training_unsafe"], KEY in str(event)) == ("error", ["error"], False)
    assert {key: event["error"][key] for key in ("status_code", "code", "request_id")} == {
        "status_code": 401,
        "code": "invalid_api_key",
        "request_id": "req_1",
    }
    assert (event["request"]["messages"][0]["content"], event["retries"]) == ("hi", 0)


@pytest.mark.door("langchain", "retries")
def test_each_try_of_a_model_with_retry_is_a_record(
    start: Callable[..., Server], model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    busy = start(lambda received: Reply.json({"error": {"message": "busy"}}, 503) if received.number == 1 else None)
    model(busy, callbacks=[handler]).with_retry(wait_exponential_jitter=False).invoke("hi")
    assert [event["status"] for event in calls(events)] == ["error", "ok"]


@pytest.mark.door("langchain", "retries")
def test_what_the_sdk_tried_again_before_it_failed_is_counted(
    start: Callable[..., Server], model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    busy = start(lambda _: Reply.json({"error": {"message": "busy"}}, 503, {"retry-after-ms": "1"}))
    with pytest.raises(openai.InternalServerError):
        model(busy, callbacks=[handler], max_retries=2).invoke("hi")
    assert [(event["status"], event["retries"]) for event in events] == [("error", 2)]


@pytest.mark.door("langchain", "broken")
def test_a_stream_that_breaks_keeps_what_had_come(
    start: Callable[..., Server], model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    broken = start(streaming(chunk({"role": "assistant", "content": "so far"}), HANG_UP, done=False))
    with pytest.raises(Exception, match=r"(?i:connection)"):
        list(model(broken, callbacks=[handler]).stream("hi"))
    (event,) = events
    assert (event["status"], event["training_unsafe"], said(event)["content"]) == ("error", ["error"], "so far")


@pytest.mark.door("langchain", "left")
def test_a_stream_that_is_left_is_incomplete(model: Ask, handler: FlywheelLogHandler, events: list[Event]) -> None:
    stream = model(callbacks=[handler]).stream("hi")
    taken = [next(stream).content, next(stream).content]
    stream.close()
    (event,) = events
    assert (event["status"], event["training_unsafe"]) == ("incomplete", ["incomplete"])
    assert said(event)["content"] == "".join(taken)


@pytest.mark.door("langchain", "cancelled")
async def test_a_call_that_is_cancelled_is_incomplete(
    start: Callable[..., Server], amodel: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    slow = start(latency=60)
    task = asyncio.create_task(amodel(slow, callbacks=[handler]).ainvoke("hi"))
    await asyncio.to_thread(slow.wait_for, 1, 60.0)
    task.cancel()
    await asyncio.wait([task])
    del task
    gc.collect()
    (event,) = events
    assert (event["status"], event["training_unsafe"], event["workload_id"]) == ("incomplete", ["incomplete"], "chat")
    assert event["request"]["messages"] == [{"role": "user", "content": "hi"}]


@pytest.mark.door("langchain", "left")
async def test_a_stream_that_is_cancelled_is_incomplete(
    start: Callable[..., Server], amodel: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    slow = start(streaming(chunk({"role": "assistant", "content": "so far"}), 60.0, chunk({}, "stop")))
    come = asyncio.Event()

    async def take() -> None:
        async for _ in amodel(slow, callbacks=[handler]).astream("hi"):
            come.set()

    task = asyncio.create_task(take())
    await come.wait()
    task.cancel()
    await asyncio.wait([task])
    (event,) = events
    assert (event["status"], said(event)["content"]) == ("incomplete", "so far")


BROKEN_CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}
UNSAFE: dict[str, dict[str, Any]] = {
    "length": {"message": {"content": "cut"}, "finish_reason": "length"},
    "content_filter": {"message": {"content": ""}, "finish_reason": "content_filter"},
    "refusal": {"message": {"content": None, "refusal": "No."}, "finish_reason": "stop"},
    "invalid_tool_arguments": {
        "message": {"content": None, "tool_calls": [BROKEN_CALL]},
        "finish_reason": "tool_calls",
    },
}


@pytest.mark.door("langchain", "unsafe")
@pytest.mark.parametrize("mark", UNSAFE)
def test_an_answer_that_no_dataset_should_take_says_why(
    mark: str, start: Callable[..., Server], model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    choice = {"index": 0} | UNSAFE[mark] | {"message": {"role": "assistant"} | UNSAFE[mark]["message"]}
    server = start(lambda _: Reply.json({"id": "x", "object": "chat.completion", "model": "m", "choices": [choice]}))
    model(server, callbacks=[handler]).invoke("hi")
    (event,) = events
    assert (event["status"], event["training_unsafe"]) == ("ok", [mark])


def test_what_a_runs_configuration_says_is_stamped(
    model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    metadata = {"user_id": "u1", "thread_id": "t1", "plan": "gold"}
    model(callbacks=[handler]).invoke("hi", config={"tags": ["beta", "seq:step:1"], "metadata": metadata})
    (event,) = events
    assert {key: event.get(key) for key in ("user_id", "session_id", "tags", "metadata")} == {
        "user_id": "u1",
        "session_id": "t1",
        "tags": ["beta"],
        "metadata": {"plan": "gold"},
    }


def test_messages_that_change_while_a_stream_is_read_are_recorded_as_they_were(
    model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    message = HumanMessage([{"type": "text", "text": "before"}, {"type": "image_url", "image_url": {"url": "x"}}])
    for _ in model(callbacks=[handler]).stream([message]):
        message.content[0]["text"] = "after"  # type: ignore[index]
    assert events[0]["request"]["messages"][0]["content"][0]["text"] == "before"


def test_what_anthropics_models_say_has_openais_shape(handler: FlywheelLogHandler, events: list[Event]) -> None:
    from langchain_core.language_models import GenericFakeChatModel

    content: list[Any] = [
        {"type": "thinking", "thinking": "Ulm, hm.", "signature": "s"},
        {"type": "text", "text": "I will look."},
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Ulm"}},
    ]
    usage: Any = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13, "input_token_details": {"cache_read": 5}}
    told = AIMessage(
        content,
        tool_calls=[{"name": "weather", "args": {"city": "Ulm"}, "id": "t1"}],
        usage_metadata=usage,
        response_metadata={"stop_reason": "tool_use", "model_name": "claude"},
    )
    tools = [{"name": "weather", "description": "d", "input_schema": {"type": "object", "properties": {}}}]
    GenericFakeChatModel(messages=iter([told]), callbacks=[handler]).invoke("hi", tools=tools)
    (event,) = events
    function = {"name": "weather", "arguments": '{"city": "Ulm"}'}
    assert event["response"]["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "tool_calls": [{"type": "function", "id": "t1", "function": function}],
                "content": "I will look.",
                "reasoning_content": "Ulm, hm.",
            },
            "finish_reason": "tool_calls",
        }
    ]
    assert (event["input_tokens"], event["output_tokens"], event["cached_tokens"]) == (9, 4, 5)
    assert event["request"]["tools"][0]["function"]["name"] == "weather"


class Awkward:
    """No message, and no result, that anybody can read."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_what_cannot_be_read_is_counted_and_the_call_is_on_record(
    handler: FlywheelLogHandler, events: list[Event]
) -> None:
    from uuid import uuid4

    run = uuid4()
    handler.on_chat_model_start({}, [[Awkward()]], run_id=run)
    handler.on_llm_new_token("x", chunk=Awkward(), run_id=run)
    handler.on_llm_end(Awkward(), run_id=run)  # type: ignore[arg-type]
    (event,) = events
    assert (event["status"], event["training_unsafe"]) == ("incomplete", ["capture_failed"])
    assert set(health.dropped()) == {"langchain"}


def test_nothing_is_recorded_where_recording_is_suppressed(
    model: Ask, handler: FlywheelLogHandler, events: list[Event]
) -> None:
    with flywheel_log.suppress():
        model(callbacks=[handler]).invoke("hi")
    assert events == []
