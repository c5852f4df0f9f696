"""NVIDIA's Data Flywheel reads what calls through an instrumented client become: the whole way, to the server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import openai
import pytest

import flywheel_log
from flywheel_log.standin import Server
from tests.capture.clients import recorded

from .api import Api
from .contract import enough, fatal, mixed, unsafe_names, unusable
from .sink import url_of

CHATS, ENOUGH = 150, 102
NOBODY = "http://127.0.0.1:1/v1"
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
HISTORY: list[Any] = [
    {"role": "system", "content": "Be short."},
    {"role": "user", "content": "How warm is Oslo?"},
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "7"},
]
WEATHER: Any = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
Question = dict[str, Any]
# urllib3 empties its pools of connections at exit, and those that were made last before anything of ours is run.
LAST_WORDS = """
import sys
import flywheel_log
from flywheel_log import recorder

recorder.EXIT_SECONDS = 60.0  # A busy server takes longer than there is time for.
flywheel_log.configure(sinks=[sys.argv[1]])
ask = flywheel_log.logged_llm(str.upper)
ask("first")
assert flywheel_log.flush(30) == 0
ask("last")
"""


@pytest.fixture
def where(elasticsearch_url: str, index: str) -> Iterator[str]:
    """The index of the test, to which everything recorded goes."""
    url = url_of(elasticsearch_url, index, linger="0.05")
    flywheel_log.configure(sinks=[url], client_id="acme")
    return index


def question(number: int, **more: Any) -> Question:
    asked = {"role": "user", "content": f"Question {number}: is it raining?"}
    return {"model": "gpt-4.1-mini", "messages": [*HISTORY, asked], **more}


def ask(server: Server, questions: list[Question]) -> None:
    """Ask plainly and as a stream in turns."""
    with recorded(server) as client:
        for number, each in enumerate(questions):
            answer = client.chat.completions.create(**each, stream=number % 2 == 0)
            if number % 2 == 0:
                list(answer)


async def ask_async(server: Server, questions: list[Question]) -> None:
    """Ask all at once, plainly and as a stream in turns."""

    async def one(number: int, each: Question) -> None:
        answer = await client.chat.completions.create(**each, stream=number % 2 == 0)
        if number % 2 == 0:
            [chunk async for chunk in answer]

    async with recorded(server, openai.AsyncOpenAI) as client:
        await asyncio.gather(*(one(number, each) for number, each in enumerate(questions)))


def ask_in_all_ways(server: Server, workload: str, questions: list[Question]) -> None:
    half = len(questions) // 2
    with flywheel_log.context(workload_id=workload):
        ask(server, questions[:half])
        asyncio.run(ask_async(server, questions[half:]))


def ask_for_trouble(server: Server) -> None:
    """Chats, tools, errors, a stream that is left and one that is never read, in one workload."""
    with flywheel_log.context(workload_id="mixed"), recorded(server) as client:
        create = client.chat.completions.create
        for number in range(10):
            create(**question(number))
            create(**question(number, tools=[WEATHER], n=2))
            for status in (400, 401, 404, 429, 500):
                with suppress(openai.APIStatusError):
                    create(**{**question(number), "model": f"error-{status}"})
            with create(**question(number, stream=True)) as stream:
                next(iter(stream))
            create(**question(number, stream=True)).close()
            with suppress(openai.APIConnectionError):
                client.with_options(base_url=NOBODY).chat.completions.create(**question(number))


def test_what_the_sdk_was_asked_satisfies_every_rule(where: str, api: Api, server: Server) -> None:
    ask_in_all_ways(server, "chat", [question(number) for number in range(CHATS)])
    ask_in_all_ways(server, "weather.tool", [question(number, tools=[WEATHER]) for number in range(CHATS)])
    ask_for_trouble(server)
    assert flywheel_log.flush(60) == 0
    documents = list(api.sources(where).values())
    usable = [document for document in documents if document["workload_id"] != "mixed"]
    assert (len(documents), len(usable)) == (2 * CHATS + 100, 2 * CHATS)
    assert [problem for document in documents for problem in fatal(document)] == []
    assert [problem for document in usable for problem in unusable(document)] == []
    assert [name for document in documents for name in unsafe_names(document)] == []
    assert enough(usable, ENOUGH) == {}
    assert mixed(usable) == set()
    kept = [document["response"]["flywheel_log"]["status"] for document in documents]
    assert {status: kept.count(status) for status in set(kept)} == {"ok": 2 * CHATS + 20, "error": 60, "incomplete": 20}


def test_what_is_asked_last_is_delivered_at_exit_over_a_connection_there_has_been(
    elasticsearch_url: str, api: Api, index: str
) -> None:
    url = url_of(elasticsearch_url, index, linger="0.05")
    ended = subprocess.run([sys.executable, "-c", LAST_WORDS, url], check=True, capture_output=True, text=True)
    assert (ended.stderr, len(api.ids(index))) == ("", 2)
