"""What is new in a request that is sent again."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

import flywheel_log
from flywheel_log.loop.replay.change import Change, Text, Unfit

from .events import call

USER = {"role": "user", "content": "Where is my order?"}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def changed(change: Change, **request: Any) -> dict[str, Any]:
    event = call()
    event["request"] |= request
    before = deepcopy(event)
    made = change.of(event)
    assert event == before
    return made


def test_a_model_is_replaced_and_all_else_stays():
    assert changed(Change("new"), seed=7) == {"model": "new", "messages": call()["request"]["messages"], "seed": 7}


def test_a_text_replaces_the_first_system_message():
    first, second = {"role": "developer", "content": "Be brief."}, {"role": "system", "content": "The date is …"}
    made = changed(Change(prompt=Text("Be kind.", "2")), messages=[first, second, USER])
    assert made["messages"] == [{"role": "developer", "content": "Be kind."}, second, USER]


def test_without_a_system_message_the_text_is_put_first():
    made = changed(Change(prompt=Text("Be kind.", "2")), messages=[USER])
    assert made["messages"] == [{"role": "system", "content": "Be kind."}, USER]


def test_the_message_of_the_user_may_be_the_one():
    content = [{"type": "text", "text": "Where"}, PICTURE, {"type": "text", "text": "is it?"}]
    made = changed(
        Change(prompt=Text("Find it.", "2"), role="user"), messages=[{"role": "user", "content": content}, USER]
    )
    assert made["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Find it."}, PICTURE]}, USER]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"instructions": "Be brief.", "input": "Where?"}, {"instructions": "Be kind.", "input": "Where?"}),
        ({"input": "Where?"}, {"instructions": "Be kind.", "input": "Where?"}),
        (
            {"input": [{"role": "system", "content": "Be brief."}, USER]},
            {"input": [{"role": "system", "content": "Be kind."}, USER]},
        ),
    ],
)
def test_responses_have_instructions_or_a_system_message(asked: dict[str, Any], expected: dict[str, Any]):
    event = call(surface="responses")
    event["request"] = {"model": "gpt-4.1", **asked}
    assert Change(prompt=Text("Be kind.", "2")).of(event) == {"model": "gpt-4.1", **expected}


PROMPT = flywheel_log.Prompt("support", "3", "In {words} words about {topic}:")


def stamped(role: str, name: str = "support", **variables: Any) -> Any:
    event = call(prompt={"name": name, "version": "2", "variables": variables})
    event["request"]["messages"] = [
        {"role": "user", "content": "Hello"},
        {"role": role, "content": "About orders, in 20 words, please:"},
    ]
    return event


def test_a_template_is_filled_in_with_the_logged_variables_where_they_were():
    event = stamped("user", words=20, topic="orders", tone="kind")
    change = Change(prompt=PROMPT, role="user")
    made = change.of(event)["messages"]
    assert made == [{"role": "user", "content": "Hello"}, {"role": "user", "content": "In 20 words about orders:"}]
    assert change.stamp(event) == {"prompt": PROMPT.stamp({"words": 20, "topic": "orders"})}


@pytest.mark.parametrize(
    ("event", "change", "reason"),
    [
        (stamped("system", "other", words=20, topic="orders"), Change(prompt=PROMPT), "other_prompt"),
        (call(), Change(prompt=PROMPT), "other_prompt"),
        (stamped("system", words=20), Change(prompt=PROMPT), "variables"),
        (stamped("user", words=20, topic="orders"), Change(prompt=PROMPT), "prompt_not_found"),
        (stamped("system", words=20, topic="orders"), Change(prompt=PROMPT, role="user"), "prompt_not_found"),
        (stamped("system", topic="orders"), Change(prompt=Text("On {topic}:", "3")), "unfilled"),
    ],
)
def test_a_prompt_that_does_not_go_with_a_request_is_not_forced_upon_it(event: Any, change: Change, reason: str):
    with pytest.raises(Unfit, match=f"^{reason}$"):
        change.of(event)


def test_braces_that_are_no_variables_on_record_are_sent_as_they_are():
    made = Change(prompt=Text('Answer {"as": "JSON"}', "3")).of(stamped("system", topic="orders"))
    assert made["messages"][1]["content"] == 'Answer {"as": "JSON"}'


def test_a_text_keeps_the_name_of_the_prompt_that_it_replaces():
    stamp = Change(prompt=Text("Be kind.", "3")).stamp
    assert stamp(stamped("system"))["prompt"]["name"] == "support"
    assert stamp(call()) == {"prompt": {"version": "3", "template_hash": "9cc11283e899a1a2"}}
