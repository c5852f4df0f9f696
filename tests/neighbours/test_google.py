"""google-genai recorded at its waist: the caller sees what it saw before, and each call is one record."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

import flywheel_log
from flywheel_log import projection
from flywheel_log.capture.open_streams import abandon
from flywheel_log.event import Event, from_document, to_document
from flywheel_log.projection import as_chat
from flywheel_log.standin import HANG_UP, Reply, Server
from tests.neighbours.conftest import KEY

# google-genai's own, where aiohttp is installed.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

Make = Callable[..., genai.Client]

MODEL = "gemini-2.5-flash"
SAID = "This is the stand-in, not a model. You said: hi"
ASKED = {"contents": [{"parts": [{"text": "hi"}], "role": "user"}]}
_TIMES = ("timestamp", "latency_ms", "time_to_first_token_ms")


def timeless(event: Any) -> dict[str, Any]:
    """The event without what differs from run to run."""
    return {key: value for key, value in event.items() if key not in (*_TIMES, "infrastructure")}


def candidate(text: str, finish: str | None = None) -> dict[str, Any]:
    ended = {"finishReason": finish} if finish else {}
    return {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, **ended, "index": 0}]}


def frame(chunk: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(chunk)}\r\n\r\n".encode()


def streaming(*items: Any) -> Any:
    return lambda _: Reply(200, {}, iter([frame(item) if isinstance(item, dict) else item for item in items]))


def weather(city: str) -> str:
    """Look at the sky."""
    return f"dry in {city}"


def test_feedback_on_an_answer_is_about_its_call(recorded: Make, events: list[Event]) -> None:
    answer = recorded().models.generate_content(model=MODEL, contents="hi")
    flywheel_log.log_feedback(answer, thumbs="up")
    call, feedback = events
    assert feedback["target"] == call["response"]["responseId"] == answer.response_id


@pytest.mark.door("google", "request", "usage")
def test_a_call_is_one_record_and_the_caller_sees_what_it_saw(bare: Make, recorded: Make, events: list[Event]) -> None:
    config = types.GenerateContentConfig(
        system_instruction="Be brief.",
        temperature=0.5,
        http_options=types.HttpOptions(extra_body={"labels": {"team": "a"}}),
    )
    one, other = (
        make()
        .models.generate_content(model=MODEL, contents="hi", config=config)
        .model_dump(exclude={"sdk_http_response"})
        for make in (bare, recorded)
    )
    assert other == one
    (event,) = events
    assert timeless(event) == {
        "id": "test-1",
        "kind": "llm",
        "client_id": "acme",
        "workload_id": "tests",
        "model": MODEL,
        "surface": "generate_content",
        "provider": "gcp.gemini",
        "status": "ok",
        "streamed": False,
        "retries": 0,
        "input_tokens": 4,
        "output_tokens": 15,
        "usage_source": "api",
        "request": {
            **ASKED,
            "systemInstruction": {"parts": [{"text": "Be brief."}], "role": "user"},
            "generationConfig": {"temperature": 0.5},
            "labels": {"team": "a"},
        },
        "response": {
            "candidates": [
                {"content": {"parts": [{"text": SAID}], "role": "model"}, "finishReason": "STOP", "index": 0}
            ],
            "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 15, "totalTokenCount": 19},
            "modelVersion": MODEL,
            "responseId": one["response_id"],
        },
    }


@pytest.mark.door("google", "request")
def test_what_is_recorded_is_what_went_over_the_wire(
    start: Callable[..., Server], recorded: Make, events: list[Event]
) -> None:
    received: list[Any] = []
    client = recorded(lambda request: received.append(request.json()))
    image = types.Part.from_bytes(data=b"\0", mime_type="image/png")
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema={"type": "STRING"})
    client.models.generate_content(model=MODEL, contents=[image, "hi"], config=config)
    list(client.models.generate_content_stream(model=MODEL, contents=(part for part in ["hi"])))
    client.models.embed_content(model="gemini-embedding-001", contents=["a", "b"])
    assert [event["request"] for event in events] == received


@pytest.mark.door("google", "usage")
def test_a_stream_is_put_together_and_no_chunk_is_lost(bare: Make, recorded: Make, events: list[Event]) -> None:
    one, other = (
        [chunk.text for chunk in make().models.generate_content_stream(model=MODEL, contents="hi")]
        for make in (bare, recorded)
    )
    assert other == one
    assert "".join(filter(None, other)) == SAID
    (event,) = events
    assert (event["status"], event["streamed"], event["input_tokens"], event["output_tokens"]) == ("ok", True, 1, 15)
    assert event["response"]["candidates"] == [
        {"content": {"role": "model", "parts": [{"text": SAID}]}, "finishReason": "STOP", "index": 0}
    ]
    assert 0 < event["time_to_first_token_ms"] <= event["latency_ms"]


async def test_asynchronous_calls_and_streams_are_recorded(recorded: Make, events: list[Event]) -> None:
    client = recorded().aio
    answer = await client.models.generate_content(model=MODEL, contents="hi")
    chunks = [chunk.text async for chunk in await client.models.generate_content_stream(model=MODEL, contents="hi")]
    await client.models.embed_content(model="gemini-embedding-001", contents="hi")
    assert (answer.text, "".join(filter(None, chunks))) == (SAID, SAID)
    assert [(event["kind"], event["status"], event["streamed"]) for event in events] == [
        ("llm", "ok", False),
        ("llm", "ok", True),
        ("embedding", "ok", False),
    ]
    await client.aclose()


async def test_the_asynchronous_client_alone_can_be_instrumented(bare: Make, events: list[Event]) -> None:
    client = flywheel_log.instrument(bare().aio)
    await client.models.generate_content(model=MODEL, contents="hi")
    assert [event["status"] for event in events] == ["ok"]
    await client.aclose()


def test_a_chat_is_a_record_a_turn_with_its_history(recorded: Make, events: list[Event]) -> None:
    chat = recorded().chats.create(model=MODEL)
    chat.send_message("hi")
    assert "".join(filter(None, (chunk.text for chunk in chat.send_message_stream("and now?")))).endswith("and now?")
    assert [projection.as_chat(event)[0]["messages"] for event in events] == [
        [{"role": "user", "content": "hi"}],
        [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": SAID},
            {"role": "user", "content": "and now?"},
        ],
    ]


def test_each_request_of_automatic_function_calling_is_a_record(recorded: Make, events: list[Event]) -> None:
    chat = recorded().chats.create(model=MODEL, config=types.GenerateContentConfig(tools=[weather]))
    chat.send_message("hi")
    documents = [to_document(event) for event in events]
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    function = {"name": "weather", "description": "Look at the sky.", "parameters": parameters}
    assert [one["request"]["tools"] for one in documents] == [[{"type": "function", "function": function}]] * 2
    call = documents[0]["response"]["choices"][0]["message"]["tool_calls"][0]
    assert (documents[0]["response"]["choices"][0]["finish_reason"], call["function"]) == (
        "tool_calls",
        {"name": "weather", "arguments": '{"city":"hi"}'},
    )
    asked, called, answered = documents[1]["request"]["messages"]
    assert (asked["role"], called["tool_calls"][0]["function"], answered) == (
        "user",
        call["function"],
        {"role": "tool", "tool_call_id": called["tool_calls"][0]["id"], "content": '{"result":"dry in hi"}'},
    )
    assert [from_document(one) for one in documents] == events


def test_embeddings_read_as_those_of_openai(recorded: Make, events: list[Event]) -> None:
    recorded().models.embed_content(model="gemini-embedding-001", contents=["a", "b"])
    (event,) = events
    request, response = projection.as_chat(event)
    assert (event["kind"], event["surface"], request) == (
        "embedding",
        "embed_content",
        {"model": "gemini-embedding-001", "input": ["a", "b"]},
    )
    assert [one["embedding"]["dimensions"] for one in response["data"]] == [8, 8]


@pytest.mark.door("google", "choices", "parts")
def test_the_candidates_of_a_stream_are_kept_apart_with_their_thoughts(recorded: Make, events: list[Event]) -> None:
    def chunk(index: int, *parts: Any, **more: Any) -> dict[str, Any]:
        return {"candidates": [{"index": index, "content": {"role": "model", "parts": [*parts]}, **more}]}

    thinking = [chunk(0, {"text": "Hm", "thought": True}), chunk(0, {"text": ".", "thought": True})]
    said = [chunk(0, {"text": "a"}), chunk(1, {"text": "b"}), chunk(0, {"text": "a"}), chunk(1, {"text": "b"})]
    ends = [chunk(0, {"text": "!"}, finishReason="STOP"), chunk(1, {"text": "?"}, finishReason="MAX_TOKENS")]
    client = recorded(streaming(*thinking, *said, *ends))
    list(client.models.generate_content_stream(model=MODEL, contents="hi", config={"candidate_count": 2}))
    (event,) = events
    assert [(one["content"]["parts"], one["finishReason"]) for one in event["response"]["candidates"]] == [
        ([{"text": "Hm.", "thought": True}, {"text": "aa!"}], "STOP"),
        ([{"text": "bb?"}], "MAX_TOKENS"),
    ]


@pytest.mark.door("google", "error")
def test_an_error_is_the_same_and_recorded_without_the_key(bare: Make, recorded: Make, events: list[Event]) -> None:
    def refuse(_: Any) -> Reply:
        error = {"code": 400, "message": f"API key {KEY} not valid.", "status": "INVALID_ARGUMENT"}
        return Reply.json({"error": error}, 400, {"x-request-id": "req_g"})

    raised = []
    for make in (bare, recorded):
        with pytest.raises(errors.ClientError) as caught:
            make(refuse).models.generate_content(model=MODEL, contents="hi")
        raised.append((type(caught.value), caught.value.args, caught.value.code, caught.value.details))
    assert raised[1] == raised[0]
    (event,) = events
    assert (event["status"], event["error"], event["response"], event["training_unsafe"]) == (
        "error",
        {
            "type": "ClientError",
            "message": "API key [redacted] not valid.",
            "status_code": 400,
            "code": "INVALID_ARGUMENT",
            "request_id": "req_g",
        },
        {"error": {"code": 400, "message": "API key [redacted] not valid.", "status": "INVALID_ARGUMENT"}},
        ["error"],
    )
    assert KEY not in json.dumps(event)


@pytest.mark.door("google", "error")
async def test_asynchronous_errors_are_recorded(recorded: Make, events: list[Event]) -> None:
    client = recorded().aio
    with pytest.raises(errors.ServerError):
        await client.models.generate_content(model="error-503", contents="hi")
    with pytest.raises(errors.ClientError):
        _ = [one async for one in await client.models.generate_content_stream(model="error-429", contents="hi")]
    assert [(event["error"]["status_code"], event["error"]["code"]) for event in events] == [
        (503, "UNAVAILABLE"),
        (429, "RESOURCE_EXHAUSTED"),
    ]
    await client.aclose()


@pytest.mark.door("google", "retries")
def test_retries_are_counted(recorded: Make, events: list[Event]) -> None:
    def busy_at_first(received: Any) -> Reply | None:
        return (
            Reply.json({"error": {"code": 503, "message": "Busy", "status": "UNAVAILABLE"}}, 503)
            if received.number < 3
            else None
        )

    retry = types.HttpRetryOptions(attempts=5, initial_delay=0.001, max_delay=0.002, jitter=0.001)
    recorded(busy_at_first, retry_options=retry).models.generate_content(model=MODEL, contents="hi")
    assert [(event["status"], event["retries"]) for event in events] == [("ok", 2)]


@pytest.mark.door("google", "broken")
def test_an_error_in_a_stream_keeps_what_was_said(recorded: Make, events: list[Event]) -> None:
    said = []
    with pytest.raises(errors.ServerError):
        said += [one.text for one in recorded().models.generate_content_stream(model="error-mid-stream", contents="hi")]
    (event,) = events
    assert (event["status"], event["error"]["status_code"], event["training_unsafe"]) == ("error", 503, ["error"])
    assert event["response"]["candidates"][0]["content"]["parts"] == [{"text": "This is the"}]


@pytest.mark.door("google", "broken")
def test_a_connection_that_breaks_is_an_error_of_the_library(recorded: Make, events: list[Event]) -> None:
    client = recorded(streaming(candidate("Hel"), HANG_UP))
    with pytest.raises(Exception, match="peer closed") as caught:
        list(client.models.generate_content_stream(model=MODEL, contents="hi"))
    (event,) = events
    assert (event["status"], event["error"]["type"]) == ("error", type(caught.value).__name__)
    assert event["response"] == candidate("Hel")


@pytest.mark.door("google", "left")
def test_a_stream_left_early_is_incomplete(recorded: Make, events: list[Event]) -> None:
    stream = recorded().models.generate_content_stream(model=MODEL, contents="hi")
    assert next(stream).text == "This"
    stream.close()
    (event,) = events
    assert (event["status"], event["training_unsafe"]) == ("incomplete", ["incomplete"])
    assert event["response"]["candidates"][0]["content"]["parts"] == [{"text": "This"}]


def test_a_stream_that_ends_without_a_reason_is_incomplete(recorded: Make, events: list[Event]) -> None:
    list(recorded(streaming(candidate("Hel"))).models.generate_content_stream(model=MODEL, contents="hi"))
    assert [event["status"] for event in events] == ["incomplete"]


@pytest.mark.door("google", "left")
async def test_an_asynchronous_stream_left_early_is_incomplete(recorded: Make, events: list[Event]) -> None:
    client = recorded().aio
    stream = await client.models.generate_content_stream(model=MODEL, contents="hi")
    assert (await anext(stream)).text == "This"
    await stream.aclose()
    async with asyncio.timeout(10):  # The library leaves its own generators to the loop's finalizers.
        while not events:  # noqa: ASYNC110 - nothing tells when they are done
            await asyncio.sleep(0)
    assert [(event["status"], event["training_unsafe"]) for event in events] == [("incomplete", ["incomplete"])]
    await client.aclose()


@pytest.mark.door("google", "unread")
async def test_an_asynchronous_stream_that_is_never_read_is_one_record(recorded: Make, events: list[Event]) -> None:
    client = recorded()
    path = f"models/{MODEL}:streamGenerateContent?alt=sse"
    # The waist itself: whether the method above it asks before it is iterated depends on the library's version.
    stream = await client._api_client.async_request_streamed("post", path, dict(ASKED))
    del stream
    async with asyncio.timeout(60):  # aiohttp, where it is installed, lets go of its answer a little later.
        while not events:
            gc.collect()
            await asyncio.sleep(0.01)
    assert [(event["status"], event["streamed"], event["request"]) for event in events] == [("incomplete", True, ASKED)]
    await client.aio.aclose()


@pytest.mark.door("google", "cancelled")
async def test_a_cancelled_call_is_one_incomplete_record(recorded: Make, events: list[Event]) -> None:
    release, arrived = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(_: Any) -> Reply:
        loop.call_soon_threadsafe(arrived.set)
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(10)
        return Reply.json({})

    client = recorded(hang).aio
    task = asyncio.create_task(client.models.generate_content(model=MODEL, contents="hi"))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    assert [(event["status"], event.get("response"), event["request"]) for event in events] == [
        ("incomplete", None, ASKED)
    ]
    await client.aclose()


def test_a_stream_open_when_the_program_ends_is_recorded(recorded: Make, events: list[Event]) -> None:
    stream = recorded().models.generate_content_stream(model=MODEL, contents="hi")
    next(stream)
    abandon()
    assert [event["status"] for event in events] == ["incomplete"]
    rest = "".join(chunk.text or "" for chunk in stream)
    assert (SAID.endswith(rest), len(events)) == (True, 1)


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b"{}", b'{"candidates": null}', b'{"candidates": [{}]}'])
def test_an_odd_answer_is_the_callers_as_before_and_one_record(
    body: bytes, bare: Make, recorded: Make, events: list[Event]
) -> None:
    found = []
    for make in (bare, recorded):
        client = make(lambda _: Reply(200, {"content-type": "application/json"}, body))
        try:
            found.append(client.models.generate_content(model=MODEL, contents="hi").candidates)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is to be the same
            found.append((type(error), str(error)))
    assert found[1] == found[0]
    assert [(event["kind"], event["status"]) for event in events] == [("llm", "ok")]


def test_what_is_no_call_of_a_model_is_left_alone(recorded: Make, events: list[Event]) -> None:
    client = recorded(lambda _: Reply.json({"totalTokens": 3}))
    assert client.models.count_tokens(model=MODEL, contents="hi").total_tokens == 3
    assert events == []


def test_twice_is_once_and_uninstrument_puts_everything_back(bare: Make, events: list[Event]) -> None:
    client = bare()
    before = {name: getattr(type(client._api_client), name) for name in ("request", "async_request_streamed")}
    flywheel_log.instrument(flywheel_log.instrument(client), workload_id="named")
    client.models.generate_content(model=MODEL, contents="hi")
    flywheel_log.uninstrument(client)
    client.models.generate_content(model=MODEL, contents="hi")
    assert [event["workload_id"] for event in events] == ["named"]
    assert {name: getattr(type(client._api_client), name) for name in before} == before


def test_without_a_client_every_one_is_recorded_until_it_is_undone(bare: Make, events: list[Event]) -> None:
    before = bare()
    flywheel_log.instrument()
    for client in (before, bare()):
        client.models.generate_content(model=MODEL, contents="hi")
    flywheel_log.uninstrument()
    before.models.generate_content(model=MODEL, contents="hi")
    assert len(events) == 2


def test_one_recorded_client_leaves_the_others_alone(bare: Make, recorded: Make, events: list[Event]) -> None:
    recorded()
    bare().models.generate_content(model=MODEL, contents="hi")
    assert events == []


def test_the_context_names_what_is_recorded(recorded: Make, events: list[Event]) -> None:
    client = recorded()

    @flywheel_log.logged_llm(workload_id="greet")
    def greet() -> Any:
        return client.models.generate_content(model=MODEL, contents="hi").text

    with flywheel_log.context(user_id="u42"):
        greet()
    with flywheel_log.suppress():
        greet()
    assert [(event["workload_id"], event["user_id"]) for event in events] == [("greet", "u42")]


IMPORTED_LATER = """
import flywheel_log
from flywheel_log import standin
from flywheel_log.testing import recording
with standin.serve() as server, recording(sinks=[]) as events:
    flywheel_log.instrument()
    from google import genai
    with genai.Client(api_key="k", http_options={"base_url": server.url.removesuffix("/v1")}) as client:
        client.models.generate_content(model="gemini", contents="hi")
    print([event["provider"] for event in events])
"""


def test_clients_are_recorded_whose_library_is_imported_later(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED_LATER], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.stdout, done.returncode) == ("['gcp.gemini']\n", 0)


def vertex(server: Server) -> genai.Client:
    http = types.HttpOptions(base_url=server.url.removesuffix("/v1"), client_args={"verify": False})
    return genai.Client(
        vertexai=True,
        project="p",
        location="us-central1",
        credentials=Credentials(token="ya29.a-token-of-the-test"),
        http_options=http,
    )


@pytest.mark.filterwarnings("ignore:The generate_images method")  # There is no newer one that asks at the same place.
def test_embeddings_of_vertex_are_recorded_and_its_images_left_alone(
    start: Callable[..., Server], events: list[Event]
) -> None:
    def predict(received: Any) -> Reply:
        if "prompt" in received.json()["instances"][0]:
            return Reply.json({"predictions": []})
        embeddings = {"values": [3.0, 4.0], "statistics": {"token_count": 2, "truncated": False}}
        return Reply.json({"predictions": [{"embeddings": embeddings}]})

    with vertex(start(predict)) as client:
        flywheel_log.instrument(client).models.generate_images(model="imagen-4", prompt="a cat")
        client.models.embed_content(model="text-embedding-005", contents=["hi there"])
    (event,) = events
    assert (event["kind"], event["model"], event["input_tokens"]) == ("embedding", "text-embedding-005", 2)
    assert event["response"]["predictions"][0]["embeddings"]["values"]["norm"] == 5.0
    request, response = as_chat(event)
    assert (request["input"], [one["index"] for one in response["data"]]) == (["hi there"], [0])


def test_vertex_is_another_provider_of_the_same_models(start: Callable[..., Server], events: list[Event]) -> None:
    server = start()
    with vertex(server) as client:
        flywheel_log.instrument(client).models.generate_content(model=MODEL, contents="hi")
    assert server.requests[0].route.endswith(
        f"projects/p/locations/us-central1/publishers/google/models/{MODEL}:generateContent"
    )
    assert [(event["provider"], event["model"], event["status"]) for event in events] == [
        ("gcp.vertex_ai", MODEL, "ok")
    ]
