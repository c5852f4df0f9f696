"""LiteLLM's callback: every call is one event in OpenAI's shape, whoever makes it and however it ends."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import litellm
import pytest

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.litellm import FlywheelLogger
from flywheel_log.litellm.answer import without_nulls
from flywheel_log.standin import Reply, Server
from tests.capture.clients import KEY, MESSAGES, SAID

from .conftest import without

pytestmark = pytest.mark.filterwarnings("ignore")  # LiteLLM has many

Recorded = Callable[[int], Awaitable[list[Event]]]
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Ulm"}}],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 11, "output_tokens": 5},
}


@pytest.fixture(autouse=True)
def _registered() -> None:
    litellm.callbacks = [FlywheelLogger("chat", tags=["lite"])]


@pytest.fixture
def asking(server: Server) -> dict[str, Any]:
    return of(server)


def of(server: Server) -> dict[str, Any]:
    given = {"model": "openai/gpt-4.1-mini", "messages": MESSAGES, "api_base": server.url, "api_key": KEY}
    return {**given, "max_retries": 0}


@pytest.mark.door("litellm", "request", "usage")
async def test_a_call_is_an_event_in_openais_shape_with_litellms_price(asking: Any, recorded: Recorded) -> None:
    litellm.completion(**asking, temperature=0.5, user="u42", metadata={"session_id": "s7", "tags": ["beta"], "x": 1})
    (event,) = await recorded(1)
    response = event["response"]
    assert without(event, "response") == {
        "kind": "llm",
        "client_id": "acme",
        "workload_id": "chat",
        "session_id": "s7",
        "user_id": "u42",
        "tags": ["lite", "beta"],
        "surface": "chat.completions",
        "provider": "openai",
        "model": "gpt-4.1-mini",
        "status": "ok",
        "streamed": False,
        "input_tokens": 7,
        "output_tokens": 15,
        "cached_tokens": 0,
        "reasoning_tokens": 0,
        "usage_source": "api",
        "cost_usd": 2.68e-05,
        "request": {"model": "gpt-4.1-mini", "messages": MESSAGES, "temperature": 0.5, "user": "u42"},
    }
    message = {"role": "assistant", "content": SAID}
    assert response["choices"] == [{"index": 0, "message": message, "finish_reason": "stop"}]
    assert (response["object"], response["usage"]["total_tokens"]) == ("chat.completion", 22)


async def test_a_coroutine_and_streams_of_both_kinds_are_one_event_each(asking: Any, recorded: Recorded) -> None:
    await litellm.acompletion(**asking)
    list(litellm.completion(**asking, stream=True))
    async for _ in await litellm.acompletion(**asking, stream=True, stream_options={"include_usage": True}):
        pass
    events = await recorded(3)
    said = [event["response"]["choices"][0]["message"]["content"] for event in events]
    told = sorted((event["streamed"], event["usage_source"], event["status"]) for event in events)
    assert (said, told) == ([SAID] * 3, [(False, "api", "ok"), (True, "api", "ok"), (True, "estimated", "ok")])
    streams = [event for event in events if event["streamed"]]
    assert all(0 <= event["time_to_first_token_ms"] <= event["latency_ms"] for event in streams)
    assert [event["request"]["stream"] for event in streams] == [True, True]


@pytest.mark.door("litellm", "error")
async def test_a_call_that_fails_is_an_error_without_the_key(start: Any, recorded: Recorded) -> None:
    said = {"error": {"message": f"Incorrect API key provided: {KEY}", "type": "invalid_request_error", "code": "bad"}}
    asking = of(start(lambda _: Reply.json(said, 401)))
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion(**asking)
    with pytest.raises(litellm.AuthenticationError):
        await litellm.acompletion(**asking)
    events = await recorded(2)
    assert [(event["status"], event["error"]["type"], event["error"]["status_code"]) for event in events] == [
        ("error", "AuthenticationError", 401)
    ] * 2
    assert KEY not in str(events)


async def test_another_vendors_call_is_told_in_openais_words(start: Any, recorded: Recorded) -> None:
    server = start(lambda _: Reply.json(ANTHROPIC))
    asking = {
        "model": "anthropic/claude-haiku-4-5",
        "api_base": server.url.removesuffix("/v1"),
        "api_key": KEY,
    }
    litellm.completion(**asking, messages=MESSAGES, tools=[WEATHER], max_tokens=50)
    (event,) = await recorded(1)
    (choice,) = event["response"]["choices"]
    call = {"id": "toolu_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}
    assert (event["provider"], event["input_tokens"], event["output_tokens"]) == ("anthropic", 11, 5)
    assert (event["request"]["messages"], event["request"]["tools"]) == (MESSAGES, [WEATHER])
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert [{**one, "index": None} for one in choice["message"]["tool_calls"]] == [{**call, "index": None}]


async def test_embeddings_text_completions_and_responses_are_surfaces_of_their_own(
    asking: Any, recorded: Recorded
) -> None:
    at = {key: asking[key] for key in ("api_base", "api_key")}
    litellm.embedding(model="openai/text-embedding-3-small", input=["a"], **at)
    litellm.text_completion(model="text-completion-openai/gpt-3.5-turbo-instruct", prompt="a", **at)
    litellm.responses(model="openai/gpt-4.1-mini", input="a", **at)
    events = sorted(await recorded(3), key=lambda event: event["surface"])
    assert [(event["usage_source"], event["input_tokens"]) for event in events] == [("api", 1), ("api", 1), ("api", 2)]
    asked = {"completions": "prompt", "embeddings": "input", "responses": "input"}
    assert {event["surface"]: key for event, key in zip(events, asked.values(), strict=True)} == asked
    assert ["a" in str(event["request"][asked[event["surface"]]]) for event in events] == [True] * 3
    assert [event["kind"] for event in events] == ["llm", "embedding", "llm"]


async def test_anthropics_messages_are_recorded_as_a_chat(start: Any, recorded: Recorded) -> None:
    server = start(lambda _: Reply.json(ANTHROPIC))
    at = {"api_base": server.url.removesuffix("/v1"), "api_key": KEY, "max_tokens": 50}
    tools = [{"name": "weather", "input_schema": {"type": "object", "properties": {}}}]
    asking = {"model": "anthropic/claude-haiku-4-5", "messages": MESSAGES, "system": "Be brief.", "tools": tools}
    await litellm.anthropic.messages.acreate(**asking, **at)
    (event,) = await recorded(1)
    assert (event["surface"], event["provider"], event["output_tokens"]) == ("chat.completions", "anthropic", 5)
    assert event["request"]["messages"] == [{"role": "system", "content": "Be brief."}, *MESSAGES]
    assert event["request"]["tools"] == [WEATHER]
    assert event["response"]["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "weather"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_by_an_instrumented_client_is_one_event_with_the_callbacks_fields(
    asking: Any, recorded: Recorded, *, stream: bool
) -> None:
    flywheel_log.instrument()
    answer = litellm.completion(**asking, stream=stream)
    list(answer) if stream else None
    answer = await litellm.acompletion(**asking, stream=stream)
    if stream:
        [_ async for _ in answer]
    litellm.completion(**asking)
    events = await recorded(3)
    # The client knows what only the wire tells: the id of the answer, and how often it was tried.
    assert [(event["workload_id"], event["retries"]) for event in events] == [("chat", 0)] * 3


async def test_what_coroutines_call_by_an_instrumented_client_is_one_event_of_whatever_kind(
    asking: Any, recorded: Recorded
) -> None:
    flywheel_log.instrument()
    at = {key: asking[key] for key in ("api_base", "api_key")}
    for user in ("u1", "u2"):
        named = {**at, "metadata": {"user_id": user}}
        await litellm.aembedding(model="openai/text-embedding-3-small", input=["a"], **named)
        await litellm.atext_completion(model="text-completion-openai/gpt-3.5-turbo-instruct", prompt="a", **named)
    await litellm.acompletion(**asking)
    events = await recorded(5)
    assert [(event["workload_id"], event.get("user_id"), event["retries"]) for event in events] == [
        ("chat", "u1", 0),
        ("chat", "u1", 0),
        ("chat", "u2", 0),
        ("chat", "u2", 0),
        ("chat", None, 0),
    ]


async def test_what_the_consumer_of_a_stream_calls_meanwhile_is_its_own(
    asking: Any, server: Server, recorded: Recorded
) -> None:
    import openai

    client = flywheel_log.instrument(openai.OpenAI(base_url=server.url, api_key=KEY))
    mine = flywheel_log.logged_llm(workload_id="mine")(client.chat.completions.create)
    async for number, _ in aenumerate(await litellm.acompletion(**asking, stream=True)):
        if number == 0:
            mine(model="gpt-4.1-mini", messages=MESSAGES)
    events = await recorded(2)
    assert sorted((event["workload_id"], event["streamed"]) for event in events) == [("chat", True), ("mine", False)]


async def test_a_decorated_function_around_leaves_the_record_to_the_callback(asking: Any, recorded: Recorded) -> None:
    @flywheel_log.logged_llm(user_id="u")
    def ask(**more: Any) -> Any:
        return litellm.completion(**asking, **more)

    @flywheel_log.logged_llm(user_id="u")
    async def ask_later(**more: Any) -> Any:
        return await litellm.acompletion(**asking, **more)

    ask()
    list(ask(stream=True))
    await ask_later()
    [chunk async for chunk in await ask_later(stream=True)]
    asked = [(event["workload_id"], event["user_id"], event["provider"]) for event in await recorded(4)]
    assert asked == [("chat", "u", "openai")] * 4


async def aenumerate(stream: Any) -> Any:
    number = 0
    async for item in stream:
        yield number, item
        number += 1


@pytest.mark.door("litellm", "left")
async def test_a_stream_that_is_left_is_incomplete(asking: Any, events: list[Event], recorded: Recorded) -> None:
    stream = litellm.completion(**asking, stream=True)
    next(stream)
    del stream
    deadline = time.monotonic() + 90
    while not events and time.monotonic() < deadline:  # LiteLLM's own threads still hold it for a while.
        gc.collect()
        await asyncio.sleep(0.01)
    (event,) = await recorded(1)
    assert (event["status"], event["training_unsafe"]) == ("incomplete", ["incomplete"])
    assert (event["streamed"], "time_to_first_token_ms" in event) == (True, False)


def test_fields_of_a_vendor_that_say_nothing_are_left_out() -> None:
    message = {"role": "assistant", "content": None, "provider_specific_fields": {"refusal": None}}
    assert without_nulls({"choices": [{"message": message}]}) == {
        "choices": [{"message": {"role": "assistant", "content": None}}]
    }


class Odd:
    def __bool__(self) -> bool:
        raise AttributeError


@pytest.mark.parametrize("times", [(datetime.now(UTC), datetime.now(UTC)), ("not", "what they were")])
def test_what_a_release_tells_in_other_words_is_still_one_record(times: tuple[Any, Any], events: list[Event]) -> None:
    logger, told = FlywheelLogger("chat"), {"call_type": "completion"}
    logger.log_pre_api_call("gpt-4.1-mini", MESSAGES, told)
    logger.log_success_event(told, {"choices": {"content": Odd()}}, *times)
    assert [event["status"] for event in events] == ["incomplete"]


@pytest.mark.door("litellm", "retries")
async def test_attempts_of_a_router_are_events_and_the_last_knows_of_them(start: Any, recorded: Recorded) -> None:
    failures = [500]
    server = start(lambda _: Reply.json({"error": {"message": "no"}}, failures.pop()) if failures else None)
    given = {key: value for key, value in of(server).items() if key != "messages"}
    router = litellm.Router([{"model_name": "fast", "litellm_params": given}], num_retries=1, retry_after=0)
    await router.acompletion(model="fast", messages=MESSAGES)
    events = await recorded(2)
    assert [(event["status"], event.get("retries")) for event in events] == [("error", None), ("ok", 1)]


async def test_an_answer_from_the_cache_is_no_call(asking: Any, recorded: Recorded) -> None:
    litellm.cache = litellm.Cache()
    try:
        for _ in range(2):
            litellm.completion(**asking, caching=True)
        litellm.completion(**asking, temperature=1, caching=True)
    finally:
        litellm.cache = None
    assert [event["request"].get("temperature") for event in await recorded(2)] == [None, 1]


async def test_fields_in_force_are_the_callers_and_suppress_holds(asking: Any, recorded: Recorded) -> None:
    with flywheel_log.suppress():
        await litellm.acompletion(**asking)
    with flywheel_log.trace("answer", user_id="u1"):
        await litellm.acompletion(**asking)
    call, step = sorted(await recorded(2), key=lambda event: event["kind"])
    assert (call["user_id"], call["parent_id"], call["trace_id"]) == ("u1", step["span_id"], step["trace_id"])
