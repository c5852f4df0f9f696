"""SDKs made the same way as OpenAI's: their calls and streams are recorded with the right counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anthropic
import groq
import pytest

import flywheel_log
from flywheel_log.event import Event
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


def groq_client(server: Server) -> Any:
    return groq.Groq(base_url=server.url.removesuffix("/v1"), api_key=KEY, max_retries=0)


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
