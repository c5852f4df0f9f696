"""What a user's type checker makes of the public names; never executed, only checked by mypy --strict."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, assert_type

from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion

import flywheel_log
from flywheel_log import Event
from flywheel_log.testing import recording

# A client stays what it is.
client = assert_type(flywheel_log.instrument(OpenAI()), OpenAI)
assert_type(flywheel_log.instrument(AsyncOpenAI(), workload_id="summary", tags=["beta"]), AsyncOpenAI)
flywheel_log.instrument()
flywheel_log.uninstrument(client)
flywheel_log.uninstrument()


# A decorated function keeps its signature, with and without parentheses, of every kind.
@flywheel_log.logged_llm
def summarise(text: str, *, words: int = 50) -> ChatCompletion:
    return client.chat.completions.create(
        model="gpt-4.1-mini", messages=[{"role": "user", "content": f"{text} in {words}"}]
    )


@flywheel_log.logged_llm(workload_id="translation", user_id="u42")
async def translate(text: str) -> str:
    return text


@flywheel_log.logged_llm
def stream(text: str) -> Iterator[str]:
    yield text


@flywheel_log.logged_llm(tags=["live"])
async def stream_later(text: str) -> AsyncIterator[str]:
    yield text


class Assistant:
    @flywheel_log.logged_llm
    def answer(self, question: str) -> str:
        return question

    @flywheel_log.context(workload_id="greeting")
    def greet(self) -> str:
        return "hello"


assert_type(summarise("long", words=3), ChatCompletion)
assert_type(stream("text"), Iterator[str])
assert_type(stream_later("text"), AsyncIterator[str])
assert_type(Assistant().answer("why"), str)
assert_type(Assistant().greet(), str)
summarise(12)  # type: ignore[arg-type]
summarise("long", word=3)  # type: ignore[call-arg]


async def use_translation() -> None:
    assert_type(await translate("bonjour"), str)
    async with flywheel_log.context(session_id="s1"):
        await translate("salut")


# Who calls, and for what.
with flywheel_log.context(
    workload_id="summary", user_id="u42", session_id="s1", tags=("beta",), metadata={"plan": "pro"}, client_id="acme"
):
    summarise("long")
with flywheel_log.suppress():
    summarise("long")


# What belongs together, what was known, and what people thought of it.
@flywheel_log.step("rephrase")
async def rephrase(text: str) -> str:
    return text


async def use_rephrase() -> None:
    assert_type(await rephrase("why"), str)
    async with flywheel_log.trace("answer", user_id="u42", traceparent=None), flywheel_log.step("generate"):
        assert_type(flywheel_log.trace.current_traceparent(), str | None)


assert_type(flywheel_log.log_retrieval(["text", {"id": "doc7"}, ("text", 0.9)], query="why", scores=[0.9]), str | None)
assert_type(flywheel_log.log_feedback(summarise("long"), thumbs="up", rating=5), str | None)
flywheel_log.log_feedback("chatcmpl-1", thumbs="sideways")  # type: ignore[arg-type]
with flywheel_log.Prompt("support", version=3, template="Answer {question}").using(question="why") as prompt_text:
    assert_type(prompt_text, str)
assert_type(flywheel_log.metrics().prometheus(), str)

# The life of the recorder.
flywheel_log.configure(sinks=["file:genai.log", "stdout:"], content="off", processors=[])
assert_type(flywheel_log.flush(timeout=1.5), int)
assert_type(flywheel_log.shutdown(), int)
figures: Mapping[str, Any] = flywheel_log.stats()


# A function in a cloud.
@flywheel_log.invocation(timeout=1.0, workload_id="lambda")
def handle(event: dict[str, str], _: object) -> str:
    return event["question"]


assert_type(handle({"question": "why"}, None), str)


# Records are typed dictionaries.
for event in flywheel_log.read("genai.log"):
    assert_type(event, Event)
    assert_type(event["timestamp"], str)
    assert_type(event.get("latency_ms"), float | None)
    event["latency"]  # type: ignore[typeddict-item]

with recording(workload_id="test") as events:
    assert_type(events, list[Event])
