"""One call, one line, never wider than the terminal."""

from __future__ import annotations

from datetime import UTC

import pytest
from rich.cells import cell_len

from flywheel_log.cli._line import heading, line

from .conftest import CHAT, ERROR, EVENTS, TOOL

FEEDBACK = {"timestamp": "2026-01-31T10:00:03.000Z", "kind": "feedback", "quality": {"score": 1}}
LOSS = {"timestamp": "2026-01-31T10:00:04.000Z", "kind": "loss_report", "reason": "journal_full", "count": 4}


def test_a_wide_line_has_the_date():
    shown = [line(event, 140, UTC).plain for event in (*EVENTS, FEEDBACK, LOSS)]
    assert [(one[:75], one[75:]) for one in shown] == [
        (
            "01-31 10:00:00 ✓ support            gpt-4.1-mini            1.4k→4  812ms  ",
            "Where is my order? [image_url] → On its way.",
        ),
        (
            "01-31 10:00:01 ✓ weather            gpt-4.1                  60→12   2.1s  ",
            'Is it raining? → weather({"city": "Ulm"})',
        ),
        (
            "01-31 10:00:02 ✗ support            gpt-4.1-mini               -→-  7.5ms  ",
            "Hello ␛[31mred → 429 RateLimitError: slow down",
        ),
        (
            "01-31 10:00:03 ·                    feedback                   -→-      -  ",
            "score: 1",
        ),
        (
            "01-31 10:00:04 ·                    loss_report                -→-      -  ",
            "reason: journal_full, count: 4",
        ),
    ]


def test_what_is_no_call_is_told_in_words():
    at = {"timestamp": "2026-01-31T10:00:03.000Z"}
    found = [{"id": "doc7", "text": "Ulm", "score": 0.9}, {"id": "doc19"}]
    told = {"quality": {"rating": 2, "scale": [1, 5], "grounding": {"score": 0.3}}, "hallucination_flag": True}
    events = [
        at | {"kind": "feedback", **told},
        at | {"kind": "retrieval", "request": {"query": "Where is Ulm?"}, "retrieval_docs": found},
        at | {"kind": "step", "name": "generate", "metadata": {"tenant": "acme"}},
    ]
    assert [line(event, 200, UTC).plain[75:] for event in events] == [
        "a hallucination, rating: 2, scale: 1 5, grounding (score: 0.3)",
        "Where is Ulm? → doc7, doc19",
        "tenant: acme",
    ]


def test_a_narrow_line_has_the_day_too():
    assert [line(event, 80, UTC).plain for event in EVENTS] == [
        "01-31 10:00:00 ✓ support   gpt-4.1-mini    1.4k→4  812ms  Where is… → On its wa…",
        "01-31 10:00:01 ✓ weather   gpt-4.1          60→12   2.1s  Is it ra… → weather({…",
        "01-31 10:00:02 ✗ support   gpt-4.1-mini       -→-  7.5ms  Hello ␛[… → 429 RateL…",
    ]


@pytest.mark.parametrize("width", [50, 60, 80, 109, 110, 200])
@pytest.mark.parametrize("said", ["", "short", "long " * 100, "日本語" * 50])
def test_no_line_is_wider_than_its_screen(width: int, said: str):
    request = {"messages": [{"role": "user", "content": said}]}
    response = {"choices": [{"message": {"content": said}}]}
    event = {**CHAT, "request": request, "response": response, "workload_id": said or "w", "model": said or "m"}
    assert cell_len(line(event, width, UTC).plain) <= width


def test_the_heading_stands_over_its_columns():
    top, below = heading(110).plain, line(TOOL, 110, UTC).plain
    assert [top.index(name) for name in ("time", "workload", "model", "prompt")] == [
        below.index(value) for value in ("01-31", "weather", "gpt-4.1", "Is it")
    ]


def test_a_foreign_timestamp_is_shown_as_it_is():
    assert line({**ERROR, "timestamp": "yesterday"}, 80).plain.startswith("yesterday      ✗ support")
