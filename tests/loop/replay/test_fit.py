"""Which records can be sent again."""

from __future__ import annotations

from typing import Any

import pytest

from flywheel_log.loop.replay.change import Change, Unfit
from flywheel_log.loop.replay.fit import REASONS, request_of

from .events import call


def asked(*messages: Any, **fields: Any) -> Any:
    return call(**fields) | {"request": {"model": "m", "messages": list(messages)}}


SYSTEM = {"role": "system", "content": "Write to [email]."}
PLACEHOLDER = asked(SYSTEM, redactions={"email": 1})
IN_THE_ANSWER = call(answer="Write to [email:3f9a52c07b1e].", redactions={"email": 1})
DROPPED = call(redactions={"email": 1})
RESPONSE = call(surface="responses")
SERVER = RESPONSE | {"request": {"model": "m", "input": "And now?", "previous_response_id": "resp_1"}}


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (call(surface="messages"), "surface"),
        (call(surface="completions"), "surface"),
        ({"timestamp": "t", "kind": "llm"}, "surface"),
        (asked(), "no_messages"),
        (call(request={"model": "m"}), "no_messages"),
        (asked({"role": "user"}), "no_messages"),
        (
            asked({"role": "user", "content": "Hi"}) | {"request": {"messages": [{"role": "user", "content": ""}]}},
            "no_model",
        ),
        (call(training_unsafe=["trimmed"]), "trimmed"),
        (call(trimmed={"strings": 1, "characters": 9000}), "trimmed"),
        (PLACEHOLDER, "redacted"),
        (DROPPED, "redacted"),
        (call(provider="groq"), "other_provider"),
        (SERVER, "server_state"),
    ],
)
def test_what_cannot_be_sent_says_why(event: Any, reason: str):
    with pytest.raises(Unfit, match=f"^{reason}$"):
        request_of(event, Change(), anywhere=False)
    assert reason in REASONS


TOOLS = asked({"role": "assistant", "content": None, "tool_calls": []}, {"role": "tool", "content": ""})


@pytest.mark.parametrize("event", [call(), IN_THE_ANSWER, TOOLS, call(status="error", response={"error": {}})])
def test_the_body_is_that_of_the_record(event: Any):
    assert request_of(event, Change(), anywhere=False) == event["request"]


def test_the_user_may_say_that_placeholders_and_other_providers_do_not_matter():
    event = PLACEHOLDER | {"provider": "groq"}
    assert request_of(event, Change(), redacted=True, anywhere=True) == event["request"]


def test_a_client_speaks_what_its_release_does():
    event = RESPONSE | {"request": {"model": "m", "input": "Hi"}}
    assert request_of(event, Change(), anywhere=False) == {"model": "m", "input": "Hi"}
    with pytest.raises(Unfit, match="surface"):
        request_of(event, Change(), surfaces=("chat.completions",), anywhere=False)


def test_a_record_of_another_logger_is_known_by_its_shape():
    flat = {"timestamp": "t", "kind": "llm", "request": {"messages": [{"role": "user", "content": "Hi"}]}}
    body = request_of(flat, Change("m"), anywhere=False)
    assert body == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
