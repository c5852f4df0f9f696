"""instructor around a recorded client, before and after: one record a call, named by the function around it."""

from __future__ import annotations

from typing import Any

import instructor
import openai
import pytest
from pydantic import BaseModel, field_validator

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.standin import Server
from tests.capture.clients import HELLO, bare, recorded


class Reply(BaseModel):
    """A reply."""

    text: str


def told(events: list[Event]) -> list[object]:
    return [(event["workload_id"], event["status"]) for event in events]


MODES = [instructor.Mode.TOOLS, instructor.Mode.JSON]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("first", [True, False])
def test_an_answer_is_one_record(first: bool, mode: Any, server: Server, events: list[Event]) -> None:
    with bare(server) as client:
        if first:
            flywheel_log.instrument(client)
        wrapped = instructor.from_openai(client, mode=mode)
        flywheel_log.instrument(client)

        @flywheel_log.logged_llm(workload_id="extract")
        def extract() -> Reply:
            return wrapped.chat.completions.create(**schemed(mode), response_model=Reply)

        assert extract().text
    assert told(events) == [("extract", "ok")]


def schemed(mode: Any) -> dict[str, Any]:
    """A question that the stand-in, which reads no schema in a prompt, answers in JSON."""
    return HELLO | ({"extra_body": {"response_format": SCHEMA}} if mode is instructor.Mode.JSON else {})


SCHEMA = {"type": "json_schema", "json_schema": {"name": "Reply", "schema": Reply.model_json_schema()}}


async def test_an_answer_to_a_coroutine_is_one_record(server: Server, events: list[Event]) -> None:
    async with recorded(server, openai.AsyncOpenAI) as client:

        @flywheel_log.logged_llm(workload_id="extract")
        async def extract() -> Reply:
            return await instructor.from_openai(client).chat.completions.create(**HELLO, response_model=Reply)

        assert (await extract()).text
    assert told(events) == [("extract", "ok")]


def test_each_question_asked_again_is_a_record(server: Server, events: list[Event]) -> None:
    class Strict(Reply):
        @field_validator("text")
        @classmethod
        def _never(cls, text: str) -> str:
            raise ValueError(f"not {text}")

    with recorded(server) as client, flywheel_log.context(workload_id="extract"):
        ask = instructor.from_openai(client).chat.completions.create
        with pytest.raises(Exception, match="not hi"):
            ask(**HELLO, response_model=Strict, max_retries=2)
    assert set(told(events)) == {("extract", "ok")}
    assert len(events) == len(server.requests) > 1
