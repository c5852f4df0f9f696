"""The small door: fakes and foreign clients that have `chat.completions.create` and nothing else."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any
from unittest import mock

import openai
import pytest
from openai.types.chat import ChatCompletion
from pydantic import BaseModel

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.health import health
from flywheel_log.standin import Server
from tests.capture.clients import HELLO, MESSAGES, SAID, bare, chunk, content

ANSWER = {"object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}}]}


def fake(create: Any) -> Any:
    return flywheel_log.instrument(SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create))))


def spaced(value: Any) -> Any:
    if isinstance(value, dict):
        return SimpleNamespace(**{key: spaced(item) for key, item in value.items()})
    return [spaced(item) for item in value] if isinstance(value, list) else value


WORDS = [chunk({"role": "assistant", "content": "y"}), chunk({"content": "es"}), chunk({}, "stop")]


@pytest.mark.door("foreign", "request")
@pytest.mark.parametrize("shape", [lambda value: value, spaced, ChatCompletion.model_construct])
def test_an_answer_of_any_shape_is_recorded(shape: Any, events: list[Event]) -> None:
    answer = shape(**ANSWER) if shape == ChatCompletion.model_construct else shape(ANSWER)
    client = fake(lambda **_: answer)
    assert client.chat.completions.create(**HELLO) is answer
    (event,) = events
    assert (event["status"], event["request"], event["response"]["choices"][0]["message"]["content"]) == (
        "ok",
        HELLO,
        "yes",
    )


async def test_an_awaited_answer_is_recorded(events: list[Event]) -> None:
    async def create(**_: Any) -> Any:
        return ANSWER

    assert await fake(create).chat.completions.create(**HELLO) == ANSWER
    assert [event["response"] for event in events] == [ANSWER]


class Stream:
    """A stream object as foreign SDKs have it."""

    def __init__(self, items: list[Any]) -> None:
        self.items = iter(items)
        self.closed = False
        self.label = "mine"

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        item = next(self.items)
        if isinstance(item, Exception):
            raise item
        return item

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True


class Again:
    """A stream that begins anew at each `for`."""

    def __iter__(self) -> Any:
        return iter(spaced(WORDS))


class Later:
    def __init__(self, items: list[Any]) -> None:
        self.items = iter(items)

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self.items)
        except StopIteration:
            raise StopAsyncIteration from None


STREAMS = {
    "generator": lambda: (one for one in spaced(WORDS)),
    "object": lambda: Stream(spaced(WORDS)),
    "list": lambda: spaced(WORDS),
    "iterable": Again,
    "dictionaries": lambda: iter(WORDS),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_of_any_kind_is_recorded_when_it_ends(kind: str, events: list[Event]) -> None:
    client = fake(lambda **_: STREAMS[kind]())
    taken = list(client.chat.completions.create(**HELLO, stream=True))
    assert taken == list(STREAMS[kind]())
    assert [(event["status"], event["streamed"], content(event)) for event in events] == [("ok", True, "yes")]


async def test_async_streams_are_recorded_when_they_end(events: list[Event]) -> None:
    async def create(**_: Any) -> Any:
        return Later(spaced(WORDS))

    def at_once(**_: Any) -> Any:
        return Later(spaced(WORDS))

    for function in (create, at_once):
        stream = fake(function).chat.completions.create(**HELLO, stream=True)
        stream = stream if hasattr(stream, "__aiter__") else await stream
        assert [one async for one in stream] == spaced(WORDS)
    assert [(event["status"], content(event)) for event in events] == [("ok", "yes")] * 2


@pytest.mark.door("foreign", "left")
def test_a_stream_object_stays_itself(events: list[Event]) -> None:
    stream = fake(lambda **_: Stream(spaced(WORDS))).chat.completions.create(**HELLO, stream=True)
    assert (isinstance(stream, Stream), stream.label) == (True, "mine")
    with stream as inside:
        next(inside)
    assert stream.closed
    assert [(event["status"], content(event)) for event in events] == [("incomplete", "y")]


@pytest.mark.door("foreign", "left")
def test_a_stream_that_is_dropped_is_incomplete(events: list[Event]) -> None:
    stream = fake(lambda **_: Stream(spaced(WORDS))).chat.completions.create(**HELLO, stream=True)
    next(stream)
    del stream
    gc.collect()
    assert [(event["status"], content(event)) for event in events] == [("incomplete", "y")]


@pytest.mark.door("foreign", "broken")
def test_an_error_in_a_stream_keeps_the_partial_text(events: list[Event]) -> None:
    broken = OSError("broke")
    stream = fake(lambda **_: Stream([*spaced(WORDS[:2]), broken])).chat.completions.create(**HELLO, stream=True)
    with pytest.raises(OSError, match="broke") as raised:
        list(stream)
    assert raised.value is broken
    assert [(event["status"], event["error"], content(event)) for event in events] == [
        ("error", {"type": "OSError", "message": "broke"}, "yes")
    ]


@pytest.mark.door("foreign", "error")
def test_what_a_fake_raises_comes_through(events: list[Event]) -> None:
    class Refused(Exception):
        def __init__(self, text: str) -> None:
            super().__init__(text)
            self.response = {"ResponseMetadata": {}}

    def create(**_: Any) -> Any:
        raise Refused("no")

    with pytest.raises(Refused):
        fake(create).chat.completions.create(**HELLO)
    assert [event["error"] for event in events] == [{"type": "Refused", "message": "no"}]
    assert health.dropped() == {}


def test_a_mock_answers_and_asserts_as_before(events: list[Event]) -> None:
    client = mock.MagicMock()
    client.chat.completions.create.return_value = ANSWER
    flywheel_log.instrument(client)
    assert client.chat.completions.create(**HELLO) == ANSWER
    client.chat.completions.create.assert_called_once_with(**HELLO)
    client.chat.completions.create.side_effect = OSError("down")
    with pytest.raises(OSError, match="down"):
        client.chat.completions.create(**HELLO)
    assert [event["status"] for event in events] == ["ok", "error"]


def test_an_unset_mock_is_recorded_too(events: list[Event]) -> None:
    client = flywheel_log.instrument(mock.MagicMock())
    answer = client.chat.completions.create(**HELLO)
    assert answer is client.chat.completions.create.return_value
    assert ([event["status"] for event in events], health.dropped()) == (["ok"], {})


def test_uninstrument_puts_the_methods_back(events: list[Event]) -> None:
    def create(**_: Any) -> Any:
        return ANSWER

    client = fake(create)
    flywheel_log.instrument(client)
    flywheel_log.uninstrument(client)
    assert client.chat.completions.create is create


def test_a_fake_of_nothing_but_classes_is_recorded_and_put_back(events: list[Event]) -> None:
    class Inherited:
        @classmethod
        def parse(cls, **_: Any) -> Any:
            return ANSWER

    class Fake:
        class chat:  # noqa: N801  as SDKs call it
            class completions(Inherited):  # noqa: N801
                @staticmethod
                def create(**_: Any) -> Any:
                    return ANSWER

    before = {**vars(Fake.chat.completions)}
    client = flywheel_log.instrument(flywheel_log.instrument(Fake()))
    assert client.chat.completions.create(**HELLO) is client.chat.completions.parse(**HELLO) is ANSWER
    assert [event["status"] for event in events] == ["ok", "ok"]
    flywheel_log.uninstrument(client)
    assert {**vars(Fake.chat.completions)} == before


def test_twice_is_once(events: list[Event]) -> None:
    client = flywheel_log.instrument(fake(lambda **_: ANSWER), workload_id="second")
    client.chat.completions.create(**HELLO)
    assert [event["workload_id"] for event in events] == ["second"]


def test_a_method_of_a_class_is_put_back_to_the_class(events: list[Event]) -> None:
    class Completions:
        def create(self, **_: Any) -> Any:
            return ANSWER

    client = SimpleNamespace(chat=SimpleNamespace(completions=Completions()))
    flywheel_log.instrument(client)
    client.chat.completions.create(**HELLO)
    flywheel_log.uninstrument()
    assert vars(client.chat.completions) == {}
    assert len(events) == 1


def test_messages_changed_while_a_stream_is_read_do_not_change_the_record(events: list[Event]) -> None:
    messages = [dict(one) for one in MESSAGES]
    stream = fake(lambda **_: iter(WORDS)).chat.completions.create(model="m", messages=messages, stream=True)
    messages[0]["content"] = "changed"
    list(stream)
    assert [event["request"]["messages"] for event in events] == [MESSAGES]


def test_what_is_given_without_names_is_recorded_by_the_names_of_the_parameters(events: list[Event]) -> None:
    def create(model: str, messages: Any, **more: Any) -> Any:
        return ANSWER

    fake(create).chat.completions.create("m", MESSAGES, temperature=0.5)
    assert [event["request"] for event in events] == [{"model": "m", "messages": MESSAGES, "temperature": 0.5}]


class Part(BaseModel):
    type: str = "text"
    text: str
    note: str | None = None


class UserMessage(BaseModel):
    role: str = "user"
    content: list[Part]
    name: str | None = "me"


@pytest.mark.parametrize("door", ["a foreign client", "a decorated function"])
def test_a_message_that_is_an_object_keeps_what_its_class_says_of_it(door: str, events: list[Event]) -> None:
    def create(*, messages: Any) -> Any:
        return ANSWER

    call = fake(create).chat.completions.create if door == "a foreign client" else flywheel_log.logged_llm(create)
    call(messages=[UserMessage(content=[Part(text="hi")], name=None)])
    (event,) = events
    assert event["request"]["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}], "name": None}]


def test_a_stream_that_nobody_had_to_ask_for_is_recorded_when_it_ends(events: list[Event]) -> None:
    client = fake(lambda **_: Stream(spaced(WORDS)))
    assert list(client.chat.completions.create(**HELLO)) == spaced(WORDS)
    assert [(event["status"], event["streamed"], content(event)) for event in events] == [("ok", True, "yes")]


def test_a_recorded_client_inside_makes_the_one_record(client: Any, events: list[Event]) -> None:
    def create(**asked: Any) -> Any:
        return client.chat.completions.create(**asked).choices[0].message.content

    gateway = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))
    flywheel_log.instrument(gateway, tags=["gateway"], user_id="u")
    gateway.chat.completions.create(**HELLO)
    (event,) = events
    assert (event["provider"], event["tags"], event["user_id"]) == ("openai", ["gateway"], "u")
    assert (event["usage_source"], content(event)) == ("api", SAID)


def test_a_stream_of_a_client_that_is_not_recorded_stays_the_sdks(server: Server, events: list[Event]) -> None:
    with bare(server) as client:
        stream = fake(client.chat.completions.create).chat.completions.create(**HELLO, stream=True)
        assert type(stream) is openai.Stream
        list(stream)
    assert [(event["status"], event["streamed"], content(event)) for event in events] == [("ok", True, SAID)]


class Anew:
    """A client that makes its resources whenever they are asked for."""

    embeddings = SimpleNamespace(create=len)

    @property
    def chat(self) -> Any:
        return SimpleNamespace(completions=SimpleNamespace(create=len))


class Slotted:
    __slots__ = ("embeddings",)

    def __init__(self) -> None:
        self.embeddings = SimpleNamespace(create=len)


REFUSED = {Anew: "it makes another `chat.completions` each time", Slotted: "must have __dict__"}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_client_whose_methods_cannot_be_replaced_is_refused_and_stays_itself(kind: Any) -> None:
    client = kind()
    with pytest.raises(TypeError, match=f"{kind.__name__} does not let its methods be replaced: .*{REFUSED[kind]}"):
        flywheel_log.instrument(client)
    assert client.embeddings.create is len


def test_other_surfaces_of_a_fake_are_recorded(events: list[Event]) -> None:
    client = SimpleNamespace(
        messages=SimpleNamespace(create=lambda **_: {"content": [], "usage": {"input_tokens": 3, "output_tokens": 4}}),
        embeddings=SimpleNamespace(create=lambda **_: {"data": [], "usage": {"prompt_tokens": 5}}),
    )
    flywheel_log.instrument(client)
    client.messages.create(model="m")
    client.embeddings.create(model="m", input="x")
    assert [(event["kind"], event["surface"], event["input_tokens"]) for event in events] == [
        ("llm", "messages", 3),
        ("embedding", "embeddings", 5),
    ]
