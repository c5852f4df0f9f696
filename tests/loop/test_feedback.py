"""What was said about a call, and which call it was."""

from __future__ import annotations

import pytest

from flywheel_log.loop.feedback import Feedback, Feedbacks, opinion


def said(target: object = "run-1", **fields: object) -> dict[str, object]:
    return {"timestamp": "2026-01-31T10:00:00.000Z", "kind": "feedback", "target": target, **fields}


CALL = {"id": "run-1", "kind": "llm", "response": {"id": "chatcmpl-1"}, "span_id": "s1", "trace_id": "t1"}


@pytest.mark.parametrize("target", ["run-1", "chatcmpl-1", "s1", "t1", {"trace_id": "t1"}, {"id": "run-1"}])
def test_a_call_is_named_by_any_of_its_ids(target: object):
    assert Feedbacks([said(target, score=1)]).on(CALL) == Feedback("good", 1.0)


def test_googles_answers_have_their_id_in_googles_words():
    call = {"id": "run-1", "kind": "llm", "response": {"responseId": "g-1"}}
    assert Feedbacks([said("g-1", score=1)]).on(call) == Feedback("good", 1.0)
    assert Feedbacks([said("g-1", score=1)]).on({**call, "response": ["g-1"]}) == Feedback()


def test_the_most_specific_name_wins():
    assert Feedbacks([said("t1", score=1), said("run-1", score=0)]).on(CALL) == Feedback("bad", 0.0)


def test_what_is_said_of_many_calls_at_once_is_read_once():
    read: list[str] = []

    class Watched(dict):
        def get(self, key: str, default: object = None) -> object:
            read.append(key)
            return super().get(key, default)

    known = Feedbacks(Watched(said(name, score=score)) for name, score in (("t1", 0), ("one-for-all", 1)))
    calls = [{"id": f"run-{n}", "kind": "llm", "response": {"id": "one-for-all"}, "trace_id": "t1"} for n in range(3)]
    found, reads = [], []
    for call in calls:
        read.clear()
        found.append(known.on(call))
        reads.append(len(read))
    assert found == [Feedback("good", 1.0)] * 3
    assert (reads[0] > 0, reads[1:]) == (True, [0, 0])


def test_what_judges_say_by_the_calls_id_and_people_by_the_responses_is_said_of_one_call():
    opinions = [said("chatcmpl-1", thumbs="down"), said("run-1", hallucination_flag=True), said("s1", correction="Ulm")]
    assert Feedbacks(opinions).on(CALL) == Feedback("bad", None, "Ulm", hallucination=True)
    for names in (("run-1", "chatcmpl-1"), ("chatcmpl-1", "run-1")):
        assert Feedbacks([said(name, score=score) for score, name in enumerate(names)]).on(CALL) == Feedback(
            "good", 1.0
        )


def test_of_several_opinions_the_latest_of_each_sort_counts():
    opinions = [said(correction="Ulm"), said(score=0), said(score=1), said(comment="thanks")]
    assert Feedbacks(opinions).on(CALL) == Feedback("good", 1.0, "Ulm")


def test_a_call_may_carry_its_own():
    assert Feedbacks(()).on({**CALL, "quality": {"score": 0.2}}) == Feedback("bad", 0.2)


def test_nothing_said_is_nothing():
    feedbacks = Feedbacks([said("other", score=1), said(None, score=1), {**CALL, "target": "run-1"}])
    assert (feedbacks.on(CALL), len(feedbacks)) == (Feedback(), 1)


def test_both_ids_of_a_call_name_it_and_the_latest_word_counts():
    opinions = [said("run-1", correction="Ulm", score=1), said("chatcmpl-1", score=0)]
    assert Feedbacks(opinions).on(CALL) == Feedback("bad", 0.0, "Ulm")
    assert Feedbacks(opinions[::-1]).on(CALL) == Feedback("good", 1.0, "Ulm")


def test_what_is_said_later_counts_more_than_what_the_call_bears():
    call = {**CALL, "hallucination_flag": False, "quality": {"score": 0.9, "label": "judged"}}
    later = [said(hallucination_flag=True, score=0)]
    assert Feedbacks(later).on(call) == Feedback("bad", 0.0, hallucination=True, label="judged")


def test_one_star_is_bad_where_there_are_stars():
    stars = Feedbacks(
        [said(rating=1), said("run-2", rating=5), said("run-3", score=1), said("run-4", rating=1, scale=[0, 1])]
    )
    assert [stars.on({**CALL, "id": f"run-{n}", "response": {}}).verdict for n in range(1, 5)] == [
        "bad",
        "good",
        "good",
        "good",
    ]


def test_flags_and_labels_are_joined_too():
    opinions = [said(hallucination_flag=True), said(quality={"label": "off_topic", "thumbs": "down"})]
    assert Feedbacks(opinions).on(CALL) == Feedback("bad", None, None, hallucination=True, label="off_topic")


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"score": True}, "good"),
        ({"rating": 0.5}, "bad"),
        ({"rating": -1}, "bad"),
        ({"rating": 5}, "good"),
        ({"rating": 3}, "bad"),
        ({"rating": 6, "scale": [0, 10]}, "good"),
        ({"rating": 1, "scale": [1, 5]}, "bad"),
        ({"rating": 2, "scale": [6, 1]}, "good"),
        ({"rating": 5, "scale": [6, 1]}, "bad"),
        ({"rating": "thumbs_down"}, "bad"),
        ({"quality": {"value": " Up "}}, "good"),
        ({"quality": {"thumbs": "up", "rating": 2}}, "good"),
        ({"rating": "meh"}, None),
        ({"comment": "well"}, None),
    ],
)
def test_an_opinion_is_good_or_bad_or_neither(fields: dict[str, object], verdict: str | None):
    assert opinion(said(**fields)).verdict == verdict
