"""What a run of the blueprint would do with a log."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_log.event import to_document
from flywheel_log.loop.blueprint.readiness import Readiness, Split, assess, many_workloads

from . import reference

SMALL = Split(eval_size=2, validation_share=0.25, min_total_records=3, limit=6)


def chat(number: int, *, question: str | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"r-{number}",
        "timestamp": f"2026-01-31T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000Z",
        "kind": "llm",
        "client_id": "shop",
        "workload_id": "support",
        "status": "ok",
        "request": {"messages": [{"role": "user", "content": question or f"Question {number}?"}]},
        "response": {"choices": [{"message": {"role": "assistant", "content": f"Answer {number}."}}]},
        **fields,
    }


def called(number: int, name: str = "weather", arguments: str = "{}", kind: str | None = "function") -> dict[str, Any]:
    call = {"id": "c", "type": kind, "function": {"name": name, "arguments": arguments}}
    event = chat(number, response={"choices": [{"message": {"content": None, "tool_calls": [call]}}]})
    event["request"]["tools"] = [{"type": "function", "function": {"name": name}}]
    return event


def only(events: list[dict[str, Any]], split: Split | None = None) -> Readiness:
    (report,) = assess(events, split)
    return report


def test_a_hundred_and_two_records_are_enough():
    ready = only([chat(number) for number in range(102)])
    assert (ready.ready, ready.sizes, ready.missing) == (True, {"eval": 100, "train": 1, "validation": 1}, [])


def test_one_fewer_is_not():
    report = only([chat(number) for number in range(101)])
    assert (report.ready, report.sizes) == (False, {"eval": 0, "train": 0, "validation": 0})
    assert report.missing == ["1 more usable records: 101 of 102"]


def test_a_report_is_whole():
    events = [chat(number) for number in range(4)]
    events += [chat(9, question="Question 3?"), chat(4, response={"error": {}}), chat(5, request={"messages": []})]
    assert only(events, SMALL) == Readiness(
        client_id="shop",
        workload_id="support",
        records=7,
        fetched=7,
        kind="generic",
        usable=4,
        needed=4,
        dropped={"failed": ["r-4"], "no_messages": ["r-5"], "duplicate_question": ["r-3"]},
        fatal={},
        sizes={"eval": 2, "train": 1, "validation": 1},
        missing=[],
        warnings=[],
    )


def test_one_tool_call_drops_all_that_call_none():
    report = only([*(chat(number) for number in range(4)), called(5)], SMALL)
    assert (report.kind, report.dropped) == ("tool_calling", {"no_tool_call": ["r-3", "r-2", "r-1", "r-0"]})
    assert report.warnings == ["the workload is mixed: some answers call tools, so those that call none are dropped: 4"]


def test_the_steps_of_an_agent_are_duplicates_of_each_other():
    report = only([chat(number, question=f"Task {number // 4}?") for number in range(200)])
    assert (report.usable, len(report.dropped["duplicate_question"])) == (50, 150)
    (warning,) = report.warnings
    assert warning.startswith("150 records share their user messages with others and are dropped: give the steps of")


def test_equal_records_are_one():
    twin = {"response": chat(1)["response"], "question": "Question 1?"}
    assert only([chat(1), chat(2, **twin)], SMALL).dropped == {"same_record": ["r-1"]}


def test_only_the_newest_are_looked_at():
    report = only([chat(number) for number in range(30)][::-1], SMALL)
    assert (report.records, report.fetched, report.usable) == (30, 12, 12)
    assert report.warnings == ["only the newest 12 of 30 records are looked at"]


def test_one_record_of_another_logger_may_end_the_run():
    foreign = {key: chat(9)[key] for key in ("timestamp", "kind", "client_id", "workload_id", "request")}
    report = only([*(chat(number) for number in range(5)), {**foreign, "response": None}], SMALL)
    assert (report.ready, report.fatal) == (False, {"null_response": ["2026-01-31T00:00:09.000Z"]})
    assert report.missing == ["1 records that end a run must go: 2026-01-31T00:00:09.000Z"]


def test_what_is_wrong_without_being_in_the_way_is_told():
    event = called(9) | {"training_unsafe": ["length"], "client_id": "Shop"}
    del event["request"]["tools"]
    assert only([event], SMALL).warnings == [
        "client_id 'Shop' is not lower-case letters, digits and _, with single - or . between",
        "1 usable records have no tools in their request: they evaluate, but do not train",
        "usable, but marked unsafe for training: 1 length",
    ]


def test_a_workload_without_a_name_cannot_be_asked_for():
    event = chat(1)
    del event["workload_id"]
    assert "workload_id is empty: a run asks for one" in only([event], SMALL).missing


def test_an_impossible_split_is_told():
    assert only([chat(1)], Split(limit=50)).missing[0] == "the limit is 50, below the 102 records needed"


def test_workloads_of_few_records_look_like_sessions():
    sessions = assess([chat(number, workload_id=f"session-{number}") for number in range(25)])
    assert (many_workloads(sessions) or "").startswith(
        "25 of 25 workloads have 3 records or fewer: a workload_id names"
    )
    assert many_workloads(assess([chat(number) for number in range(25)])) is None


def test_only_calls_of_a_chat_model_are_records():
    assert assess([chat(1, kind=kind) for kind in ("embedding", "feedback", "step", "retrieval", "moderation")]) == []


def foreign(number: int, **fields: Any) -> dict[str, Any]:
    """A document of another logger, which nothing has mended."""
    event = chat(number)
    return {name: event[name] for name in ("timestamp", "kind", "client_id", "workload_id", "request", "response")} | {
        **fields
    }


def answered(*messages: Any) -> dict[str, Any]:
    return {"choices": [{"index": at, "message": message} for at, message in enumerate(messages)]}


TEXT = {"role": "assistant", "content": "Yes."}
CALL = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
PARAMETERS = [{"properties": {}}, {"properties": {str(number): {} for number in range(9)}}, None]
SHAPES: list[Any] = [
    lambda number, asked: chat(number, question=asked),
    lambda number, asked: chat(number, question=asked, response={"choices": [{"message": {"content": "Same."}}]}),
    lambda number, asked: chat(number, request={"messages": [{"role": "user", "content": [{"text": asked}]}]}),
    lambda number, asked: chat(number, request={"messages": [{"role": "system", "content": asked}]}),
    lambda number, asked: chat(number, response={"error": {"message": asked}}),
    lambda number, asked: chat(number, response=None),
    lambda number, asked: chat(number, response={"choices": None}),
    lambda number, asked: chat(number, response={"choices": [{"message": None}]}),
    lambda number, asked: chat(number, request={"messages": None, "tools": None}),
    lambda number, asked: chat(number, question=asked, workload_id="other"),
    lambda number, asked: called(number),
    lambda number, asked: called(number, arguments="{torn"),
    lambda number, asked: called(number, kind="custom"),
    lambda number, asked: chat(number, question=asked, response=answered(TEXT, {"content": asked})),
    lambda number, asked: chat(number, question=asked, response=answered(TEXT, None)),
    lambda number, asked: chat(number, question=asked, response=answered(TEXT, {})),
    lambda number, asked: chat(number, question=asked, response={"choices": [{"index": 0}]}),
    lambda number, asked: chat(number, question=asked, response={}),
    lambda number, asked: called(number) | {"response": answered(TEXT, CALLING)},
    lambda number, asked: called(number) | {"response": answered(CALLING, TEXT)},
    lambda number, asked: chat(
        number, question=asked, response={"choices": [{"message": TEXT, "finish_reason": "tool_calls"}]}
    ),
    lambda number, asked: chat(
        number, request={"messages": [{"role": "user", "content": asked}, {"role": "assistant", "tool_calls": [CALL]}]}
    ),
    lambda number, asked: foreign(number),
    lambda number, asked: foreign(number, response=answered({**TEXT, "refusal": None})),
    lambda number, asked: foreign(number, request={"messages": [{"role": "user", "content": asked}], "tools": None}),
    lambda number, asked: foreign(number, response=None),
    lambda number, asked: foreign(number, request=None),
    lambda number, asked: foreign(number, response={"choices": None}),
    lambda number, asked: foreign(number, response=answered(None)),
    lambda number, asked: foreign(number, response=answered(TEXT, None)),
    lambda number, asked: foreign(
        number, request={"messages": [{"role": "user", "content": asked}, {"role": "assistant"}]}
    ),
    lambda number, asked: foreign(number, timestamp=chat(number)["timestamp"].replace("T", " ").removesuffix(".000Z")),
    *(
        lambda number, asked, parameters=parameters: {
            **chat(number),
            "request": {**chat(number)["request"], "tools": [{"function": {"parameters": parameters}}]},
        }
        for parameters in PARAMETERS
    ),
]
records = st.tuples(st.integers(0, len(SHAPES) - 1), st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h"]))


def is_called(shape: Any) -> bool:
    return "called" in shape.__code__.co_names


def is_foreign(shape: Any) -> bool:
    return "foreign" in shape.__code__.co_names


def document_of(event: dict[str, Any]) -> dict[str, Any]:
    """As Elasticsearch holds it: ours is mended on delivery, another logger's is as that left it."""
    if "id" in event:
        return to_document(event)  # type: ignore[arg-type]
    return {name: value for name, value in event.items() if name != "kind"}


def predicted(report: Readiness) -> dict[str, Any]:
    counts = Counter({reason: len(ids) for reason, ids in report.dropped.items()})
    counts["no_answer"] = sum(counts.pop(reason, 0) for reason in ("failed", "no_choices", "no_message"))
    return {
        "tools": report.kind == "tool_calling",
        "usable": report.usable,
        "lost": dict(+counts),
        "killers": {reason: len(ids) for reason, ids in report.fatal.items()},
        "sizes": tuple(report.sizes.values()),
        "ready": report.ready,
    }


@given(st.lists(records, max_size=16), st.booleans(), st.booleans())
@settings(max_examples=3000)
def test_a_prediction_is_what_a_run_does(log: list[tuple[int, str]], with_tools: bool, with_others: bool):
    """The same verdict, counts and sizes as the independent run, for any mixture of sound and unsound records."""
    shapes = [
        shape for shape in SHAPES if (with_tools or not is_called(shape)) and (with_others or not is_foreign(shape))
    ]
    events = [shapes[shape % len(shapes)](number, asked) for number, (shape, asked) in enumerate(log)]
    documents = [document_of(event) for event in events]
    for report in assess(events, SMALL):
        assert predicted(report) == reference.run(
            documents, report.client_id, report.workload_id, evaluation=2, ratio=0.25, minimum=3, limit=6
        )
