"""Examples into sets."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_log.loop.export.example import Example
from flywheel_log.loop.export.recipe import Recipe
from flywheel_log.loop.export.split import split
from flywheel_log.loop.feedback import Feedback


def made(
    number: int, *, asked: str | None = None, tool: str = "", before: tuple[str, ...] = (), **fields: Any
) -> Example:
    event: Any = {"id": f"r-{number:04}", "timestamp": "2026-01-31T10:00:00.000Z", "kind": "llm", **fields}
    calls = {"tool_calls": [{"type": "function", "function": {"name": tool}}]} if tool else {}
    answer = {"role": "assistant", "content": f"Answer {number}", **calls}
    said = [*before, asked or f"Question {number}"]
    turns = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(said)]
    return Example(event, [{"role": "system", "content": "Be brief."}, *turns], answer, answer, Feedback())


def ids(examples: list[Example]) -> list[str]:
    return [one.id for one in examples]


def sizes(sets: dict[str, list[Example]]) -> dict[str, int]:
    return {name: len(some) for name, some in sets.items()}


def test_the_shares_are_those_of_so_many_draws():
    sets = split([made(number) for number in range(2500)], Recipe(eval_share=0.2, validation_share=0.1))
    # Three standard deviations of as many independent draws.
    assert sizes(sets) == {
        "train": pytest.approx(1750, abs=3 * (2500 * 0.7 * 0.3) ** 0.5),
        "validation": pytest.approx(250, abs=3 * (2500 * 0.1 * 0.9) ** 0.5),
        "eval": pytest.approx(500, abs=3 * (2500 * 0.2 * 0.8) ** 0.5),
    }


def test_a_conversation_stays_in_its_set_as_the_log_grows_and_with_other_recipes():
    examples = [made(number) for number in range(400)]
    early, late = split(examples[:200], Recipe()), split(examples, Recipe())
    assert {name: set(ids(early[name])) - set(ids(late[name])) for name in early} == {
        "train": set(),
        "validation": set(),
        "eval": set(),
    }
    assert split(examples, Recipe(validation_share=0.3))["eval"] == late["eval"]


@pytest.mark.parametrize("count", [10, 12, 20])
def test_few_conversations_are_enough_for_one_in_each_set(count: int):
    for seed in range(20):
        assert min(sizes(split([made(number) for number in range(count)], Recipe(seed=seed))).values()) > 0


@pytest.mark.parametrize("count", [1, 3, 9])
def test_fewer_are_all_learnt(count: int):
    """To validate with the one call that there is leaves nothing to train with."""
    for seed in range(20):
        found = split([made(number) for number in range(count)], Recipe(seed=seed))
        assert sizes(found) == {"train": count, "validation": 0, "eval": 0}


def test_what_every_request_begins_with_does_not_make_them_one_conversation():
    shots = ("2 + 2", "4", "3 + 3", "6")
    sets = split([made(number, before=shots) for number in range(200)], Recipe())
    assert min(sizes(sets).values()) > 10


def test_the_turns_of_a_conversation_stay_together():
    said = [("Hello {}", "Hi.", "How?", "So.", "Why?")[:end] for end in (1, 3, 5)]
    turns = [[text.format(talk) for text in one] for talk in range(100) for one in said]
    examples = [made(number, before=tuple(one[:-1]), asked=one[-1]) for number, one in enumerate(turns)]
    talks = [examples[at : at + 3] for at in range(0, 300, 3)]
    sets = split(examples, Recipe())
    assert {sum(one in talk for one in some) for some in sets.values() for talk in talks} == {0, 3}


def test_a_conversation_stays_in_its_set_when_its_first_answer_is_left_out():
    first = [made(2 * number, asked=f"Hello {number}") for number in range(200)]
    second = [made(2 * number + 1, before=(f"Hello {number}", "Hi."), asked="How?") for number in range(200)]
    whole, left = split([*first, *second], Recipe()), split([*first[100:], *second], Recipe())
    assert {name: [one for one in some if one in second] for name, some in whole.items()} == {
        name: [one for one in some if one in second] for name, some in left.items()
    }


def test_a_conversation_that_is_larger_than_a_set_is_learnt():
    for seed in range(20):
        sets = split(
            [*(made(n, session_id="s") for n in range(60)), *(made(n) for n in range(60, 100))], Recipe(seed=seed)
        )
        assert sum(one.event.get("session_id") == "s" for one in sets["train"]) == 60


def test_a_share_of_nothing_is_no_set():
    assert list(split([made(1)], Recipe(eval_share=0, validation_share=0))) == ["train"]


def test_each_tool_is_in_each_set():
    examples = [made(number, tool=("rare" if number < 10 else "often")) for number in range(110)]
    sets = split(examples, Recipe())
    assert min(sum(one.tool == tool for one in some) for some in sets.values() for tool in ("rare", "often")) > 0


def test_the_seed_decides_and_the_order_of_the_log_does_not():
    examples = [made(number) for number in range(60)]
    shuffled = random.Random(7).sample(examples, len(examples))
    first, again, other = split(examples, Recipe()), split(shuffled, Recipe()), split(examples, Recipe(seed=1))
    assert (first, first == other) == (again, False)


@pytest.mark.parametrize("fields", [{"session_id": "s"}, {"trace_id": "t"}, {"asked": "Hello"}])
def test_a_conversation_is_in_one_set(fields: dict[str, str]):
    talk = [made(number, **fields) for number in range(10)]
    sets = split([*talk, *(made(number) for number in range(10, 40))], Recipe(0.3, 0.3))
    assert sorted(sum(one in talk for one in some) for some in sets.values()) == [0, 0, 10]


def test_conversations_are_joined_through_others():
    chain = [made(1, session_id="a"), made(2, session_id="a", trace_id="t"), made(3, trace_id="t", asked="x")]
    sets = split([*chain, made(4, asked="x"), *(made(number) for number in range(5, 30))], Recipe(0.3, 0.3))
    assert [sum(one in [*chain, made(4, asked="x")] for one in some) for some in sets.values()].count(0) == 2


people = st.tuples(
    st.sampled_from(["", "a", "b", "c"]), st.sampled_from(["", "t", "u"]), st.sampled_from("pqrstuvwxyz")
)


@given(st.lists(people, max_size=30), st.integers(-5, 5))
@settings(max_examples=200)
def test_nothing_is_lost_and_no_key_is_in_two_sets(log: list[tuple[str, str, str]], seed: int):
    examples = [
        made(number, asked=asked, session_id=session, trace_id=trace)
        for number, (session, trace, asked) in enumerate(log)
    ]
    sets = split(examples, Recipe(0.3, 0.3, seed=seed))
    assert sorted(one.id for some in sets.values() for one in some) == ids(examples)
    for key in ("session_id", "trace_id"):
        keys = [{one.event[key] for one in some if one.event[key]} for some in sets.values()]
        assert not keys[0] & keys[1] | keys[0] & keys[2] | keys[1] & keys[2]


def test_shares_that_are_more_than_the_whole_are_a_mistake():
    with pytest.raises(ValueError, match=r"eval share 0.9 and validation share 0.2 are not parts of 1"):
        Recipe(eval_share=0.9, validation_share=0.2)
