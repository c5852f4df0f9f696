"""Old beside new."""

from __future__ import annotations

import random
from typing import Any

import pytest

from flywheel_log.loop.feedback import Feedbacks
from flywheel_log.loop.replay.agreement import Agreement, normalised, similarity
from flywheel_log.loop.replay.origin import of_run
from flywheel_log.loop.replay.pairs import Pairs, pairs, replays, runs
from flywheel_log.loop.statistics.estimate import Share

from .events import call, replayed

NONE = Feedbacks(())


def tools(*calls: tuple[str, str], text: str | None = None) -> Any:
    wanted = [{"type": "function", "function": {"name": name, "arguments": arguments}} for name, arguments in calls]
    message = {"role": "assistant", "content": text, "tool_calls": wanted}
    return call(response={"choices": [{"message": message, "finish_reason": "tool_calls"}]})


def test_each_original_is_paired_with_its_answer_of_the_run():
    log = [
        call("a"),
        call("b"),
        call("never"),
        replayed("a", answer="new a"),
        replayed("a", "other", answer="other a"),
        replayed("b", status="error", response={}),
        replayed("b", answer="new b"),
        replayed("gone"),
        call("a"),
    ]
    found = [(old["id"], new["response"]) for old, new in pairs(log, replays(of_run(log, "run")))]
    assert found == [("a", replayed("a", answer="new a")["response"]), ("b", replayed("b", answer="new b")["response"])]


def test_an_answer_counts_before_a_later_failure_and_the_latest_before_others():
    log = [
        replayed("a", answer="1", timestamp="2026-01-01T00:00:01Z"),
        replayed("a", answer="3", timestamp="2026-01-01T00:00:03Z"),
        replayed("a", answer="2", timestamp="2026-01-01T00:00:02Z"),
        replayed("a", status="error", response={}, timestamp="2026-01-01T00:00:09Z"),
    ]
    (kept,) = replays(of_run(log, "run")).values()
    assert (kept["timestamp"], "request" in kept) == ("2026-01-01T00:00:03Z", False)


def test_the_runs_of_a_log_end_with_the_last():
    early, late = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    log = [
        replayed("a", "two", timestamp=late),
        replayed("a", "one", timestamp=early),
        call(),
        replayed("b", "one", timestamp=early),
    ]
    assert list(runs(log).items()) == [("one", 2), ("two", 1)]


@pytest.mark.parametrize(
    ("old", "new", "exact", "alike"),
    [
        (call(answer="On its way."), call(answer="On its way."), True, True),
        (call(answer="On its way."), call(answer="on  its way!"), False, True),
        (call(answer='{"a": 1, "b": [2]}'), call(answer='{"b":[2],"a":1.0}'), False, True),
        (call(answer='{"a": 1}'), call(answer='{"a": 2}'), False, False),
        (call(answer="ﬁne, 100 ℃"), call(answer="fine 100 °C"), False, True),
        (call(answer="Yes."), call(answer="No."), False, False),
        (tools(("f", '{"a": 1, "b": 2}')), tools(("f", '{"b": 2, "a": 1}')), True, True),
        (tools(("f", "{}")), tools(("g", "{}")), False, False),
        (tools(("f", "{}")), call(answer=""), False, False),
    ],
)
def test_answers_agree_to_the_letter_or_in_what_they_say(old: Any, new: Any, exact: bool, alike: bool):
    found = Agreement()
    found.add(old, new)
    assert (found.exact, found.normalised) == (Share(int(exact), 1), Share(int(alike), 1))


def test_parallel_tool_calls_have_no_order_but_a_number():
    found = Agreement()
    found.add(tools(("f", "{}"), ("g", "{}")), tools(("g", "{}"), ("f", "{}")))
    found.add(tools(("f", "{}"), ("f", "{}")), tools(("f", "{}")))
    found.add(tools(("f", "{not json")), tools(("f", "{not json")))
    found.add(call(), call())
    assert found.tool_calls == Share(2, 3)


def test_what_lacks_an_answer_agrees_with_nothing():
    found = Agreement()
    found.add(call(), call(response={"error": {}}, status="error"))
    assert found == Agreement()


def test_answers_of_one_conversation_agree_as_one():
    alone, together = Pairs(), Pairs()
    for number in range(40):
        old, new = call(answer=f"{number // 4 % 2}"), replayed("r-1", answer="1")
        alone.add(old, new, NONE)
        together.add(old | {"session_id": f"s-{number // 4}"}, new, NONE)
    assert together.agreement.exact.effective < 12 < alone.agreement.exact.effective == 40


def test_similarity_is_the_share_of_words_in_common_and_in_order():
    assert similarity("one two three four", "One, two THREE five!") == pytest.approx(6 / 8)
    assert (similarity("a b", "c"), similarity("a b", "A b.")) == (0.0, 1.0)


@pytest.mark.parametrize("text", ["123", "true", '"on"'])
def test_a_bare_value_is_a_word(text: str):
    assert normalised(text) == normalised(f"{text}.")


def latencies(shift: float, count: int = 40) -> Pairs:
    """Requests that take from 0.1 s to 4 s, each of them *shift* ms longer, give or take 5 ms, when sent again."""
    dice, found = random.Random(5), Pairs()
    for number in range(count):
        before = 100.0 * (number + 1)
        after = before + shift + dice.uniform(-5, 5)
        found.add(call(latency_ms=before), replayed("r-1", latency_ms=after), NONE)
    return found


def test_pairs_tell_a_difference_that_hides_in_the_scatter():
    """The means differ by 1 % of what the requests differ from each other: only as pairs can it be seen."""
    by_name = {one.name: one for one in latencies(20).differences()}
    assert (by_name["latency_ms"].differs, by_name["error_rate"].differs) == (True, False)
    assert by_name["latency_ms"].b.value - by_name["latency_ms"].a.value == pytest.approx(20, abs=2)  # type: ignore[operator]
    assert not {one.name: one for one in latencies(0).differences()}["latency_ms"].differs


def test_rates_are_tested_by_the_pairs_that_differ():
    found = Pairs()
    for number in range(30):
        failed = number < 12
        old = call(status="error", response={"error": {}}) if failed else call(answer="abc")
        found.add(old, replayed("r-1", answer="abcd"), NONE)
    by_name = {one.name: one for one in found.differences()}
    error = by_name["error_rate"]
    assert (found.count, error.a, error.b, error.differs) == (30, Share(12, 30), Share(0, 30), True)
    assert (by_name["answer_characters"].a.of, by_name["answer_characters"].b.value) == (18, 4.0)


def test_a_number_that_only_one_of_a_pair_has_is_not_compared():
    found = Pairs()
    found.add(call(cost_usd=1.0, latency_ms=1.0), replayed("r-1", latency_ms=2.0), NONE)
    names = {one.name for one in found.differences()}
    assert ("cost_usd" in names, "latency_ms" in names) == (False, True)


@pytest.mark.parametrize(("session", "differs"), [("s-1", False), (None, True)])
def test_one_long_conversation_is_no_difference(session: str | None, differs: bool):
    found = Pairs()
    for number in range(40):
        mine = {"session_id": session and (session if number < 25 else f"s-{number}")}
        after = 110.0 if number < 25 or number % 2 else 90.0
        found.add(call(latency_ms=100.0, **mine), replayed("r-1", latency_ms=after), NONE)
    assert {one.name: one.differs for one in found.differences()}["latency_ms"] == differs
