"""The calls that are measured, and clients whose transport answers them from memory."""

from __future__ import annotations

import base64
import json
import random
import string
from itertools import cycle
from pydoc_data.topics import topics
from typing import Any

import openai

try:
    import httpx2 as http
except ImportError:  # openai 1 and 2
    import httpx as http  # type: ignore[no-redef]

PROSE = " ".join(" ".join(topics.values()).split())
drawn = random.Random(7)


def text(characters: int) -> str:
    """A piece of Python's own manual, each time another: what was seen before is cheaper to look through."""
    begin = drawn.randrange(len(PROSE) - characters)
    return PROSE[begin : begin + characters]


def identity(head: str, length: int) -> str:
    """An id as OpenAI gives it; each is another one, for what is random costs more to look through than words do."""
    return head + "".join(drawn.choices(string.ascii_letters + string.digits, k=length))


def completion(content: str) -> dict[str, Any]:
    return {
        "id": identity("chatcmpl-", 29),
        "object": "chat.completion",
        "created": 1_750_000_000,
        "model": "gpt-4.1-mini",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 20,
            "completion_tokens": 60,
            "total_tokens": 80,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_51e1070cf2",
    }


STREAM_ID = identity("chatcmpl-", 29)


def chunk(choices: list[dict[str, Any]], padding: random.Random, **more: Any) -> bytes:
    """An event as OpenAI sends it, which pads each of them with some letters."""
    body = {
        "id": STREAM_ID,
        "object": "chat.completion.chunk",
        "created": 1_750_000_000,
        "model": "gpt-4.1-mini",
        "service_tier": "default",
        "system_fingerprint": "fp_51e1070cf2",
        "choices": choices,
        **more,
        "obfuscation": "".join(padding.choices(string.ascii_letters, k=padding.randrange(1, 15))),
    }
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def events(**more: Any) -> list[bytes]:
    """A stream of 200 events; *more* is in all but the last, `[DONE]`."""
    words = random.Random(2).choices([*text(900).split(), '"plain"', "é", "\n\n"], k=197)
    deltas = [{"role": "assistant", "content": ""}, *({"content": f"{word} "} for word in words), {}]
    padding = random.Random(3)
    chunks = []
    for delta in deltas:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None if delta else "stop"}
        chunks.append(chunk([choice], padding, **more))
    return [*chunks, b"data: [DONE]\n\n"]


SMALL = cycle([json.dumps(completion(text(300))).encode() for _ in range(500)])
CHUNKS = events()
COUNTED = events(usage=None)  # As a stream is whose token counts were asked for; they stand in one more event.
COUNTED.insert(-1, chunk([], random.Random(4), usage=completion("")["usage"]))
STREAM_IDS = cycle([identity("chatcmpl-", 29).encode() for _ in range(500)])


HEADERS = {
    "date": "Thu, 26 Nov 2026 22:00:00 GMT",
    "connection": "keep-alive",
    "access-control-expose-headers": "X-Request-ID",
    "openai-organization": "user-benchmark",
    "openai-processing-ms": "812",
    "openai-project": "proj_benchmark",
    "openai-version": "2020-10-01",
    "x-envoy-upstream-service-time": "820",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-limit-tokens": "200000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-remaining-tokens": "199950",
    "x-ratelimit-reset-requests": "8.64s",
    "x-ratelimit-reset-tokens": "15ms",
    "x-request-id": "req_4f1c2ab8d6e94c07a5d3b8e61f27c09d",
    "cf-cache-status": "DYNAMIC",
    "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
    "x-content-type-options": "nosniff",
    "server": "cloudflare",
    "cf-ray": "8e8f0benchmark-FRA",
    "alt-svc": 'h3=":443"; ma=86400',
}
"""What OpenAI answers with besides the body."""


class Body(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc]
    """A stream of chunks, each one a read of the network, with an id of its own."""

    def __init__(self, chunks: list[bytes]) -> None:
        own = next(STREAM_IDS)
        self.chunks = [piece.replace(STREAM_ID.encode(), own) for piece in chunks]

    def __iter__(self) -> Any:
        yield from self.chunks

    async def __aiter__(self) -> Any:
        for piece in self.chunks:
            yield piece


def answer(request: Any) -> Any:
    body = request.content.replace(b" ", b"")
    if b'"stream":true' in body:
        chunks = COUNTED if b'"include_usage":true' in body else CHUNKS
        return http.Response(200, headers={**HEADERS, "content-type": "text/event-stream"}, stream=Body(chunks))
    return http.Response(200, headers={**HEADERS, "content-type": "application/json"}, content=next(SMALL))


def sync_client() -> openai.OpenAI:
    return openai.OpenAI(api_key="sk-benchmark", http_client=http.Client(transport=http.MockTransport(answer)))


def async_client() -> openai.AsyncOpenAI:
    transport = http.MockTransport(answer)
    return openai.AsyncOpenAI(api_key="sk-benchmark", http_client=http.AsyncClient(transport=transport))


TOOLS = [
    {
        "type": "function",
        "function": {
            "name": f"tool_{number}",
            "description": text(200),
            "parameters": {
                "type": "object",
                "properties": {f"p{field}": {"type": "string", "description": text(60)} for field in range(6)},
                "required": ["p0"],
            },
        },
    }
    for number in range(8)
]


def hello() -> dict[str, Any]:
    """A question of a hundred characters."""
    question = {"role": "user", "content": text(100)}
    return {
        "model": "gpt-4.1-mini",
        "messages": [{"role": "system", "content": "You are helpful."}, question],
        "temperature": 0.2,
    }


def conversation() -> dict[str, Any]:
    """Twenty turns of two thousand characters, and eight tools."""
    messages = [{"role": ("user", "assistant")[turn % 2], "content": text(2000)} for turn in range(20)]
    return {"model": "gpt-4.1-mini", "messages": messages, "tools": TOOLS}


def picture(kilobytes: int) -> dict[str, Any]:
    """A question about a picture of so many *kilobytes*, which the request has in it."""
    data = base64.b64encode(drawn.randbytes(kilobytes * 1000)).decode()
    parts = [
        {"type": "text", "text": text(100)},
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}},
    ]
    return {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": parts}]}


HELLO = hello()
HELLOS = [hello() for _ in range(500)]
LONG = [conversation() for _ in range(50)]
PICTURES = [picture(100) for _ in range(10)]
