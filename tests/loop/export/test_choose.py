"""Which calls a dataset takes."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from flywheel_log.loop.export.choose import choose
from flywheel_log.loop.export.example import example
from flywheel_log.loop.export.recipe import Recipe
from flywheel_log.loop.export.shelf import Shelf
from flywheel_log.loop.feedback import Feedback, Feedbacks

ITEMS = {"output": [{"role": "assistant", "content": [{"type": "output_text", "text": "So."}]}]}

SEARCHED = {"output": [{"type": "web_search_call"}, *ITEMS["output"]]}


def call(number: int = 1, *, asked: str = "Why?", said: str | None = "Because.", **fields: Any) -> dict[str, Any]:
    return {
        "id": f"r-{number}",
        "timestamp": f"2026-01-31T10:00:{number:02}.000Z",
        "kind": "llm",
        "status": "ok",
        "request": {"messages": [{"role": "user", "content": asked}]},
        "response": {"choices": [{"message": {"role": "assistant", "content": said, "refusal": None}}]},
        **fields,
    }


def said(target: str, **quality: object) -> dict[str, Any]:
    return {"timestamp": "2026-01-31T11:00:00.000Z", "kind": "feedback", "target": target, "quality": quality}


def chosen(*events: Any, recipe: Recipe | None = None, pairs: bool = False) -> tuple[list[Any], dict[str, int]]:
    with TemporaryDirectory() as folder, Shelf(Path(folder)) as shelf:
        taken, dropped = choose(events, Feedbacks(events), recipe or Recipe(), shelf, pairs=pairs)
        examples = [shelf.get(one) for one in taken]
    return [(one.id, (one.answer or {}).get("content")) for one in examples], dict(dropped)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "error", "response": {"error": {}}}, "unsafe_error"),
        ({"said": None, "training_unsafe": ["refusal"]}, "unsafe_refusal"),
        ({"status": "incomplete"}, "unsafe_incomplete"),
        ({"training_unsafe": ["length"]}, "unsafe_length"),
        ({"said": None}, "no_answer"),
        ({"response": {"choices": [{"finish_reason": "length", "message": {"content": "So"}}]}}, "unsafe_length"),
        ({"response": {"content": [{"type": "text", "text": "So"}], "stop_reason": "max_tokens"}}, "unsafe_length"),
        ({"request": {"input": "And?", "previous_response_id": "resp_1"}, "response": ITEMS}, "unsafe_server_state"),
        ({"request": {"input": "And?", "conversation": {"id": "c"}}, "response": ITEMS}, "unsafe_server_state"),
        (
            {"request": {"input": [{"type": "item_reference", "id": "r"}, "?"]}, "response": ITEMS},
            "unsafe_server_state",
        ),
        ({"surface": "responses", "request": {"input": "?"}, "response": SEARCHED}, "unsafe_hosted_tool"),
        ({"request": {"input": "x"}}, "no_chat"),
        ({"hallucination_flag": True}, "hallucination"),
        ({"quality": {"thumbs": "down"}}, "rated_bad"),
        ({"input_tokens": 60, "output_tokens": 41}, "too_long"),
        ({"asked": "x" * 500}, "too_long"),
    ],
)
def test_a_call_is_left_out_with_its_reason(fields: dict[str, Any], reason: str):
    assert chosen(call(**fields), recipe=Recipe(max_tokens=100)) == ([], {reason: 1})


def test_the_first_of_several_answers_is_taken_though_another_was_cut():
    whole, cut = (
        {"finish_reason": finish, "message": {"role": "assistant", "content": said}}
        for finish, said in (("stop", "Because."), ("length", "Beca"))
    )
    log = {"request": {"messages": [{"role": "user", "content": "Why?"}], "n": 2}, "training_unsafe": ["length"]}
    assert chosen(call(response={"choices": [whole, cut]}, **log)) == ([("r-1", "Because.")], {})
    assert chosen(call(response={"choices": [cut, whole]}, **log)) == ([], {"unsafe_length": 1})
    judged = call(response={"choices": [whole, cut]}, **log | {"training_unsafe": ["length", "off_topic"]})
    assert chosen(judged) == ([], {"unsafe_off_topic": 1})


CUSTOM = {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "sql", "input": "x"}}]}


@pytest.mark.parametrize(
    "fields",
    [
        {"response": {"choices": [{"message": CUSTOM}]}},
        {"request": {"messages": [{"role": "user", "content": "?"}, CUSTOM, {"role": "tool", "content": "1"}]}},
    ],
)
def test_a_tool_of_free_text_cannot_be_taught(fields: dict[str, Any]):
    assert chosen(call(**fields)) == ([], {"unsafe_custom_tool": 1})
    assert chosen(call(**fields), said("r-1", correction="Since."))[0] == (
        [("r-1", "Since.")] if "response" in fields else []
    )


def test_a_correction_takes_the_place_of_what_a_search_found():
    searched = call(surface="responses", request={"input": "?"}, response=SEARCHED)
    assert chosen(searched, said("r-1", correction="Since.")) == ([("r-1", "Since.")], {})


def test_what_replay_sent_is_left_out_unless_it_is_wanted():
    again = call(2, said="Since.", metadata={"replay": {"of": "r-1", "run": "x"}})
    judged = call(3, said="FIRST", metadata={"judge": {"of": "r-1", "run": "x", "first": "new"}})
    assert chosen(call(1), again, judged) == ([("r-1", "Because.")], {"replay": 1, "judge": 1})
    assert chosen(again, judged, recipe=Recipe(replays=True)) == ([("r-2", "Since.")], {"judge": 1})


@pytest.mark.parametrize("said", ["", " \n", []])
def test_to_say_nothing_is_no_answer(said: Any):
    assert chosen(call(said=said)) == ([], {"no_answer": 1})


def test_what_is_no_call_of_a_chat_is_not_counted():
    assert chosen(call(kind="embedding"), call(kind="step")) == ([], {})


def test_unsafe_ones_are_taken_on_request():
    assert chosen(call(training_unsafe=["length"]), recipe=Recipe(unsafe=True)) == ([("r-1", "Because.")], {})


def test_a_correction_is_what_is_learnt():
    cut = call(training_unsafe=["length"], hallucination_flag=True)
    assert chosen(cut, said("r-1", correction="Since.", thumbs="down")) == ([("r-1", "Since.")], {})


def test_a_correction_may_be_a_message():
    message = {"role": "assistant", "content": "Since.", "refusal": None}
    assert chosen(call(), said("r-1", correction=message)) == ([("r-1", "Since.")], {})


def test_a_correction_does_not_mend_the_question():
    assert chosen(call(training_unsafe=["trimmed"]), said("r-1", correction="x")) == ([], {"unsafe_trimmed": 1})


def test_pairs_need_the_bad_ones_too():
    assert chosen(call(quality={"thumbs": "down"}), pairs=True) == ([("r-1", "Because.")], {})


def test_of_equal_calls_the_best_rated_then_the_newest_is_kept():
    assert chosen(call(1), call(2)) == ([("r-2", "Because.")], {"duplicate": 1})
    assert chosen(call(1), call(2), said("r-1", thumbs="up")) == ([("r-1", "Because.")], {"duplicate": 1})
    assert chosen(call(1), call(2), recipe=Recipe(dedup="none"))[1] == {}


def test_other_answers_and_other_tools_are_no_duplicates():
    tools = {"messages": call()["request"]["messages"], "tools": [{"type": "function", "function": {"name": "f"}}]}
    assert len(chosen(call(1), call(2, said="Else."), call(3, request=tools))[0]) == 3


def test_similar_calls_are_found_among_others():
    text = "please tell me in which of the many towns of the south the train to the lakes will stop today at noon"
    events = [
        call(1, asked=text),
        call(2, asked=text + " sharp"),
        call(3, asked="something else altogether is asked here"),
    ]
    taken, dropped = chosen(*events, recipe=Recipe(dedup="near", similarity=0.7))
    assert ([identity for identity, _ in taken], dropped) == (["r-2", "r-3"], {"duplicate": 1})


def test_what_all_calls_are_told_makes_none_of_them_similar():
    rules = {"role": "system", "content": " ".join(f"Rule {number} holds." for number in range(200))}
    shots = [{"role": "user", "content": "Of Bavaria?"}, {"role": "assistant", "content": "Munich is the capital."}]
    events = [call(number, said=f"It is town {number}.") for number in range(10)]
    for number, event in enumerate(events):
        asked = {"role": "user", "content": f"What is the capital of land {number}?"}
        event["request"] = {"messages": [rules, *shots, asked]}
    assert chosen(*events, recipe=Recipe(dedup="near"))[1] == {}


def test_counts_that_are_no_numbers_are_not_counted():
    assert chosen(call(input_tokens=float("nan"), output_tokens=1), recipe=Recipe(max_tokens=9))[1] == {}


def test_calls_of_other_apis_are_chats_too():
    responses = call(1, request={"input": "Why?"}, response={"output": [{"role": "assistant", "content": "So."}]})
    anthropic = call(2, asked="How?", response={"content": [{"type": "text", "text": "Thus."}]})
    assert chosen(responses, anthropic) == ([("r-1", "So."), ("r-2", "Thus.")], {})


def test_a_tool_call_of_another_api_is_one_of_a_chat():
    block = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Ulm"}}
    tools = [{"name": "weather", "input_schema": {"type": "object"}}]
    event = call(1, response={"content": [block]})
    event["request"]["tools"] = tools
    found = example(event, Feedback())
    assert found is not None
    assert found.answer == {
        "role": "assistant",
        "tool_calls": [
            {"id": "toolu_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Ulm"}'}}
        ],
    }
    assert found.tools == [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
