"""Token counts of streams: asked for where that is safe, hidden again, and never at the caller's cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import openai
import pytest

from flywheel_log.capture.usage import Asking, attempt
from flywheel_log.event import Event
from flywheel_log.standin import Reply, Server
from flywheel_log.testing import recording
from tests.capture.clients import HELLO, SAID, bare, chunk, recorded, seen, streaming

ASKED = {"include_usage": True}
USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


def shown(chunks: list[Any]) -> Any:
    """What the caller sees of *chunks*, without the id, which the stand-in derives from the request."""
    return [seen(one.model_copy(update={"id": ""})) for one in chunks]


@pytest.fixture
def asking() -> Iterator[list[Event]]:
    with recording(usage="always") as events:
        yield events


@pytest.mark.door("openai", "asked", "usage")
def test_counts_are_asked_for_and_hidden_again(start: Callable[..., Server], asking: list[Event]) -> None:
    alone, watched = start(), start()
    with bare(alone) as one, recorded(watched) as other:
        chunks = [list(client.chat.completions.create(**HELLO, stream=True, n=2)) for client in (one, other)]
    assert shown(chunks[1]) == shown(chunks[0])
    assert watched.requests[0].json()["stream_options"] == ASKED
    (event,) = asking
    assert (event["usage_source"], event["input_tokens"], event["output_tokens"]) == ("requested", 7, 35)


@pytest.mark.door("openai", "asked")
async def test_counts_of_async_streams_are_asked_for_and_hidden_again(
    start: Callable[..., Server], asking: list[Event]
) -> None:
    alone, watched = start(), start()
    chunks = []
    async with bare(alone, openai.AsyncOpenAI) as one, recorded(watched, openai.AsyncOpenAI) as other:
        for client in (one, other):
            stream = await client.chat.completions.create(**HELLO, stream=True)
            chunks.append([one async for one in stream])
    assert shown(chunks[1]) == shown(chunks[0])
    assert [event["usage_source"] for event in asking] == ["requested"]


def test_legacy_completions_are_asked_too(start: Callable[..., Server], asking: list[Event]) -> None:
    alone, watched = start(), start()
    with bare(alone) as one, recorded(watched) as other:
        chunks = [list(client.completions.create(model="m", prompt="hi", stream=True)) for client in (one, other)]
    assert shown(chunks[1]) == shown(chunks[0])
    assert [(event["usage_source"], "output_tokens" in event) for event in asking] == [("requested", True)]


@pytest.mark.door("openai", "asked", "usage")
@pytest.mark.parametrize("options", [{"include_usage": True}, {"include_usage": False}, {}, None])
def test_what_the_caller_said_stands(options: Any, start: Callable[..., Server], asking: list[Event]) -> None:
    alone, watched = start(), start()
    with bare(alone) as one, recorded(watched) as other:
        chunks = [
            list(client.chat.completions.create(**HELLO, stream=True, stream_options=options))
            for client in (one, other)
        ]
    assert shown(chunks[1]) == shown(chunks[0])
    assert watched.requests[0].json() == alone.requests[0].json()
    assert [event["usage_source"] for event in asking] == ["api" if options == ASKED else "missing"]


def test_options_in_the_extra_body_stand_too(start: Callable[..., Server], asking: list[Event]) -> None:
    server = start()
    with recorded(server) as client:
        last = list(client.chat.completions.create(**HELLO, stream=True, extra_body={"stream_options": ASKED}))[-1]
    assert last.usage is not None
    assert [event["usage_source"] for event in asking] == ["api"]


def test_a_chunk_that_has_no_choices_but_something_to_say_is_not_hidden(
    start: Callable[..., Server], asking: list[Event]
) -> None:
    """Azure opens its streams with the filter's results."""
    opening = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [1]}
    with_nulls = [opening, chunk({"content": "x"}), chunk({}, "stop")]

    def script(received: Any) -> Reply:
        asked = "stream_options" in received.json()
        more: dict[str, Any] = {"usage": None} if asked else {}
        last = [opening | {"choices": [], "usage": USAGE}] if asked else []
        return Reply.events([*(one | more for one in with_nulls), *last, "[DONE]"])

    with bare(start(script)) as one, recorded(start(script)) as other:
        chunks = [list(client.chat.completions.create(**HELLO, stream=True)) for client in (one, other)]
    assert shown(chunks[1]) == shown(chunks[0])
    assert [(event["usage_source"], event["output_tokens"]) for event in asking] == [("requested", 5)]


@pytest.mark.door("openai", "asked")
@pytest.mark.parametrize("code", [400, 422])
def test_a_host_that_refuses_is_asked_once_and_the_call_succeeds(
    code: int, start: Callable[..., Server], asking: list[Event]
) -> None:
    def script(received: Any) -> Reply | None:
        return Reply.json({"error": {"message": "what?"}}, code) if "stream_options" in received.json() else None

    alone, watched = start(), start(script)
    with bare(alone) as one, recorded(watched) as other:
        calls = [[list(c.chat.completions.create(**HELLO, stream=True)) for _ in range(2)] for c in (one, other)]
    answers = [[[one.choices[0].delta.content for one in chunks] for chunks in call] for call in calls]
    assert answers[1] == answers[0]
    assert ["stream_options" in one.json() for one in watched.requests] == [True, False, False]
    assert [(event["status"], event["usage_source"], event["request"]) for event in asking] == [
        ("ok", "missing", HELLO | {"stream": True})
    ] * 2


def test_a_request_that_is_wrong_anyway_fails_as_it_does_alone(
    start: Callable[..., Server], asking: list[Event]
) -> None:
    found = []
    for make in (bare, recorded):
        with make(start()) as client, pytest.raises(openai.BadRequestError) as failed:
            client.chat.completions.create(model="error-400", messages=[], stream=True)
        found.append((failed.value.args, failed.value.body, type(failed.value.__context__)))
    assert found[1] == found[0]
    assert [event["status"] for event in asking] == ["error"]


@pytest.mark.door("openai", "usage")
def test_the_last_of_cumulative_counts_is_taken(start: Callable[..., Server], asking: list[Event]) -> None:
    counted = [chunk({"content": "x"}, usage=USAGE | {"completion_tokens": count}) for count in (1, 2, 3)]
    script = streaming(*counted, chunk({}, "stop", usage=USAGE | {"completion_tokens": 4}))
    with bare(start(script)) as one, recorded(start(script)) as other:
        chunks = [list(client.chat.completions.create(**HELLO, stream=True)) for client in (one, other)]
    assert shown(chunks[1]) == shown(chunks[0])
    assert [event["output_tokens"] for event in asking] == [4]


@pytest.mark.door("openai", "asked")
@pytest.mark.parametrize(
    ("mode", "host", "wanted"),
    [
        ("auto", "api.openai.com", True),
        ("auto", "eu.api.openai.com", True),
        ("auto", "acme.openai.azure.com", True),
        ("auto", "evilopenai.com", False),
        ("auto", "localhost", False),
        ("auto", "", False),
        ("always", "localhost", True),
        ("never", "api.openai.com", False),
    ],
)
def test_only_hosts_known_to_understand_are_asked(mode: Any, host: str, wanted: bool) -> None:
    assert Asking(mode).wanted("chat.completions", {}, host) == wanted


@contextmanager
def redirected(server: Server) -> Iterator[Any]:
    """A client that believes to talk to OpenAI."""

    def divert(request: Any) -> None:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=int(server.url.split(":")[2][:-3]))

    http = openai.DefaultHttpxClient(verify=False, event_hooks={"request": [divert]})
    with http, recorded(server) as client:
        yield client.with_options(base_url="https://api.openai.com/v1", http_client=http)


@pytest.mark.door("openai", "asked")
def test_openai_itself_is_asked_without_being_told_to(server: Server, events: list[Event]) -> None:
    with redirected(server) as client:
        chunks = list(client.chat.completions.create(**HELLO, stream=True))
    assert json.loads(server.requests[0].body)["stream_options"] == ASKED
    assert ([one.usage for one in chunks if one.usage], events[0]["usage_source"]) == ([], "requested")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_counts_are_hidden_in_events_of_several_lines(
    end: str, start: Callable[..., Server], asking: list[Event]
) -> None:
    def script(received: Any) -> Reply:
        asked = "stream_options" in received.json()
        items = [chunk({"content": "x"}), chunk({}, "stop")]
        if asked:
            items = [{**one, "usage": None} for one in items] + [{**items[1], "choices": [], "usage": USAGE}]
            items[0] = {"usage": None, **items[0]}
        frames = ["".join(f"data: {line}{end}" for line in json.dumps(one, indent=1).splitlines()) for one in items]
        return Reply.events([f"{one}{end}".encode() for one in frames] + ["[DONE]"])

    with bare(start(script)) as one, recorded(start(script)) as other:
        chunks = [list(client.chat.completions.create(**HELLO, stream=True)) for client in (one, other)]
    assert shown(chunks[1]) == shown(chunks[0])
    assert [event["output_tokens"] for event in asking] == [5]


def test_a_stream_that_only_the_body_asks_for_is_not_asked(start: Callable[..., Server], asking: list[Event]) -> None:
    """The SDK reads it as one answer: there is nobody to hide the counts from it."""
    alone, watched = start(), start()
    with bare(alone) as one, recorded(watched) as other:
        texts = [client.chat.completions.create(**HELLO, extra_body={"stream": True}) for client in (one, other)]
    assert texts[1] == texts[0]
    assert watched.requests[0].json() == alone.requests[0].json()
    (event,) = asking
    assert (event["status"], event["streamed"]) == ("ok", True)
    assert event["response"]["choices"][0]["message"]["content"] == SAID


def test_a_stream_whose_body_is_in_the_extras_is_asked(start: Callable[..., Server], asking: list[Event]) -> None:
    server = start()
    with recorded(server) as client:
        options = {"extra_json": {**HELLO, "stream": True}}
        chunks = {"cast_to": object, "stream": True, "stream_cls": openai.Stream[object]}
        list(client.post("/chat/completions", options=options, **chunks))
    assert server.requests[0].json()["stream_options"] == ASKED
    assert [(event["status"], event["usage_source"]) for event in asking] == [("ok", "requested")]


def test_a_body_that_the_program_wrote_itself_is_sent_as_it_is() -> None:
    written = SimpleNamespace(json_data=None, extra_json=None)
    assert attempt(Asking("always"), "chat.completions", None, (object, written), {}) is None


@pytest.mark.parametrize("end", [b"", b"\n\n"])
@pytest.mark.parametrize("size", [None, 7])
def test_a_body_that_is_no_stream_keeps_its_usage(
    size: int | None, end: bytes, start: Callable[..., Server], asking: list[Event]
) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "all the data: at once"}, "finish_reason": "stop"}
    body = json.dumps({"id": "c", "choices": [choice], "usage": None}, separators=(",", ":")).encode() + end
    client = recorded(start(lambda _: Reply(200, {"content-type": "application/json"}, body)))
    with client, client.chat.completions.with_streaming_response.create(**HELLO, stream=True) as response:
        assert b"".join(response.iter_bytes(size)) == body
    assert [event["response"] for event in asking] == [json.loads(body)]
