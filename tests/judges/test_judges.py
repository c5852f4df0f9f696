"""Judges: who they are, what they see, and that their verdicts reach the calls."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import openai
import pytest

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.judges import find, names
from flywheel_log.judges.moderation import judge
from flywheel_log.loop.reading.read import read
from flywheel_log.standin import Server

QUESTION = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "flag me"}]}


@pytest.fixture
def client(openai_environment: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI() as client:
        yield flywheel_log.instrument(client)


def recorded(*judges: Any, **settings: Any) -> Callable[[openai.OpenAI], list[Event]]:
    flywheel_log.configure(judges=judges, **settings)

    def ask(client: openai.OpenAI) -> list[Event]:
        with flywheel_log.trace("answer"):
            flywheel_log.log_retrieval([{"id": "doc7", "text": "The stand-in is no model. You said: flag me."}])
            client.chat.completions.create(**QUESTION)
        assert flywheel_log.flush() == 0
        return list(read(feedback=True))

    return ask


def call_of(events: list[Event]) -> Event:
    (call,) = (event for event in events if event["kind"] == "llm")
    return call


def test_the_judges_that_come_with_the_package() -> None:
    assert names() == ["grounding", "moderation"]


def test_an_unknown_judge_names_both_sides() -> None:
    with pytest.raises(ValueError, match="judge 'honesty' is unknown; expected one of grounding, moderation"):
        flywheel_log.configure(judges=["honesty"])


def test_what_is_no_judge_is_refused() -> None:
    with pytest.raises(TypeError, match="a judge is a name or a function of an event; got int"):
        find(7)  # type: ignore[arg-type]


def test_judges_are_named_in_the_environment(monkeypatch: pytest.MonkeyPatch, client: openai.OpenAI) -> None:
    monkeypatch.setenv("FLYWHEEL_LOG_JUDGES", "grounding, moderation")
    call = call_of(recorded_from_environment(client))
    assert (call["hallucination_flag"], call["safety"]["moderation"]["flagged"]) == (False, True)


def recorded_from_environment(client: openai.OpenAI) -> list[Event]:
    flywheel_log.configure()
    with flywheel_log.trace("answer"):
        flywheel_log.log_retrieval(["The stand-in is not a model. You said: flag me."])
        client.chat.completions.create(**QUESTION)
    assert flywheel_log.flush() == 0
    return list(read(feedback=True))


def test_a_function_judges_the_recorded_call_with_its_documents(client: openai.OpenAI) -> None:
    seen = []

    def length(event: Event) -> Mapping[str, Any]:
        seen.append((threading.current_thread().name, event["request"], event["retrieval_docs"][0]["text"]))
        return {"quality": {"length": len(event["response"]["choices"])}}

    call = call_of(recorded(length)(client))
    assert seen == [("flywheel_log:judge", QUESTION, "The stand-in is no model. You said: flag me.")]
    assert (call["quality"]["length"], call["quality"]["feedback"][0]["name"]) == (1, "length")


def test_a_verdict_is_found_beside_its_call(client: openai.OpenAI) -> None:
    with flywheel_log.context(workload_id="support", session_id="s1"):
        events = recorded(lambda _: {"hallucination_flag": True})(client)
    call = call_of(events)
    (verdict,) = (event for event in events if event["kind"] == "feedback")
    names = ("client_id", "workload_id", "session_id", "trace_id")
    assert verdict["target"] == call["id"]
    assert {key: verdict[key] for key in names} == {key: call[key] for key in names}  # type: ignore[literal-required]


def test_a_judge_that_fails_keeps_no_other_from_judging(client: openai.OpenAI) -> None:
    def broken(_: Event) -> Mapping[str, Any]:
        raise RuntimeError("no model today")

    call = call_of(recorded(broken, lambda _: {"nonsense": 1}, "grounding")(client))
    assert call["quality"]["grounding"]["method"] == "lexical_overlap"
    assert flywheel_log.stats()["dropped"] == {"judge_failed": 2}


@pytest.mark.parametrize(
    "odd",
    [
        lambda _: sys.exit(1),
        lambda _: asyncio.run(cancelled()),
        lambda _: stopped(),
        lambda _: {"quality": "great"},
        lambda _: {"safety": ["fine"]},
        lambda _: "quality",
    ],
    ids=["it exits", "it is cancelled", "it is stopped", "a word", "a list", "a text"],
)
def test_what_is_no_verdict_is_counted_and_the_next_answer_is_judged_too(client: openai.OpenAI, odd: Any) -> None:
    ask = recorded(odd, "grounding")
    for number in (1, 2):
        events = [event for event in ask(client) if event.get("name") == "grounding"]
        assert (len(events), flywheel_log.stats()["dropped"]) == (number, {"judge_failed": number})


async def cancelled() -> None:
    raise asyncio.CancelledError


def stopped() -> None:
    raise BaseExceptionGroup("all of its tasks", [KeyboardInterrupt()])


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ("good", "brevity returns a mapping of hallucination_flag, quality, safety, or None; got str"),
        (
            {"secret words": 1},
            "brevity returns a mapping of hallucination_flag, quality, safety, or None; got another key",
        ),
        ({"quality": 0.5}, "brevity: quality has a key for each finding; got float"),
    ],
)
def test_what_is_wrong_with_a_verdict_is_said_without_its_content(
    client: openai.OpenAI, caplog: pytest.LogCaptureFixture, odd: Any, told: str
) -> None:
    def brevity(_: Event) -> Any:
        return odd

    recorded(brevity)(client)
    assert f"flywheel_log: judge_failed ({told}); " in caplog.text


def test_a_verdict_that_says_nothing_is_none(client: openai.OpenAI) -> None:
    events = recorded(lambda _: {}, lambda _: {"quality": None, "safety": {}})(client)
    assert [event["kind"] for event in events] == ["retrieval", "llm", "step"]


def test_a_judge_may_change_what_it_is_given(client: openai.OpenAI) -> None:
    def clearing(event: Event) -> Mapping[str, Any]:
        cast("dict[str, Any]", event).clear()
        return {"quality": {"cleared": True}}

    call = call_of(recorded(clearing, "grounding")(client))
    assert (call["quality"]["cleared"], call["quality"]["grounding"]["method"]) == (True, "lexical_overlap")


async def later(event: Event) -> Mapping[str, Any]:
    return {"quality": {}}


class Later:
    async def __call__(self, event: Event) -> Mapping[str, Any]:
        return {"quality": {}}


@pytest.mark.parametrize("judge", [later, Later()])
def test_a_coroutine_function_is_refused_for_nobody_would_await_it(judge: Any) -> None:
    with pytest.raises(ValueError, match=r"judges: [lL]ater is a coroutine function, which nobody awaits"):
        flywheel_log.configure(judges=[judge])


def test_documents_whose_ids_are_left_out_are_nobodys_texts(client: openai.OpenAI) -> None:
    events = recorded("grounding", fields_deny=["retrieval_docs.id"])(client)
    assert ([event["kind"] for event in events], flywheel_log.stats()["dropped"]) == (["retrieval", "llm", "step"], {})


def test_calls_a_judge_makes_in_a_thread_pool_are_not_recorded_either(client: openai.OpenAI) -> None:
    def asking(_: Event) -> None:
        with ThreadPoolExecutor() as pool:
            pool.submit(client.chat.completions.create, **QUESTION).result()  # type: ignore[arg-type]

    events = recorded(asking)(client)
    assert [event["kind"] for event in events] == ["retrieval", "llm", "step"]


def test_a_judges_own_calls_are_not_recorded(client: openai.OpenAI) -> None:
    def asking(_: Event) -> Mapping[str, Any]:
        return {"quality": {"said": client.chat.completions.create(**QUESTION).object}}

    call = call_of(recorded(asking)(client))
    assert call["quality"]["said"] == "chat.completion"


def test_only_the_wanted_share_is_judged(client: openai.OpenAI) -> None:
    events = recorded("grounding", judged=0.0)(client)
    assert [event["kind"] for event in events] == ["retrieval", "llm", "step"]


def test_what_failed_is_not_judged(client: openai.OpenAI) -> None:
    flywheel_log.configure(judges=["moderation"])
    with pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(**{**QUESTION, "model": "error-401"})
    assert flywheel_log.flush() == 0
    assert [event["kind"] for event in read(feedback=True)] == ["llm"]


def test_judges_see_no_more_than_what_is_written(client: openai.OpenAI) -> None:
    seen = []

    def looking(event: Event) -> None:
        seen.append(event["retrieval_docs"][0]["text"])

    flywheel_log.configure(judges=[looking], redact="pii", reasoning="mask")
    with flywheel_log.trace("answer"):
        flywheel_log.log_retrieval(["Write to ada@example.com."])
        client.chat.completions.create(**QUESTION)
    assert flywheel_log.flush() == 0
    assert seen == ["Write to [email]."]


@pytest.mark.usefixtures("openai_environment")
def test_moderation_files_what_the_service_says() -> None:
    answer = {"choices": [{"message": {"role": "assistant", "content": "flag me"}}]}
    verdict = judge({"timestamp": "t", "kind": "llm", "response": answer})
    assert verdict == {
        "safety": {
            "moderation": {
                "flagged": True,
                "categories": ["harassment"],
                "scores": {"harassment": 0.9},
                "model": "omni-moderation-latest",
            },
            "of": "answer",
        }
    }
