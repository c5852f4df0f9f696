"""One script, two clients: what a caller sees of Anthropic's, Groq's and OpenAI's SDKs is the same with recording."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import anthropic
import groq
import openai
import pydantic
import pytest

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.standin import HANG_UP, Reply, Server
from tests.capture.clients import HELLO, KEY, MESSAGES, bare, chat, chunk, seen, sent

Way = Callable[[Any], Any]
Script = Callable[[Any], Reply | None]
CLAUDE: dict[str, Any] = {"model": "claude", "max_tokens": 99, "messages": MESSAGES}
ASK: dict[str, Any] = {"model": "m", "input": "hi"}


class Answer(pydantic.BaseModel):
    answer: str


def _as_it_is(_: Any) -> None:
    return None


def _cut(received: Any) -> Reply:
    """A stream that breaks off in the middle of an event, of a character and of the connection."""
    first = {"type": "response.output_text.delta", "delta": "ü", **chunk({"content": "ü"})}
    return Reply.events([f"data: {json.dumps(first, ensure_ascii=False)}\n\n".encode(), b'data: {"x": "\xc3', HANG_UP])


def _strange(received: Any) -> Reply:
    """What standards allow: comments, carriage returns, pings, data over several lines, an end without a blank line."""
    if b'"stream"' not in received.body:
        return Reply(200, {"content-type": "application/json"}, b'{"id": null, "choices": null, "usage": null}')
    whole = json.dumps(chunk({"content": "x"})).replace(', "created"', ',\ndata: "created"')
    return Reply.events(
        [b": hello\r\n\r\n", b"event: ping\r\ndata: {}\r\n\r\n", f"data: {whole}\n\n".encode(), b"data: [DONE]"]
    )


def _nonsense(_: Any) -> Reply:
    return Reply(200, {"content-type": "application/json"}, b"{not json")


def _page(_: Any) -> Reply:
    return Reply(502, {"content-type": "text/html"}, b"<html>bad gateway</html>")


def _refused(_: Any) -> Reply:
    return Reply.json({"type": "error", "error": {"type": "rate_limit_error", "message": KEY}}, 429)


def _failing(_: Any) -> Reply:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    frame = f"event: error\ndata: {json.dumps(error)}\n\n".encode()
    return Reply.events([chunk({"content": "x"}), frame])


def _hung_up(_: Any) -> Reply:
    return Reply.events([HANG_UP])


SCRIPTS: dict[str, Script] = {
    "as it is": _as_it_is,
    "cut": _cut,
    "strange": _strange,
    "nonsense": _nonsense,
    "page": _page,
    "refused": _refused,
    "failing": _failing,
    "hung up": _hung_up,
}


def outcome(way: Way, client: Any) -> Any:
    """What *way* sees with *client*: every value in order, and the exception it ends with."""
    values: list[Any] = []
    try:
        result = way(client)
        if isinstance(result, Iterator):
            for value in result:
                values.append(told(value))  # noqa: PERF401 - what came before an exception counts, too
        else:
            values.append(told(result))
    except Exception as error:  # noqa: BLE001 - it is compared
        values.append(seen(error))
    return values


def told(value: Any) -> Any:
    """*value* as plain values; events of helpers that are no models are told by their type and fields."""
    if hasattr(value, "model_dump") or isinstance(value, (str, bytes, int, float, BaseException)) or value is None:
        return seen(value)
    if isinstance(value, (list, tuple)):
        return [told(one) for one in value]
    return type(value).__name__, repr(value)


def streamed(create: Way, **ask: Any) -> Way:
    def way(client: Any) -> Iterator[Any]:
        with create(client)(**ask, stream=True) as stream:
            yield type(stream).__name__
            yield stream.response.status_code
            yield from stream

    return way


def helped(stream: Way, last: str, **ask: Any) -> Way:
    def way(client: Any) -> Iterator[Any]:
        with stream(client)(**ask) as events:
            yield type(events).__name__
            yield from events
            yield getattr(events, last)()

    return way


def raw(resource: Way, *, stream: bool = False, **ask: Any) -> Way:
    def way(client: Any) -> Iterator[Any]:
        response = resource(client).with_raw_response.create(**ask, **({"stream": True} if stream else {}))
        yield type(response).__name__
        yield response.status_code
        yield sorted(set(response.headers) - {"date"})
        if stream:
            yield from response.parse()
        else:
            yield response.parse()
            yield response.text if isinstance(response.text, str) else response.text()

    return way


def streaming(resource: Way, read: Way, *, stream: bool = False, **ask: Any) -> Way:
    def way(client: Any) -> Iterator[Any]:
        call = resource(client).with_streaming_response.create
        with call(**ask, **({"stream": True} if stream else {})) as response:
            yield type(response).__name__
            yield response.status_code
            yield from read(response)

    return way


def ways_of(resource: Way, **ask: Any) -> dict[str, Way]:
    """The ways that the resources of all SDKs of this make have."""

    def create(client: Any) -> Any:
        return resource(client).create

    return {
        "create": lambda client: create(client)(**ask),
        "stream": streamed(create, **ask),
        "raw": raw(resource, **ask),
        "raw stream": raw(resource, **ask, stream=True),
        "streaming response": streaming(resource, lambda response: iter([response.read(), response.parse()]), **ask),
        "bytes": streaming(resource, lambda response: iter([b"".join(response.iter_bytes())]), stream=True, **ask),
        "sized bytes": streaming(resource, lambda response: response.iter_bytes(11), stream=True, **ask),
        "lines": streaming(resource, lambda response: response.iter_lines(), stream=True, **ask),
        "text": streaming(resource, lambda response: iter(["".join(response.iter_text())]), stream=True, **ask),
        "parsed": streaming(resource, lambda response: response.parse(), stream=True, **ask),
    }


def _messages(client: Any) -> Any:
    return client.messages


def _chat(client: Any) -> Any:
    return client.chat.completions


def _responses(client: Any) -> Any:
    return client.responses


def claude(server: Server, cls: Any = anthropic.Anthropic) -> Any:
    http = anthropic.DefaultAsyncHttpxClient if "Async" in cls.__name__ else anthropic.DefaultHttpxClient
    return _of(server, cls, http)


def groq_of(server: Server, cls: Any = groq.Groq) -> Any:
    return _of(server, cls, groq.DefaultAsyncHttpxClient if "Async" in cls.__name__ else groq.DefaultHttpxClient)


def _of(server: Server, cls: Any, http: Any) -> Any:
    return cls(base_url=server.url.removesuffix("/v1"), api_key=KEY, max_retries=0, http_client=http(verify=False))


ANTHROPIC = ways_of(_messages, **CLAUDE) | {
    "helper": helped(lambda client: client.messages.stream, "get_final_message", **CLAUDE),
    "count tokens": lambda client: client.messages.count_tokens(model="claude", messages=MESSAGES),
}
CHAT = ways_of(_chat, **HELLO) | {
    "helper": helped(lambda client: chat(client).stream, "get_final_completion", **HELLO),
    "helper of a class": helped(
        lambda client: chat(client).stream, "get_final_completion", **HELLO, response_format=Answer
    ),
}
RESPONSES = ways_of(_responses, **ASK) | {
    "parse": lambda client: client.responses.parse(**ASK, text_format=Answer),
    "helper": helped(lambda client: client.responses.stream, "get_final_response", **ASK),
    "helper of a class": helped(
        lambda client: client.responses.stream, "get_final_response", **ASK, text_format=Answer
    ),
    "background": lambda client: client.responses.create(**ASK, extra_body={"background": True}),
    "retrieve": lambda client: client.responses.retrieve("resp_1"),
    "cancel": lambda client: client.responses.cancel("resp_1"),
    "delete": lambda client: client.responses.delete("resp_1"),
}
DOORS: dict[str, tuple[Callable[[Server], Any], dict[str, Way]]] = {
    "anthropic": (claude, ANTHROPIC),
    "groq": (groq_of, ways_of(_chat, **HELLO)),
    "chat": (bare, CHAT),
}
if find_spec("openai.resources.responses"):
    known = hasattr(import_module("openai.resources.responses").Responses, "stream")
    DOORS["responses"] = (bare, {way: RESPONSES[way] for way in RESPONSES if known or "helper" not in way})
NO_CALLS = {"count tokens", "retrieve", "cancel", "delete"}


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(("door", "way"), [(door, way) for door in DOORS for way in DOORS[door][1]])
def test_a_caller_sees_the_same_with_and_without_recording(
    door: str, way: str, script: str, start: Callable[..., Server], events: list[Event]
) -> None:
    make, ways = DOORS[door]
    alone, watched = start(SCRIPTS[script]), start(SCRIPTS[script])
    with make(alone) as one, flywheel_log.instrument(make(watched)) as other:
        assert outcome(ways[way], other) == outcome(ways[way], one)
    assert sent(watched) == sent(alone)
    assert len(events) == (way not in NO_CALLS)


CANCELLED: dict[str, tuple[Callable[[Server], Any], Way]] = {
    "anthropic": (lambda server: claude(server, anthropic.AsyncAnthropic), lambda one: one.messages.create(**CLAUDE)),
    "groq": (lambda server: groq_of(server, groq.AsyncGroq), lambda one: one.chat.completions.create(**HELLO)),
    "chat": (lambda server: bare(server, openai.AsyncOpenAI), lambda one: one.chat.completions.create(**HELLO)),
    "responses": (lambda server: bare(server, openai.AsyncOpenAI), lambda one: one.responses.create(**ASK)),
}


@pytest.mark.parametrize("door", sorted(CANCELLED.keys() & DOORS.keys()))
async def test_a_cancelled_call_ends_as_it_does_without_recording(
    door: str, start: Callable[..., Server], events: list[Event]
) -> None:
    make, way = CANCELLED[door]
    ends = []
    for watch in (False, True):
        server = start(latency=60)
        async with make(server) as client:
            task = asyncio.ensure_future(way(flywheel_log.instrument(client) if watch else client))
            await asyncio.to_thread(server.wait_for, 1, 60.0)
            task.cancel("enough")
            with pytest.raises(asyncio.CancelledError) as ended:
                await task
        ends.append((seen(ended.value), task.cancelled()))
    assert ends[1] == ends[0]
    assert [event["status"] for event in events] == ["incomplete"]
