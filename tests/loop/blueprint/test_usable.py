"""What the blueprint makes of a single record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_log.loop.blueprint.usable import DROPPED, FATAL, dropped, fatal, stored, unsafe_name

CALL = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
ASKED = {"messages": [{"role": "user", "content": "Why?"}]}
ANSWERED = {"choices": [{"message": {"role": "assistant", "content": "Because."}}]}


def document(**changes: Any) -> dict[str, Any]:
    sound = {"timestamp": "2026-01-31T10:00:00Z", "client_id": "c", "workload_id": "w"}
    return {**sound, "request": ASKED, "response": ANSWERED, **changes}


def tools(parameters: object) -> dict[str, Any]:
    return {"request": {**ASKED, "tools": [{"type": "function", "function": {"name": "f", "parameters": parameters}}]}}


def properties(count: int) -> dict[str, Any]:
    return {"type": "object", "properties": {f"p{number}": {} for number in range(count)}}


def called(**changes: object) -> dict[str, Any]:
    return {"response": {"choices": [{"message": {"content": None, "tool_calls": [{**CALL, **changes}]}}]}}


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, []),
        ({"request": {}}, ["no_messages"]),
        ({"request": {"messages": []}}, ["no_messages"]),
        ({"request": {**ASKED, "tools": None}}, ["null_tools"]),
        ({"response": {"error": {"message": "no"}}}, ["failed"]),
        ({"response": {}}, ["no_choices"]),
        ({"response": {"choices": []}}, ["no_choices"]),
        ({"response": {"choices": [ANSWERED["choices"][0], {}]}}, ["no_message"]),
        (tools(properties(8)), []),
        (tools(properties(9)), ["tool_parameters"]),
        (tools(None), ["tool_parameters"]),
        (called(), []),
        (called(type=None), ["tool_call_type"]),
        (called(function={"name": "f", "arguments": "{torn"}), ["tool_arguments"]),
        (called(type="custom", function=None), ["tool_arguments", "tool_call_type"]),
    ],
)
def test_a_record_is_dropped_alone(changes: dict[str, Any], reasons: list[str]):
    assert (dropped(document(**changes)), fatal(document(**changes))) == (reasons, [])


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"request": None}, ["null_request"]),
        ({"response": None}, ["null_response"]),
        ({"response": {"choices": None}}, ["null_choices"]),
        ({"response": {"choices": [{"message": None}]}}, ["null_message"]),
        ({"request": {"messages": [{"role": "assistant"}]}}, ["no_content"]),
        ({"timestamp": "2024-05-16 10:07:54"}, ["odd_timestamp"]),
    ],
)
def test_a_record_ends_the_run(changes: dict[str, Any], reasons: list[str]):
    assert fatal(document(**changes)) == reasons


def test_our_own_records_are_judged_as_they_are_delivered():
    event = {
        "id": "r-1",
        "kind": "llm",
        **document(response={"choices": None}, request={"messages": [{"role": "user"}]}),
    }
    assert (fatal(stored(event)), dropped(stored(event))) == ([], ["no_choices"])


def test_another_loggers_are_judged_as_they_are():
    assert fatal(stored({"kind": "llm", **document(response=None)})) == ["null_response"]


def test_names_that_cannot_be_part_of_names_are_told():
    assert unsafe_name("client_id", "a" * 71) + unsafe_name("workload_id", "chat.tool-2_b") == []
    assert unsafe_name("client_id", "Acme") + unsafe_name("workload_id", "a" * 71) == [
        "client_id 'Acme' is not lower-case letters, digits and _, with single - or . between",
        f"workload_id {'a' * 71!r} has 71 characters; 70 are allowed",
    ]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["messages", "tools", "choices", "message", "tool_calls", "function", "arguments", "parameters"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)
objects = st.none() | st.dictionaries(st.sampled_from(["messages", "tools", "choices", "error"]), values, max_size=4)


@given(objects, objects)
@settings(max_examples=150)
def test_no_record_is_too_odd_to_be_judged(request_body: Any, response: Any):
    odd = document(request=request_body, response=response)
    assert (set(dropped(odd)) <= set(DROPPED), set(fatal(odd)) <= set(FATAL)) == (True, True)
