"""Claude on Bedrock, whose streams are Amazon's frames: read by the real SDK and botocore, recorded as on Anthropic."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from binascii import crc32
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest

import flywheel_log
from flywheel_log.capture.streams import amazon
from flywheel_log.event import Event, to_document
from flywheel_log.standin import Reply, Server

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
ASK: dict[str, Any] = {"model": MODEL, "max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]}
USAGE = {"input_tokens": 10, "output_tokens": 1}
BEGUN = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": [], "usage": USAGE}
BEGIN: list[dict[str, Any]] = [
    {"type": "message_start", "message": BEGUN | {"stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
]
END: list[dict[str, Any]] = [
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
    {"type": "message_stop"},
]


def framed(payload: bytes, **headers: str) -> bytes:
    """A frame as Amazon documents it."""
    names = {f":{name.replace('_', '-')}": value for name, value in headers.items()}
    head = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in names.items()
    )
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    message = prelude + struct.pack("!I", crc32(prelude)) + head + payload
    return message + struct.pack("!I", crc32(message))


def chunk(event: dict[str, Any]) -> bytes:
    wrapped = json.dumps({"bytes": b64encode(json.dumps(event).encode()).decode()}).encode()
    return framed(wrapped, message_type="event", event_type="chunk", content_type="application/json")


def exception(message: str) -> bytes:
    payload = json.dumps({"message": message}).encode()
    return framed(payload, message_type="exception", exception_type="throttlingException")


@pytest.fixture
def claude(start: Callable[..., Server], events: list[Event]) -> Iterator[Callable[..., Any]]:
    """Make an instrumented client of a stand-in that streams the given frames."""
    made = []

    def make(*frames: bytes, cls: type[Any] = anthropic.AnthropicBedrock) -> Any:
        headers = {"content-type": "application/vnd.amazon.eventstream"}
        server = start(lambda _: Reply(200, headers, iter(frames)))
        client = cls(aws_region="eu-west-1", api_key="bedrock-key-of-the-test", base_url=server.url, max_retries=0)
        made.append(flywheel_log.instrument(client))
        return client

    yield make
    for client in made:
        if isinstance(client, anthropic.AnthropicBedrock):
            client.close()


def test_a_stream_is_put_together_from_its_frames(claude: Callable[..., Any], events: list[Event]) -> None:
    client = claude(*map(chunk, BEGIN + END))
    with client.messages.stream(**ASK) as stream:
        assert "".join(stream.text_stream) == "Hello"
    (event,) = events
    assert (event["provider"], event["model"], event["status"], event["streamed"], event["output_tokens"]) == (
        "aws.bedrock",
        MODEL,
        "ok",
        True,
        7,
    )
    assert event["request"].keys() == {"max_tokens", "messages", "anthropic_version"}
    assert event["response"] == BEGUN | {
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 7},
    }
    document = to_document(event)
    assert (document["request"]["model"], document["response"]["choices"][0]["message"]["content"]) == (MODEL, "Hello")


async def test_asynchronous_streams_are_recorded(claude: Callable[..., Any], events: list[Event]) -> None:
    async with claude(*map(chunk, BEGIN + END), cls=anthropic.AsyncAnthropicBedrock) as client:
        kinds = [one.type async for one in await client.messages.create(**ASK, stream=True)]
    assert (kinds[0], [event["status"] for event in events]) == ("message_start", ["ok"])


def test_a_stream_left_early_is_incomplete(claude: Callable[..., Any], events: list[Event]) -> None:
    client = claude(*map(chunk, BEGIN), chunk(END[0])[:-9])
    list(client.messages.create(**ASK, stream=True))
    (event,) = events
    assert (event["status"], event["response"]["content"]) == ("incomplete", [{"type": "text", "text": "Hel"}])


def test_an_exception_in_a_stream_is_an_error_with_what_was_said(
    claude: Callable[..., Any], events: list[Event]
) -> None:
    client = claude(*map(chunk, BEGIN), exception("Slow down."))
    with pytest.raises(anthropic.APIStatusError, match=r"Slow down\."):
        list(client.messages.create(**ASK, stream=True))
    (event,) = events
    assert (event["status"], event["error"], event["response"]["content"]) == (
        "error",
        {"type": "throttlingException", "message": "Slow down.", "request_id": "req_standin_1"},
        [{"type": "text", "text": "Hel"}],
    )


@pytest.mark.parametrize(
    "raw", [b"", b"<html>no frames at all</html>", b"\0" * 40, framed(b"no JSON"), framed(b"[]")[:9]]
)
def test_what_is_no_frame_has_no_payload(raw: bytes) -> None:
    assert amazon.payloads(raw) == []
