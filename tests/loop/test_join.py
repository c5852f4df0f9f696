"""Calls with what was said about them later."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from flywheel_log.event import to_document
from flywheel_log.loop.reading.read import read, remarks

CALL: dict[str, Any] = {
    "id": "run-1",
    "timestamp": "2026-01-31T10:00:00.000Z",
    "kind": "llm",
    "request": {"messages": [{"role": "user", "content": "Where is Ulm?"}]},
    "response": {"id": "chatcmpl-1", "choices": [{"message": {"role": "assistant", "content": "On the Rhine."}}]},
}


def said(number: int, target: str, **fields: Any) -> dict[str, Any]:
    timestamp = f"2026-01-31T10:00:0{number}.000Z"
    return {"id": f"run-{number}", "timestamp": timestamp, "kind": "feedback", "target": target, **fields}


def read_back(tmp_path: Path, *events: dict[str, Any]) -> list[Any]:
    path = tmp_path / "genai.log"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return list(read(path, feedback=True))


def test_the_latest_word_on_each_key_counts_and_all_are_kept(tmp_path: Path) -> None:
    call, *_ = read_back(
        tmp_path,
        CALL,
        said(2, "run-1", quality={"rating": 4, "label": "fine"}, user_id="u1"),
        said(3, "run-1", quality={"rating": 1}, hallucination_flag=True),
    )
    assert call == CALL | {
        "hallucination_flag": True,
        "quality": {
            "rating": 1,
            "label": "fine",
            "feedback": [
                {"rating": 4, "label": "fine", "id": "run-2", "timestamp": "2026-01-31T10:00:02.000Z", "user_id": "u1"},
                {"rating": 1, "id": "run-3", "timestamp": "2026-01-31T10:00:03.000Z", "hallucination_flag": True},
            ],
        },
    }


def test_the_responses_id_will_do_and_feedback_may_stand_before_its_call(tmp_path: Path) -> None:
    _, call = read_back(tmp_path, said(2, "chatcmpl-1", quality={"thumbs": "up"}), CALL)
    assert call["quality"]["thumbs"] == "up"


def test_the_latest_word_counts_by_whichever_id_it_names_the_call(tmp_path: Path) -> None:
    call, *_ = read_back(
        tmp_path,
        CALL,
        said(2, "chatcmpl-1", quality={"rating": 1}),
        said(3, "run-1", quality={"rating": 4}),
        said(4, "chatcmpl-1", quality={"label": "fine"}),
    )
    assert [one["id"] for one in call["quality"].pop("feedback")] == ["run-2", "run-3", "run-4"]
    assert call["quality"] == {"rating": 4, "label": "fine"}


def test_what_a_call_says_itself_stays_unless_it_is_said_again(tmp_path: Path) -> None:
    own = CALL | {"safety": {"refused": True}, "quality": {"mine": 1}}
    call, _ = read_back(tmp_path, own, said(2, "run-1", safety={"moderation": {"flagged": False}}))
    assert (call["safety"], call["quality"]["mine"]) == ({"refused": True, "moderation": {"flagged": False}}, 1)


@pytest.mark.parametrize(("text", "of"), [("On the Rhine.", "answer"), ("Where is Ulm?", "question")])
def test_a_moderation_of_exactly_its_text_is_its_safety(tmp_path: Path, text: str, of: str) -> None:
    moderation = {
        "timestamp": "2026-01-31T10:00:01.000Z",
        "kind": "moderation",
        "request": {"input": text},
        "safety": {"moderation": {"flagged": True, "categories": ["hate"]}},
    }
    call, _ = read_back(tmp_path, CALL, moderation)
    assert call["safety"] == {"moderation": {"flagged": True, "categories": ["hate"]}, "of": of}


def test_calls_nobody_spoke_of_are_as_they_were(tmp_path: Path) -> None:
    assert read_back(tmp_path, CALL, said(2, "run-9", quality={"rating": 1}))[0] == CALL


def test_feedback_may_be_in_another_file_and_of_another_form(tmp_path: Path) -> None:
    (tmp_path / "calls.log").write_text(json.dumps(CALL) + "\n")
    document = to_document(said(2, "run-1", quality={"thumbs": "down"}))  # type: ignore[arg-type]
    (tmp_path / "late.log.gz").write_bytes(gzip.compress(json.dumps(document).encode() + b"\n"))
    call, _ = read([tmp_path / "calls.log", tmp_path / "late.log.gz"], feedback=True)
    assert call["quality"]["thumbs"] == "down"


def test_only_what_says_something_is_parsed_on_the_first_look(tmp_path: Path) -> None:
    path = tmp_path / "genai.log"
    lines = [json.dumps(CALL), '{"torn', json.dumps(said(2, "run-1", quality={"rating": 1}))]
    path.write_text("".join(line + "\n" for line in lines))
    assert [event["id"] for event in remarks(path)] == ["run-2"]
    reading = read(path, feedback=True)
    assert ([event["id"] for event in reading], reading.bad) == (["run-1", "run-2"], 1)


def test_standard_input_cannot_be_read_twice() -> None:
    with pytest.raises(ValueError, match="feedback needs a second look, and standard input has but one"):
        read("-", feedback=True)
