"""`@logged_llm`: one record a call, made by the client inside or from what goes in and comes out."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import gc
import inspect
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import anthropic
import openai
import pydantic
import pytest

import flywheel_log
from flywheel_log import logged_llm
from flywheel_log.event import Event, to_document
from flywheel_log.health import health
from flywheel_log.standin import Server
from tests.capture.clients import HELLO, KEY, MESSAGES, SAID, bare, content


def told(events: list[Event]) -> list[Any]:
    return [(event["workload_id"], event["status"], content(event)) for event in events]


@pytest.mark.door("decorator", "request")
def test_it_works_with_and_without_parentheses(events: list[Event]) -> None:
    @logged_llm
    def first(prompt: str) -> str:
        return prompt.upper()

    @logged_llm(workload_id="named", tags=["t"])
    def second(prompt: str, *, temperature: float) -> str:
        return prompt.upper()

    assert (first("hi"), second("ho", temperature=0.5)) == ("HI", "HO")
    assert told(events) == [("first", "ok", "HI"), ("named", "ok", "HO")]
    assert [event["request"] for event in events] == [
        {"messages": [{"role": "user", "content": "hi"}]},
        {"temperature": 0.5, "messages": [{"role": "user", "content": "ho"}]},
    ]


async def test_every_kind_of_function_is_recorded_once(events: list[Event]) -> None:
    @logged_llm
    async def coroutine(prompt: str) -> str:
        return prompt

    @logged_llm
    def generator(prompt: str) -> Any:
        yield from prompt

    @logged_llm
    async def async_generator(prompt: str) -> Any:
        for letter in prompt:
            yield letter

    class Bot:
        @logged_llm
        def method(self, prompt: str) -> str:
            return prompt

        @logged_llm
        @classmethod
        def of_class(cls, prompt: str) -> str:
            return prompt

        @logged_llm
        @staticmethod
        def static(prompt: str) -> str:
            return prompt

        def __call__(self, prompt: str) -> str:
            return prompt

    assert await coroutine("ab") == "ab"
    assert "".join(generator("ab")) == "ab"
    assert [letter async for letter in async_generator("ab")] == ["a", "b"]
    calls = [Bot().method, Bot.of_class, Bot.static, logged_llm(Bot()), logged_llm(functools.partial(max, "ab"))]
    assert [call("ab") if at < 4 else call("a") for at, call in enumerate(calls)] == ["ab"] * 5
    names = ["coroutine", "generator", "async_generator", "method", "of_class", "static", "Bot", "max"]
    assert told(events) == [(name, "ok", "ab") for name in names]
    assert {event["request"]["messages"][0]["content"] for event in events[:7]} == {"ab"}


def test_what_a_partial_was_given_before_is_in_the_request(events: list[Event]) -> None:
    def complete(prompt: str, *, model: str, top_p: float = 1.0) -> str:
        return prompt

    by_model = functools.partial(complete, model="parrot-1b", top_p=0.5)
    logged_llm(by_model)("hi", top_p=0.1)
    logged_llm(functools.partial(by_model, "ho"))()
    assert [event["request"] for event in events] == [
        {"model": "parrot-1b", "top_p": 0.1, "messages": [{"role": "user", "content": "hi"}]},
        {"model": "parrot-1b", "top_p": 0.5, "messages": [{"role": "user", "content": "ho"}]},
    ]


def test_a_recorded_client_inside_makes_the_one_record(client: openai.OpenAI, events: list[Event]) -> None:
    @logged_llm
    def ask() -> Any:
        return client.chat.completions.create(**HELLO)

    @logged_llm(workload_id="streamed")
    def stream() -> Any:
        for one in client.chat.completions.create(**HELLO, stream=True):
            yield one.choices[0].delta.content or ""

    @logged_llm
    def handed_out() -> Any:
        return client.chat.completions.create(**HELLO, stream=True)

    ask()
    assert "".join(stream()) == SAID
    list(handed_out())
    assert told(events) == [(name, "ok", SAID) for name in ("ask", "streamed", "handed_out")]
    assert [event["provider"] for event in events] == ["openai"] * 3


def test_nested_functions_make_one_record_under_the_outermost_name(events: list[Event]) -> None:
    @logged_llm
    def inner(prompt: str) -> str:
        return prompt

    @logged_llm
    def outer(prompt: str) -> str:
        return inner(prompt) + "!"

    assert outer("a") == "a!"
    assert told(events) == [("outer", "ok", "a")]


def in_a_pool(ask: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()


def by_map(ask: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(2) as pool:
        return next(iter(pool.map(lambda _: ask(), [1])))


def in_the_loops_pool(ask: Callable[[], Any]) -> Any:
    async def run() -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, ask)

    return asyncio.run(run())


def to_thread(ask: Callable[[], Any]) -> Any:
    return asyncio.run(asyncio.to_thread(ask))


@pytest.mark.parametrize("elsewhere", [in_a_pool, by_map, in_the_loops_pool, to_thread])
def test_a_call_in_another_thread_belongs_to_the_function(
    elsewhere: Any, client: openai.OpenAI, events: list[Event]
) -> None:
    @logged_llm(user_id="u")
    def ask() -> Any:
        return elsewhere(lambda: client.chat.completions.create(**HELLO))

    ask()
    assert [(event["workload_id"], event["user_id"], event["provider"]) for event in events] == [("ask", "u", "openai")]


async def test_functions_gathered_keep_their_names_apart(aclient: openai.AsyncOpenAI, events: list[Event]) -> None:
    def function(name: str) -> Any:
        @logged_llm(workload_id=name)
        async def ask() -> Any:
            await asyncio.sleep(0)
            return await aclient.chat.completions.create(**HELLO, user=name)

        return ask

    await asyncio.gather(*(function(f"w{number}")() for number in range(5)))
    assert sorted((event["workload_id"], event["user_id"]) for event in events) == [
        (f"w{number}", f"w{number}") for number in range(5)
    ]


async def test_an_async_generator_read_elsewhere_keeps_its_fields(events: list[Event]) -> None:
    @logged_llm
    async def inner() -> str:
        return "x"

    @flywheel_log.context(user_id="maker")
    async def words() -> Any:
        yield await inner()
        yield await inner()

    async def read(made: Any) -> Any:
        with flywheel_log.context(session_id="reader"):
            return await anext(made)

    made = words()
    for _ in range(2):
        await asyncio.create_task(read(made))
    await made.aclose()
    assert [event["user_id"] for event in events] == ["maker", "maker"]


def test_a_client_that_is_not_recorded_gives_its_objects(server: Server, events: list[Event]) -> None:
    with bare(server) as client:

        @logged_llm
        def whole(messages: Any) -> Any:
            return client.chat.completions.create(model="m", messages=messages)

        @logged_llm
        def raw(messages: Any) -> Any:
            return client.chat.completions.with_raw_response.create(model="m", messages=messages)

        @logged_llm
        def stream(messages: Any) -> Any:
            return client.chat.completions.create(model="m", messages=messages, stream=True)

        answer = whole(MESSAGES)
        raw(MESSAGES)
        chunks = list(stream(MESSAGES))
    assert (isinstance(answer, openai.types.chat.ChatCompletion), len(chunks) > 3) == (True, True)
    assert told(events) == [(name, "ok", SAID) for name in ("whole", "raw", "stream")]
    assert [event["streamed"] for event in events] == [False, False, True]
    assert {str(event["request"]["messages"]) for event in events} == {str(MESSAGES)}


@pytest.mark.door("decorator", "error", "left")
def test_errors_and_early_exits_are_told(events: list[Event]) -> None:
    @logged_llm
    def fail(prompt: str) -> str:
        raise OSError("down")

    @logged_llm
    def words(prompt: str) -> Any:
        yield "one"
        yield "two"

    with pytest.raises(OSError, match="down"):
        fail("x")
    left = words("x")
    next(left)
    left.close()
    dropped = words("y")
    next(dropped)
    del dropped
    gc.collect()
    assert [(event["workload_id"], event["status"]) for event in events] == [
        ("fail", "error"),
        ("words", "incomplete"),
        ("words", "incomplete"),
    ]
    assert (events[0]["error"], content(events[1])) == ({"type": "OSError", "message": "down"}, "one")
    assert events[1]["response"]["choices"][0]["finish_reason"] is None  # as of a client's stream that is left early


def of_responses(server: Server, **more: Any) -> Any:
    with bare(server) as client:
        yield client.responses.create(model="m", input="hi", **more)


def of_anthropic(server: Server, **more: Any) -> Any:
    with anthropic.Anthropic(base_url=server.url.removesuffix("/v1"), api_key=KEY) as client:
        yield client.messages.create(model="m", max_tokens=99, messages=MESSAGES, **more)


SDKS: dict[str, Callable[..., Any]] = {"messages": of_anthropic}
if find_spec("openai.resources.responses"):
    SDKS["responses"] = of_responses


@pytest.mark.parametrize("surface", SDKS)
@pytest.mark.parametrize("in_pieces", [False, True])
def test_the_answer_of_another_api_is_recorded_as_one(
    in_pieces: bool, surface: str, server: Server, events: list[Event]
) -> None:
    @logged_llm
    def whole(prompt: str) -> Any:
        return next(SDKS[surface](server))

    @logged_llm
    def pieces(prompt: str) -> Any:
        for stream in SDKS[surface](server, stream=True):
            yield from stream

    list(pieces("hi")) if in_pieces else whole("hi")
    (event,) = events
    assert (event["surface"], event["status"], "training_unsafe" in event) == (surface, "ok", False)
    assert (event["usage_source"], event["input_tokens"], event["output_tokens"]) == ("api", 2, 15)
    document = to_document(event)
    assert document["request"]["messages"] == MESSAGES
    assert document["response"]["choices"][0]["message"]["content"] == SAID


CYCLE: list[Any] = []
CYCLE.append(CYCLE)
ODD: dict[str, Any] = {
    "lock": threading.Lock(),
    "client": openai.OpenAI(api_key="sk-nothing-0123456789", http_client=openai.DefaultHttpxClient(verify=False)),
    "bytes": b"\xff\x00",
    "datetime": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    "cycle": CYCLE,
    "surrogate": "\ud800",
    "nan": float("nan"),
    "large": "x" * 10_000_000,
    "integer": 1 << 200,
    "set": {1},
    "mock": mock.MagicMock(),
    "keys": {(1, 2): 3},
    "deep": functools.reduce(lambda inner, _: [inner], range(500), [0]),
}


@pytest.mark.parametrize("odd", ODD)
def test_arguments_and_results_of_any_kind_become_json(odd: str, events: list[Event]) -> None:
    @logged_llm
    def ask(prompt: str, *, thing: Any) -> Any:
        return thing

    assert ask("hi", thing=ODD[odd]) is ODD[odd]
    (event,) = events
    assert (event["status"], event["request"]["messages"][0]["content"]) == ("ok", "hi")
    assert ("sk-nothing" in str(event)[:100_000], health.dropped()) == (False, {})


class Poem(pydantic.BaseModel):
    topic: str

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    @logged_llm(workload_id="title")
    def title(self) -> str:
        return f"On {self.topic}"


def test_a_model_that_computes_a_field_by_a_decorated_function_is_recorded_once(events: list[Event]) -> None:
    """To record its argument is to compute the field, which is not recorded for that."""
    assert Poem(topic="rain").title == "On rain"
    assert [(event["workload_id"], event["request"]["messages"][0]["content"]) for event in events] == [
        ("title", '{"self":{"topic":"rain","title":"On rain"}}')
    ]


def test_wrong_arguments_raise_as_they_do_alone(events: list[Event]) -> None:
    @logged_llm
    def ask(prompt: str) -> str:
        return prompt

    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'prompt'"):
        ask()  # type: ignore[call-arg]
    assert [event["status"] for event in events] == ["error"]


class Chunks:
    """A stream as vendors' SDKs have them: an iterator of their own."""

    def __init__(self, *pieces: Any) -> None:
        self.pieces = iter(pieces)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return next(self.pieces)


def test_a_stream_object_is_recorded_while_it_is_read(events: list[Event]) -> None:
    stream = logged_llm(lambda: Chunks("one ", "two"))()
    assert (isinstance(stream, Chunks), events) == (True, [])
    assert list(stream) == ["one ", "two"]
    dropped = logged_llm(lambda: map(str, [1, 2]))()
    next(dropped)
    del dropped
    gc.collect()
    assert [(event["status"], event["streamed"], content(event)) for event in events] == [
        ("ok", True, "one two"),
        ("incomplete", True, "1"),
    ]


async def test_a_manager_whose_client_is_recorded_makes_one_record_under_the_functions_name(
    client: openai.OpenAI, aclient: openai.AsyncOpenAI, events: list[Event]
) -> None:
    asked = logged_llm(workload_id="sync")(lambda: client.chat.completions.with_streaming_response.create(**HELLO))
    with asked() as response:
        assert type(response).__name__ == "APIResponse"
        response.read()
    aasked = logged_llm(workload_id="async")(lambda: aclient.chat.completions.with_streaming_response.create(**HELLO))
    async with aasked() as aresponse:
        await aresponse.read()
    assert [(event["workload_id"], event["provider"]) for event in events] == [("sync", "openai"), ("async", "openai")]


class Later:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


async def test_what_is_entered_or_awaited_later_is_recorded_with_what_it_brings(events: list[Event]) -> None:
    opened = logged_llm(contextlib.contextmanager(lambda text: iter([text])))("entered")
    assert (isinstance(opened, contextlib.AbstractContextManager), inspect.isawaitable(opened)) == (True, False)
    assert (callable(opened), events) == (True, [])
    with opened as value:
        assert value == "entered"
    later = logged_llm(Later)("awaited")
    assert (isinstance(later, Later), inspect.isawaitable(later), callable(later)) == (True, True, False)
    assert await later == "awaited"
    with pytest.raises(LookupError):
        await logged_llm(Later)(LookupError("failed"))
    logged_llm(Later)("never awaited")
    gc.collect()
    assert [(event["status"], event.get("response") and content(event)) for event in events] == [
        ("ok", "entered"),
        ("ok", "awaited"),
        ("error", None),
        ("incomplete", None),
    ]


OPEN_AT_A_FORK_AND_AT_EXIT = """
import os, sys
import flywheel_log

@flywheel_log.logged_llm
def generated():
    yield "one "
    yield "two"


@flywheel_log.logged_llm
def returned():
    return map(str, [1, 2])


answers = [generated(), returned(), generated(), returned()]
for answer in answers:
    next(answer)
child = os.fork()
if child == 0:
    sys.exit()
os.waitpid(child, 0)
for answer in answers[:2]:
    list(answer)
"""


def test_an_answer_in_pieces_that_is_open_at_a_fork_and_at_exit_is_one_record(openai_environment: Server) -> None:
    run = [sys.executable, "-W", "ignore", "-c", OPEN_AT_A_FORK_AND_AT_EXIT]
    done = subprocess.run(run, capture_output=True, text=True, check=True, timeout=100)
    found = [(event["workload_id"], event["status"], content(event)) for event in flywheel_log.read("genai.log")]
    assert (sorted(found), done.stderr) == (
        [
            ("generated", "incomplete", "one "),
            ("generated", "ok", "one two"),
            ("returned", "incomplete", "1"),
            ("returned", "ok", "12"),
        ],
        "",
    )


NOTHING_BEFORE_THE_END = """
import atexit
import flywheel_log


@flywheel_log.logged_llm
def left():
    yield "one "
    yield "two"


@flywheel_log.logged_llm
def handler():
    return "last"


atexit.register(handler)
pieces = left()
next(pieces)
"""


def test_what_is_recorded_at_the_very_end_is_not_lost(openai_environment: Server) -> None:
    # CPython 3.12 starts no thread at its end, so that the next program delivers what was recorded there.
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_BEFORE_THE_END], capture_output=True, text=True, check=True, timeout=100
    )
    subprocess.run([sys.executable, "-m", "flywheel_log", "drain"], capture_output=True, timeout=60, check=True)
    found = [(event["workload_id"], event["status"], content(event)) for event in flywheel_log.read("genai.log")]
    assert sorted(found) == [("handler", "ok", "last"), ("left", "incomplete", "one ")]
    assert "Error" not in done.stderr


def test_a_file_is_no_stream_of_answers(events: list[Event], tmp_path: Path) -> None:
    with (tmp_path / "answer").open("w") as file:
        assert logged_llm(lambda: file)() is file
    assert [(event["status"], event["streamed"]) for event in events] == [("ok", False)]


PIECES: dict[str, tuple[list[Any], str]] = {
    "text and nothing": ([None, "a", None, "b"], "ab"),
    "bytes that cut a letter": ([b"gr\xc3", b"\xbcn"], "grün"),
    "objects of one's own": (
        [{"type": "token", "text": "a"}, {"text": "b"}],
        '[{"type":"token","text":"a"},{"text":"b"}]',
    ),
    "pairs": ([("token", "a"), 1], '[["token","a"],1]'),
    "text and an object": (["a", {"done": True}], 'a{"done":true}'),
}


@pytest.mark.parametrize("kind", PIECES)
def test_pieces_of_any_kind_are_put_together_without_loss(kind: str, events: list[Event]) -> None:
    pieces, whole = PIECES[kind]

    @logged_llm
    def answer() -> Any:
        yield from pieces

    assert list(answer()) == pieces
    assert [(event["status"], content(event)) for event in events] == [("ok", whole)]


def test_the_time_that_the_consumer_of_a_generator_takes_is_not_the_models(events: list[Event]) -> None:
    @logged_llm
    def words() -> Any:
        yield ""
        yield "one"
        yield "two"

    begun = time.perf_counter()
    for _ in words():
        time.sleep(0.02)
    elapsed = (time.perf_counter() - begun) * 1000
    (event,) = events
    assert 0 < event["time_to_first_token_ms"] <= event["latency_ms"] <= elapsed - 60


def test_what_is_returned_is_returned_itself(events: list[Event]) -> None:
    values = [None, {"a": 1}, [1, 2], 3.5, object()]
    identity = logged_llm(lambda value: value)
    assert [identity(value) is value for value in values] == [True] * 5
    assert [content(event) for event in events[:4]] == [None, '{"a":1}', "[1,2]", "3.5"]


def test_suppressed_functions_are_not_recorded(events: list[Event]) -> None:
    with flywheel_log.suppress():
        assert logged_llm(lambda: "x")() == "x"
    assert events == []
