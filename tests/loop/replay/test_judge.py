"""A model as the judge of old and new."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from flywheel_log.loop.replay.change import Unfit
from flywheel_log.loop.replay.judge import Judged, cost, question, stamp, verdicts
from flywheel_log.loop.replay.origin import is_ours, of_run
from flywheel_log.pipeline.price import Prices

from .events import call, replayed

IDS = [f"r-{number}" for number in range(20)]


def shown(old: Any, new: Any) -> str:
    content: str = question(old, {old["id"]: new}, "judge")["messages"][1]["content"]
    return content


def verdict(said: str, first: str, of: str = "r-1", run: str = "run") -> Any:
    return call(f"j-{of}", answer=said, metadata={"judge": {"of": of, "run": run, "first": first}})


def test_the_judge_sees_what_was_asked_and_both_answers():
    text = shown(call("r-1", answer="Old."), replayed("r-1", answer="New."))
    assert text.startswith("<conversation>\nuser: Where is my order?\n</conversation>")
    assert ("Old." in text, "New." in text, "Be brief." in text) == (True, True, False)


def test_the_order_is_chance_and_the_record_knows_it():
    firsts = Counter()
    for identity in IDS:
        old = call(identity, answer="Old.")
        text = shown(old, replayed(identity, answer="New."))
        first = "new" if text.index("New.") < text.index("Old.") else "old"
        assert stamp(old, "run")["metadata"]["judge"] == {"of": identity, "run": "run", "first": first}
        firsts[first] += 1
    assert min(firsts.values()) >= 4


@pytest.mark.parametrize(
    ("news", "reason"),
    [
        ({}, "unanswered"),
        ({"r-1": replayed("r-1", response={"error": {}})}, "unanswered"),
        ({"r-1": replayed("r-1")}, "same_answer"),
    ],
)
def test_there_must_be_something_to_judge(news: dict[str, Any], reason: str):
    with pytest.raises(Unfit, match=reason):
        question(call(), news, "judge")


@pytest.mark.parametrize(
    ("said", "first", "side"),
    [
        ("FIRST", "new", "new"),
        ("second.", "new", "old"),
        ("**First**", "old", "old"),
        ("SECOND", "old", "new"),
        ("It is a tie: TIE", "old", "tie"),
        ("FIRST or SECOND", "old", "unreadable"),
        ("no idea", "old", "unreadable"),
    ],
)
def test_a_word_is_a_verdict(said: str, first: str, side: str):
    assert verdicts([verdict(said, first)]) == {"r-1": side}


def test_no_answer_is_no_verdict_and_what_can_be_read_counts_before_what_cannot():
    failed = verdict("", "old") | {"status": "error"}
    log = [failed, verdict("TIE", "old", "r-2"), verdict("no idea", "old", "r-2")]
    assert verdicts(log) == {"r-2": "tie"}


def test_verdicts_are_those_of_the_run_and_the_latest_counts():
    log = [verdict("FIRST", "old", "r-2"), verdict("TIE", "old"), verdict("FIRST", "old", run="other"), call()]
    assert verdicts(of_run([*log, verdict("FIRST", "new")], "run")) == {"r-2": "old", "r-1": "new"}


def test_what_a_judge_says_is_not_replayed():
    assert is_ours(verdict("FIRST", "old"))


def test_a_verdict_costs_its_question_and_a_word():
    asked = question(call(answer="x" * 400), {"r-1": replayed("r-1", answer="y" * 400)}, "judge")
    found = cost(call(), asked, Prices({"judge": {"input": 1.0, "output": 10.0}}), "2026-02-01T00:00:00.000Z")
    assert found.output_tokens == 8
    assert found.input_tokens > 200
    assert found.cost_usd == pytest.approx((found.input_tokens + 80) / 1e6)


def judged(*found: tuple[Any, int | None]) -> Judged:
    whole = Judged()
    for one, place in found:
        whole.add(one, place)
    return whole


def test_ties_do_not_count():
    many = judged(*[("new", None)] * 10, *[("tie", None)] * 50, *[("unreadable", None)] * 3)
    assert (many.counts, many.chance()) == (Counter(new=10, tie=50, unreadable=3), 2 / 2**10)
    assert (judged(*[("tie", None)] * 5).chance(), judged(("unreadable", None)).chance()) == (1.0, None)


def test_verdicts_of_one_conversation_are_not_those_of_many():
    """That the new answers suit ten conversations of four turns each is what ten verdicts say."""
    assert judged(*[("new", number // 4) for number in range(40)]).chance() == 2 / 2**10
