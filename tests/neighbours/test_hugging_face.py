"""Hugging Face's clients, whose `chat.completions.create` is made anew whenever it is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import AsyncInferenceClient, InferenceClient

import flywheel_log
from flywheel_log.event import Event

KEY = "hf_standin0123456789"
MESSAGES = [{"role": "user", "content": "hi"}]
SAID = "This is the stand-in, not a model. You said: hi"


def told(events: list[Event]) -> list[Any]:
    return [
        (event["status"], event["streamed"], event["request"], event["response"]["choices"][0]["message"]["content"])
        for event in events
    ]


ASKED = {"model": "m", "messages": MESSAGES}
WAYS = {
    "as OpenAI's": lambda client, **more: client.chat.completions.create(**ASKED, **more),
    "its own": lambda client, **more: client.chat_completion(MESSAGES, model="m", **more),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_call_is_one_record_by_either_name(way: str, start: Any, events: list[Event]) -> None:
    client = flywheel_log.instrument(InferenceClient(base_url=start().url, token=KEY))
    assert WAYS[way](client).choices[0].message.content == SAID
    assert "".join(chunk.choices[0].delta.content or "" for chunk in WAYS[way](client, stream=True)) == SAID
    assert told(events) == [("ok", False, ASKED, SAID), ("ok", True, {**ASKED, "stream": True}, SAID)]
    flywheel_log.uninstrument(client)
    WAYS[way](client)
    assert len(events) == 2


@pytest.mark.parametrize("way", WAYS)
async def test_a_coroutines_call_is_one_record_by_either_name(way: str, start: Any, events: list[Event]) -> None:
    async with AsyncInferenceClient(base_url=start().url, token=KEY) as client:
        flywheel_log.instrument(client)
        assert (await WAYS[way](client)).choices[0].message.content == SAID
        stream = await WAYS[way](client, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == SAID
    assert told(events) == [("ok", False, ASKED, SAID), ("ok", True, {**ASKED, "stream": True}, SAID)]
