"""Mistral's client, which also has an `embeddings.create`, but whose chats are `chat.complete` and `chat.stream`."""

from __future__ import annotations

from typing import Any

import pytest
from mistralai.client import Mistral
from mistralai.client.models import UserMessage
from pydantic import BaseModel

import flywheel_log
from flywheel_log.event import Event

SAID = "This is the stand-in, not a model. You said: hi"
MESSAGES = [{"role": "user", "content": "hi"}]
ASKED = {"model": "m", "messages": MESSAGES}


class Word(BaseModel):
    word: str


def text_of(chunk: Any) -> str:
    return chunk.data.choices[0].delta.content or ""


def told(events: list[Event]) -> list[Any]:
    return [
        (event["status"], event["streamed"], event["request"], event["response"]["choices"][0]["message"]["content"])
        for event in events
    ]


@pytest.fixture
def client(start: Any) -> Any:
    with Mistral(api_key="standin-0123456789", server_url=start().url.removesuffix("/v1")) as client:
        yield flywheel_log.instrument(client)


@pytest.mark.parametrize("message", [*MESSAGES, UserMessage(content="hi")], ids=["a dictionary", "an object"])
def test_a_call_is_one_record(message: Any, client: Any, events: list[Event]) -> None:
    asked = {"model": "m", "messages": [message]}
    assert client.chat.complete(**asked).choices[0].message.content == SAID
    with client.chat.stream(**asked) as stream:
        assert "".join(map(text_of, stream)) == SAID
    assert told(events) == [("ok", False, ASKED, SAID), ("ok", True, {**ASKED, "stream": True}, SAID)]
    flywheel_log.uninstrument(client)
    client.chat.complete(**asked)
    assert len(events) == 2


async def test_a_coroutines_call_is_one_record(client: Any, events: list[Event]) -> None:
    assert (await client.chat.complete_async(**ASKED)).choices[0].message.content == SAID
    async with await client.chat.stream_async(**ASKED) as stream:
        assert "".join([text_of(chunk) async for chunk in stream]) == SAID
    assert told(events) == [("ok", False, ASKED, SAID), ("ok", True, {**ASKED, "stream": True}, SAID)]


def test_a_parsed_call_is_the_record_of_the_call_below(client: Any, events: list[Event]) -> None:
    answer = client.chat.parse(Word, **ASKED)
    assert answer.choices[0].message.parsed == Word(word="hi")
    ((*how, request, said),) = told(events)
    assert (*how, request["response_format"]["type"], said) == ("ok", False, "json_schema", '{"word": "hi"}')
