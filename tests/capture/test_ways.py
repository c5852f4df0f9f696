"""Every way to make a call with the SDK: the caller gets what a bare client gives, the server the same request."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import openai
import pydantic
import pytest

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.standin import Server
from tests.capture.clients import HELLO, KEY, MESSAGES, bare, chat, recorded, seen, sent

Way = Callable[[Any], Any]


class Answer(pydantic.BaseModel):
    answer: str


def streamed(client: Any) -> Any:
    stream = client.chat.completions.create(**HELLO, stream=True)
    return isinstance(stream, openai.Stream), stream.response.status_code, list(stream)


def by_next(client: Any) -> Any:
    stream = client.chat.completions.create(**HELLO, stream=True, n=2)
    return [next(stream), next(stream), *stream]


def in_a_block(client: Any) -> Any:
    with client.chat.completions.create(**HELLO, stream=True) as stream:
        return list(stream)


def helped(client: Any) -> Any:
    with chat(client).stream(**HELLO) as stream:
        return [event.type for event in stream], stream.get_final_completion()


def raw(client: Any) -> Any:
    response = client.chat.completions.with_raw_response.create(**HELLO)
    return type(response).__name__, response.status_code, response.text, response.parse(), response.parse()


def raw_stream(client: Any) -> Any:
    response = client.chat.completions.with_raw_response.create(**HELLO, stream=True)
    return type(response).__name__, list(response.parse())


def reading(read: Callable[[Any], Any], **options: Any) -> Way:
    def way(client: Any) -> Any:
        with client.chat.completions.with_streaming_response.create(**HELLO, **options) as response:
            return type(response).__name__, read(response)

    return way


# What openai 1.40 did not know yet goes there as a further part of the body.
_KNOWN = "metadata" in inspect.signature(openai.resources.chat.completions.Completions.create).parameters
KEPT: dict[str, Any] = {"metadata": {"a": "b"}, "store": True}
KEPT = KEPT if _KNOWN else {"extra_body": KEPT}

WAYS: dict[str, Way] = {
    "create": lambda client: client.chat.completions.create(**HELLO),
    "two choices": lambda client: client.chat.completions.create(**HELLO, n=2),
    "stream": streamed,
    "stream by next, two choices": by_next,
    "stream in a block": in_a_block,
    "stream that asks for usage": lambda client: list(
        client.chat.completions.create(**HELLO, stream=True, stream_options={"include_usage": True})
    ),
    "parse": lambda client: chat(client).parse(**HELLO, response_format=Answer),
    "stream helper": helped,
    "raw": raw,
    "raw stream": raw_stream,
    "streaming response: parse": reading(lambda response: response.parse()),
    "streaming response: read": reading(lambda response: response.read()),
    "streaming response: json": reading(lambda response: response.json()),
    "streaming response: text": reading(lambda response: response.text()),
    "streaming response: iter_bytes": reading(lambda response: b"".join(response.iter_bytes())),
    "streaming response: iter_bytes of a size": reading(lambda response: list(response.iter_bytes(7))),
    "streaming response: iter_lines": reading(lambda response: list(response.iter_lines())),
    "streaming response: iter_text": reading(lambda response: "".join(response.iter_text())),
    "streaming response: iter_bytes of a stream": reading(
        lambda response: b"".join(response.iter_bytes()), stream=True
    ),
    "streaming response: sized iter_bytes of a stream": reading(
        lambda response: list(response.iter_bytes(7)), stream=True
    ),
    "streaming response: iter_lines of a stream": reading(lambda response: list(response.iter_lines()), stream=True),
    "streaming response: parse of a stream": reading(lambda response: list(response.parse()), stream=True),
    "with_options": lambda client: client.with_options(timeout=20).chat.completions.create(**HELLO),
    "copy": lambda client: client.copy(default_headers={"x-a": "1"}).chat.completions.create(**HELLO),
    "extras": lambda client: client.chat.completions.create(
        **HELLO, extra_headers={"x-b": "2"}, extra_query={"q": "3"}, extra_body={"made_up": [1]}, user="u"
    ),
    "metadata": lambda client: client.chat.completions.create(**HELLO, **KEPT, temperature=0),
    "generator": lambda client: client.chat.completions.create(**HELLO | {"messages": (one for one in MESSAGES)}),
    "tuple": lambda client: client.chat.completions.create(**HELLO | {"messages": tuple(MESSAGES)}),
    "tools": lambda client: client.chat.completions.create(
        **HELLO, tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    ),
    "completions": lambda client: client.completions.create(model="m", prompt="hi"),
    "completions stream": lambda client: list(client.completions.create(model="m", prompt="hi", stream=True)),
    "embeddings": lambda client: client.embeddings.create(model="m", input=["hi", "there"]),
    "embeddings of a generator": lambda client: client.embeddings.create(model="m", input=(t for t in ["hi"])),
    "moderations": lambda client: client.moderations.create(input="hi"),
    "post": lambda client: client.post("/chat/completions", body=HELLO, cast_to=object),
    "post without the first slash": lambda client: client.post("chat/completions", body=HELLO, cast_to=object),
}
RESPONSES: dict[str, Way] = {
    "responses": lambda client: client.responses.create(model="m", input="hi"),
    "responses stream": lambda client: list(client.responses.create(model="m", input="hi", stream=True)),
    "responses parse": lambda client: client.responses.parse(model="m", input="hi", text_format=Answer),
}
if find_spec("openai.resources.responses"):
    WAYS |= RESPONSES

SURFACES = {"completions": "completions", "embeddings": "embeddings", "moderations": "moderations"}


def test_the_ways_are_those_of_the_installed_sdk():
    major, minor = openai.__version__.split(".")[:2]
    assert ("responses" in WAYS) == ((int(major), int(minor)) >= (1, 66))


@pytest.mark.door("openai", "request")
@pytest.mark.parametrize("way", WAYS)
def test_a_call_looks_the_same_with_and_without_recording(
    way: str, start: Callable[[], Server], events: list[Event]
) -> None:
    alone, watched = start(), start()
    with bare(alone) as one, recorded(watched) as other:
        assert seen(WAYS[way](other)) == seen(WAYS[way](one))
    assert sent(watched) == sent(alone)
    (event,) = events
    word = way.split(maxsplit=1)[0]
    assert (event["status"], event["surface"], event["request"]) == (
        "ok",
        "responses" if word == "responses" else SURFACES.get(word, "chat.completions"),
        watched.requests[0].json(),
    )


@pytest.mark.parametrize("way", sorted(set(WAYS) - {"embeddings", "embeddings of a generator", "moderations"}))
def test_the_record_has_the_answer(way: str, client: openai.OpenAI, events: list[Event]) -> None:
    WAYS[way](client)
    (event,) = events
    response = event["response"]
    said = str(response.get("choices") or response.get("output"))
    assert [word for word in ("stand-in", "hi", "{}", "answer") if word in said] != []
    assert response.get("model") == event["request"]["model"]


async def astreamed(client: Any) -> Any:
    stream = await client.chat.completions.create(**HELLO, stream=True)
    return isinstance(stream, openai.AsyncStream), [one async for one in stream]


async def aparsed(client: Any) -> Any:
    return await chat(client).parse(**HELLO, response_format=Answer)


async def ahelped(client: Any) -> Any:
    async with chat(client).stream(**HELLO) as stream:
        return [event.type async for event in stream], await stream.get_final_completion()


async def araw(client: Any) -> Any:
    response = await client.chat.completions.with_raw_response.create(**HELLO)
    return response.text, response.parse()


def areading(read: Callable[[Any], Any], **options: Any) -> Way:
    async def way(client: Any) -> Any:
        async with client.chat.completions.with_streaming_response.create(**HELLO, **options) as response:
            return type(response).__name__, await read(response)

    return way


async def listed(things: Any) -> Any:
    return "".join([str(thing) async for thing in things])


async def aparsed_stream(response: Any) -> Any:
    return [one async for one in await response.parse()]


ASYNC_WAYS: dict[str, Way] = {
    "create": lambda client: client.chat.completions.create(**HELLO),
    "stream": astreamed,
    "parse": aparsed,
    "stream helper": ahelped,
    "raw": araw,
    "streaming response: parse": areading(lambda response: response.parse()),
    "streaming response: read": areading(lambda response: response.read()),
    "streaming response: json": areading(lambda response: response.json()),
    "streaming response: iter_lines": areading(lambda response: listed(response.iter_lines())),
    "streaming response: iter_text": areading(lambda response: listed(response.iter_text()), stream=True),
    "streaming response: parse of a stream": areading(aparsed_stream, stream=True),
    "with_options": lambda client: client.with_options(timeout=20).chat.completions.create(**HELLO),
    "embeddings": lambda client: client.embeddings.create(model="m", input="hi"),
}


@pytest.mark.door("openai", "request")
@pytest.mark.parametrize("way", ASYNC_WAYS)
async def test_an_async_call_looks_the_same_with_and_without_recording(
    way: str, start: Callable[[], Server], events: list[Event]
) -> None:
    alone, watched = start(), start()
    async with bare(alone, openai.AsyncOpenAI) as one, recorded(watched, openai.AsyncOpenAI) as other:
        assert seen(await ASYNC_WAYS[way](other)) == seen(await ASYNC_WAYS[way](one))
    assert sent(watched) == sent(alone)
    assert [(event["status"], event["request"]) for event in events] == [("ok", watched.requests[0].json())]


LEFT_ALONE: dict[str, Way] = {
    "models": lambda client: [model.id for model in client.models.list()],
    "get": lambda client: client.get("/models", cast_to=object),
}


@pytest.mark.parametrize("way", LEFT_ALONE)
def test_what_is_no_call_of_a_model_is_left_alone(way: str, client: openai.OpenAI, events: list[Event]) -> None:
    LEFT_ALONE[way](client)
    assert events == []


def azure(server: Server, cls: type[Any]) -> Any:
    endpoint = server.url.removesuffix("/v1")
    return cls(azure_endpoint=endpoint, api_key=KEY, api_version="2024-10-21", azure_deployment="d")


def test_azure_calls_are_recorded(start: Callable[[], Server], events: list[Event]) -> None:
    alone, watched = start(), start()
    with azure(alone, openai.AzureOpenAI) as one, flywheel_log.instrument(azure(watched, openai.AzureOpenAI)) as other:
        assert seen(other.chat.completions.create(**HELLO)) == seen(one.chat.completions.create(**HELLO))
    assert sent(watched) == sent(alone)
    assert [(event["provider"], event["status"]) for event in events] == [("azure.ai.openai", "ok")]


async def test_async_azure_streams_are_recorded(start: Callable[[], Server], events: list[Event]) -> None:
    alone, watched = start(), start()
    one, other = (azure(server, openai.AsyncAzureOpenAI) for server in (alone, watched))
    async with one, flywheel_log.instrument(other):
        assert seen(await astreamed(other)) == seen(await astreamed(one))
    assert sent(watched) == sent(alone)
    assert [(event["provider"], event["status"]) for event in events] == [("azure.ai.openai", "ok")]
