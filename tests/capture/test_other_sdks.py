"""SDKs made the same way as OpenAI's: their calls and streams are recorded with the right counts."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import groq
import pytest

import flywheel_log
from flywheel_log.event import Event, from_document, to_document
from flywheel_log.standin import Reply, Server
from tests.capture.clients import KEY, MESSAGES, chunk, seen, streaming

USAGE = {"input_tokens": 10, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 5, "output_tokens": 1}
MESSAGE = {"id": "msg", "type": "message", "role": "assistant", "model": "claude", "content": [], "usage": USAGE}
WHOLE = MESSAGE | {
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "usage": USAGE | {"output_tokens": 7},
}
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": MESSAGE | {"stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    },
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": " 1}"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}},
    {"type": "message_stop"},
]


FRAMES = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in EVENTS]


def script(received: Any) -> Reply:
    return Reply.events(FRAMES) if received.json().get("stream") else Reply.json(WHOLE)


def claude(server: Server, cls: type[Any] = anthropic.Anthropic) -> Any:
    return cls(base_url=server.url.removesuffix("/v1"), api_key=KEY, max_retries=0)


ASK: dict[str, Any] = {"model": "claude", "max_tokens": 9, "messages": MESSAGES}
COUNTS = {"input_tokens": 17, "output_tokens": 7, "cached_tokens": 5}


def counts(event: Event) -> Any:
    return {key: event.get(key) for key in COUNTS}


@pytest.mark.door("anthropic", "request", "usage")
def test_a_message_of_anthropic_is_recorded(start: Callable[..., Server], events: list[Event]) -> None:
    with claude(start(script)) as one, flywheel_log.instrument(claude(start(script))) as other:
        assert seen(other.messages.create(**ASK)) == seen(one.messages.create(**ASK))
    (event,) = events
    assert (event["provider"], event["surface"], event["status"], event["response"]) == (
        "anthropic",
        "messages",
        "ok",
        WHOLE,
    )
    assert (counts(event), event["request"]) == (COUNTS, ASK)


@pytest.mark.door("anthropic", "tools", "usage")
def test_a_stream_of_anthropic_is_recorded(start: Callable[..., Server], events: list[Event]) -> None:
    with claude(start(script)) as one, flywheel_log.instrument(claude(start(script))) as other:
        taken = [seen(list(client.messages.create(**ASK, stream=True))) for client in (one, other)]
    assert taken[1] == taken[0]
    (event,) = events
    assert event["response"]["content"] == [
        {"type": "text", "text": "Hello"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
    ]
    assert (event["status"], event["response"]["stop_reason"], counts(event)) == ("ok", "tool_use", COUNTS)


def test_the_stream_helper_of_anthropic_is_recorded(start: Callable[..., Server], events: list[Event]) -> None:
    with (
        flywheel_log.instrument(claude(start(script))) as client,
        client.messages.stream(**ASK) as stream,
    ):
        assert "".join(stream.text_stream) == "Hello"
    assert [(event["status"], counts(event)) for event in events] == [("ok", COUNTS)]


async def test_async_streams_of_anthropic_are_recorded(start: Callable[..., Server], events: list[Event]) -> None:
    async with flywheel_log.instrument(claude(start(script), anthropic.AsyncAnthropic)) as client:
        async with client.messages.stream(**ASK) as stream:
            said = [text async for text in stream.text_stream]
        await client.messages.create(**ASK)
    assert said == ["Hel", "lo"]
    assert [(event["status"], counts(event)) for event in events] == [("ok", COUNTS)] * 2


@pytest.mark.door("anthropic", "error")
def test_an_error_of_anthropic_is_recorded_without_its_key(start: Callable[..., Server], events: list[Event]) -> None:
    def refuse(_: Any) -> Reply:
        told = {"type": "authentication_error", "message": f"invalid {KEY}"}
        return Reply.json({"type": "error", "error": told}, 401, {"request-id": "req_a"})

    with (
        flywheel_log.instrument(claude(start(refuse))) as client,
        pytest.raises(anthropic.AuthenticationError, match=KEY),
    ):
        client.messages.create(**ASK)
    (event,) = events
    assert (event["status"], event["error"]["status_code"], KEY in str(event)) == ("error", 401, False)


CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: list[Any] = [{"name": "weather", "description": "Looks.", "input_schema": CITY}]
WEATHER = {"type": "function", "function": {"name": "weather", "description": "Looks.", "parameters": CITY}}
SAID = "This is the stand-in, not a model. You said: hi"


def test_a_tool_of_anthropic_is_used_and_reads_as_one_of_a_chat(
    start: Callable[..., Server], events: list[Event]
) -> None:
    with flywheel_log.instrument(claude(start())) as client:
        first = client.messages.create(**ASK | {"max_tokens": 99}, system="Be brief.", tools=TOOLS)
        (call,) = first.content
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "dry"}
        history = [*MESSAGES, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        client.messages.create(**ASK | {"max_tokens": 99, "messages": history}, system="Be brief.", tools=TOOLS)
    documents = [to_document(event) for event in events]
    called = {"id": call.id, "type": "function", "function": {"name": "weather", "arguments": '{"city":"hi"}'}}
    assert documents[0]["response"]["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": None, "tool_calls": [called]},
            "finish_reason": "tool_calls",
        }
    ]
    assert documents[1]["request"] == {
        "model": "claude",
        "max_tokens": 99,
        "messages": [
            {"role": "system", "content": "Be brief."},
            *MESSAGES,
            {"role": "assistant", "content": None, "tool_calls": [called]},
            {"role": "tool", "tool_call_id": call.id, "content": "dry"},
        ],
        "tools": [WEATHER],
    }
    assert documents[1]["response"]["choices"][0]["message"] == {"role": "assistant", "content": SAID}
    assert documents[1]["response"]["usage"]["total_tokens"] == events[1]["input_tokens"] + events[1]["output_tokens"]
    assert [from_document(one) for one in documents] == events


@pytest.mark.door("anthropic", "parts")
def test_what_claude_thinks_is_recorded_and_stays_out_of_the_chat(
    start: Callable[..., Server], events: list[Event]
) -> None:
    deltas = [
        {"type": "thinking_delta", "thinking": "Hm"},
        {"type": "thinking_delta", "thinking": "."},
        {"type": "signature_delta", "signature": "c2ln"},
    ]
    block = {"type": "thinking", "thinking": "", "signature": ""}
    thought: list[dict[str, Any]] = [
        EVENTS[0],
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]
    frames = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in thought]
    thinking = {"type": "enabled", "budget_tokens": 1024}
    with (
        flywheel_log.instrument(claude(start(lambda _: Reply.events(frames)))) as client,
        client.messages.stream(**ASK, thinking=thinking) as stream,
    ):
        final = stream.get_final_message()
    (event,) = events
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert event["response"]["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "text", "text": "Hello"},
    ]
    assert (event["request"]["thinking"], counts(event)) == (thinking, COUNTS)
    assert to_document(event)["response"]["choices"][0]["message"] == {"role": "assistant", "content": "Hello"}


def test_raw_and_streaming_responses_of_anthropic_are_recorded(
    start: Callable[..., Server], events: list[Event]
) -> None:
    with flywheel_log.instrument(claude(start())) as client:
        raw = client.messages.with_raw_response.create(**ASK | {"max_tokens": 99})
        assert (raw.parse().content[0].text, raw.headers["x-request-id"]) == (SAID, "req_standin_1")
        with client.messages.with_streaming_response.create(**ASK | {"max_tokens": 99}) as streaming_response:
            assert json.loads(streaming_response.read())["content"][0]["text"] == SAID
        list(client.with_options(timeout=9).messages.create(**ASK, stream=True))
    assert [(event["status"], event["streamed"], event.get("training_unsafe")) for event in events] == [
        ("ok", False, None),
        ("ok", False, None),
        ("ok", True, ["length"]),
    ]


@pytest.mark.door("anthropic", "broken", "left", "unread")
def test_a_stream_of_anthropic_that_ends_badly_keeps_what_was_said(
    start: Callable[..., Server], events: list[Event]
) -> None:
    with flywheel_log.instrument(claude(start())) as client:
        with pytest.raises(anthropic.APIStatusError, match="asked to break off"):
            list(client.messages.create(**ASK | {"model": "error-mid-stream"}, stream=True))
        left = client.messages.create(**ASK, stream=True)
        for event in left:
            if event.type == "content_block_delta":
                break
        left.close()
        client.messages.create(**ASK, stream=True).close()
    texts = [event.get("response", {}).get("content", [{}]) for event in events]
    assert [(event["status"], event["training_unsafe"]) for event in events] == [
        ("error", ["error"]),
        ("incomplete", ["incomplete"]),
        ("incomplete", ["incomplete"]),
    ]
    assert (events[0]["error"]["type"], texts[0][0]["text"], texts[1][0]["text"]) == (
        "overloaded_error",
        "This is the",
        "This",
    )


@pytest.mark.door("anthropic", "retries")
def test_retries_of_anthropic_are_counted(start: Callable[..., Server], events: list[Event]) -> None:
    def busy_at_first(received: Any) -> Reply | None:
        return Reply.json({"type": "error"}, 529, {"retry-after-ms": "1"}) if received.number < 3 else None

    with flywheel_log.instrument(claude(start(busy_at_first)).with_options(max_retries=3)) as client:
        client.messages.create(**ASK)
    assert [(event["status"], event["retries"]) for event in events] == [("ok", 2)]


@pytest.mark.door("anthropic", "cancelled")
async def test_a_cancelled_call_of_anthropic_is_incomplete(start: Callable[..., Server], events: list[Event]) -> None:
    server = start(latency=60)
    async with flywheel_log.instrument(claude(server, anthropic.AsyncAnthropic)) as client:
        task = asyncio.create_task(client.messages.create(**ASK))
        await asyncio.to_thread(server.wait_for, 1, 60.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [(event["status"], event["request"], "response" in event) for event in events] == [
        ("incomplete", ASK, False)
    ]


def test_claude_on_vertex_is_another_provider(start: Callable[..., Server], events: list[Event]) -> None:
    frames = iter((Reply.json(WHOLE), Reply.events(FRAMES)))
    server = start(lambda _: next(frames))
    with flywheel_log.instrument(
        anthropic.AnthropicVertex(project_id="p", region="r", access_token="ya29.a-token", base_url=server.url)
    ) as client:
        client.messages.create(**ASK)
        list(client.messages.create(**ASK, stream=True))
    assert [(one["provider"], one["surface"], one["model"], one["status"], counts(one)) for one in events] == [
        ("gcp.vertex_ai", "messages", "claude", "ok", COUNTS)
    ] * 2
    assert events[0]["request"].keys() == {"max_tokens", "messages", "anthropic_version"}
    assert to_document(events[0])["request"]["model"] == "claude"


def test_without_a_client_those_of_the_neighbours_are_recorded_too(
    start: Callable[..., Server], events: list[Event]
) -> None:
    with claude(start()) as client, groq_client(start()) as other:
        flywheel_log.instrument()
        client.messages.create(**ASK)
        other.chat.completions.create(model="m", messages=MESSAGES)
        flywheel_log.uninstrument()
        client.messages.create(**ASK)
    assert [event["provider"] for event in events] == ["anthropic", "groq"]


IMPORTED_LATER = """
import sys, flywheel_log
from flywheel_log import standin
from flywheel_log.testing import recording
with standin.serve() as server, recording(sinks=[]) as events:
    flywheel_log.instrument(workload_id="everyone")
    print(sorted({"anthropic", "groq", "google.genai"} & set(sys.modules)))
    from anthropic import Anthropic
    with Anthropic(base_url=server.url.removesuffix("/v1"), api_key="k") as client:
        ask = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        client.messages.create(**ask)
        flywheel_log.uninstrument()
        client.messages.create(**ask)
        import groq
        print([(event["provider"], event["workload_id"]) for event in events])
        print(type(vars(groq.Groq.__mro__[1])["request"]).__name__)
"""


def test_those_of_the_neighbours_are_recorded_that_are_imported_later(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED_LATER], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.stdout.splitlines(), done.stderr) == (["[]", "[('anthropic', 'everyone')]", "function"], "")


def groq_client(server: Server) -> Any:
    return groq.Groq(base_url=server.url.removesuffix("/v1"), api_key=KEY, max_retries=0)


@pytest.mark.door("groq", "usage")
def test_calls_and_streams_of_groq_are_recorded(start: Callable[..., Server], events: list[Event]) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    whole = streaming(chunk({"content": "hi"}), chunk({}, "stop", x_groq={"id": "r", "usage": usage}))

    def answer(received: Any) -> Reply | None:
        reply: Reply | None = whole(received) if received.json().get("stream") else None
        return reply

    servers = [start(answer), start(answer)]
    with groq_client(servers[0]) as one, flywheel_log.instrument(groq_client(servers[1])) as other:
        taken = [
            [
                seen(client.chat.completions.create(model="m", messages=MESSAGES)),
                seen(list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))),
            ]
            for client in (one, other)
        ]
    assert taken[1] == taken[0]
    assert [
        (event["provider"], event["status"], event["input_tokens"], event["output_tokens"]) for event in events
    ] == [
        ("groq", "ok", 7, 15),
        ("groq", "ok", 3, 2),
    ]


@pytest.mark.door("groq", "tools", "parts", "usage")
def test_tools_cached_tokens_and_reasoning_of_groq_are_recorded(
    start: Callable[..., Server], events: list[Event]
) -> None:
    calls = [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city"'}}]
    more = [{"index": 0, "function": {"arguments": ': "Ulm"}'}}]
    usage = {"prompt_tokens": 30, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 20}}
    usage |= {"total_tokens": 39, "completion_tokens_details": {"reasoning_tokens": 4}}
    items = [
        chunk({"role": "assistant", "reasoning": "Hm"}),
        chunk({"reasoning": "."}),
        chunk({"tool_calls": calls}),
        chunk({"tool_calls": more}),
        chunk({}, "tool_calls", x_groq={"id": "r", "usage": usage}),
    ]
    with flywheel_log.instrument(groq_client(start(streaming(*items)))) as client:
        list(client.chat.completions.create(model="m", messages=MESSAGES, tools=[WEATHER], stream=True))
    (event,) = events
    assert event["response"]["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "reasoning": "Hm.",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city": "Ulm"}'},
                    }
                ],
            },
            "finish_reason": "tool_calls",
        }
    ]
    assert {key: value for key, value in event.items() if key.endswith("_tokens")} == {
        "input_tokens": 30,
        "output_tokens": 9,
        "cached_tokens": 20,
        "reasoning_tokens": 4,
    }


@pytest.mark.door("groq", "error", "left")
async def test_asynchronous_calls_errors_and_raw_responses_of_groq_are_recorded(
    start: Callable[..., Server], events: list[Event]
) -> None:
    base_url = start().url.removesuffix("/v1")
    client = flywheel_log.instrument(groq.AsyncGroq(base_url=base_url, api_key=KEY, max_retries=0))
    async with client:
        raw = await client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES)
        assert (await raw.parse()).choices[0].message.content == SAID
        with pytest.raises(groq.RateLimitError):
            await client.chat.completions.create(model="error-429", messages=MESSAGES)
        stream = await client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        async for _ in stream:
            break
        await stream.close()
    assert [(event["status"], event["provider"], event.get("error", {}).get("status_code")) for event in events] == [
        ("ok", "groq", None),
        ("error", "groq", 429),
        ("incomplete", "groq", None),
    ]
