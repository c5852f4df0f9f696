"""Fields are allowed and denied by path, through lists, at any depth."""

from __future__ import annotations

import re
from typing import Any

import pytest

import flywheel_log
from flywheel_log import recorder, testing
from flywheel_log.event import Wire
from flywheel_log.pipeline.select import Selection

EVENT: dict[str, Any] = {
    "timestamp": "t",
    "kind": "llm",
    "user_id": "u",
    "metadata": {"email": "e", "plan": "p"},
    "request": {"model": "m", "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]},
}


def selected(allow: tuple[str, ...] = (), deny: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    return dict(Selection(allow, deny)(None, "", {**EVENT, **fields}))


def test_denied_fields_are_left_out_also_inside_lists() -> None:
    assert selected(deny=("user_id", "metadata.email", "request.messages.content")) == {
        "timestamp": "t",
        "kind": "llm",
        "metadata": {"plan": "p"},
        "request": {"model": "m", "messages": [{"role": "user"}, {"role": "assistant"}]},
    }


def test_allowed_fields_are_kept_with_what_names_the_event() -> None:
    assert selected(allow=("request.model", "metadata")) == {
        "timestamp": "t",
        "kind": "llm",
        "metadata": {"email": "e", "plan": "p"},
        "request": {"model": "m"},
    }


def test_what_is_denied_goes_even_if_it_is_allowed() -> None:
    assert selected(allow=("metadata",), deny=("metadata.email",))["metadata"] == {"plan": "p"}


def test_the_shorter_of_two_paths_wins() -> None:
    assert selected(deny=("metadata.email", "metadata")) == selected(deny=("metadata",))


def test_paths_lead_into_bytes_that_nobody_has_parsed_yet() -> None:
    event = selected(deny=("request.messages",), request=Wire(b'{"model":"m","messages":[]}'))
    assert event["request"] == {"model": "m"}


@pytest.mark.parametrize(
    ("setting", "added"),
    [
        ({}, {"infrastructure", "pid", "cost_usd", "prompt", "template_hash"}),
        ({"fields_deny": ["infrastructure", "cost_usd", "prompt"]}, set()),
        ({"fields_deny": ["infrastructure.pid", "prompt.template_hash"]}, {"infrastructure", "cost_usd", "prompt"}),
        ({"fields_allow": ["request", "input_tokens", "output_tokens", "cost_usd", "model"]}, {"cost_usd"}),
    ],
)
def test_what_is_added_late_is_selected_too(setting: dict[str, Any], added: set[str]) -> None:
    flywheel_log.configure(prices={"m": {"input": 1.0}}, **setting)
    request = {"messages": [{"role": "system", "content": "Be brief."}]}
    event: Any = {"timestamp": "2026-01-02T03:04:05.000Z", "kind": "llm", "model": "m", "status": "ok"}
    recorder.record(event | {"request": request, "input_tokens": 5, "output_tokens": 0})
    assert flywheel_log.flush() == 0
    [written] = flywheel_log.read()
    names = written.keys() | written.get("infrastructure", {}).keys() | written.get("prompt", {}).keys()
    assert names & {"infrastructure", "pid", "cost_usd", "prompt", "template_hash"} == added


@pytest.mark.parametrize("needed", ["id", "kind", "timestamp"])
def test_what_all_who_read_need_is_not_denied(needed: str) -> None:
    with pytest.raises(
        ValueError, match=f"fields_deny: {needed} is needed by all readers; deny any field but id, kind"
    ):
        flywheel_log.configure(fields_deny=["user_id", needed])


@pytest.mark.parametrize("setting", ["fields_allow", "fields_deny"])
def test_what_is_no_field_is_refused_so_that_a_slip_writes_nothing_unwanted(setting: str) -> None:
    with pytest.raises(ValueError, match=rf"{setting}: userid is not a field of an event; did you mean user_id\?$"):
        flywheel_log.configure(**{setting: "metadata.email,userid"})


@pytest.mark.parametrize("setting", ["fields_allow", "fields_deny"])
@pytest.mark.parametrize("below", ["[].content", "[0]", "*.content", "0.content", "", ".content"])
def test_a_path_of_another_notation_is_refused_for_it_would_leave_out_nothing(setting: str, below: str) -> None:
    path = f"request.messages.{below}"
    with pytest.raises(ValueError, match=f"{re.escape(path)}: a path has only names; it reaches into lists by itself"):
        flywheel_log.configure(**{setting: [path]})


def test_a_cost_that_is_allowed_comes_with_the_counts_it_is_found_by() -> None:
    flywheel_log.configure(prices={"m": {"input": 1.0}}, fields_allow=["cost_usd"])
    event: Any = {"timestamp": "2026-01-02T03:04:05.000Z", "kind": "llm", "model": "m", "provider": "ours"}
    recorder.record(event | {"input_tokens": 5, "output_tokens": 0, "user_id": "u", "latency_ms": 1.0})
    assert flywheel_log.flush() == 0
    [written] = flywheel_log.read()
    assert {key: value for key, value in written.items() if key not in ("id", "client_id", "workload_id")} == {
        **event,
        "input_tokens": 5,
        "output_tokens": 0,
        "cost_usd": 5e-06,
    }


def test_what_processors_add_is_selected_too() -> None:
    @flywheel_log.logged_llm
    def say(text: str) -> str:
        return text

    with testing.recording(
        processors=(lambda _, __, event: {**event, "user_id": "u"},), fields_deny="user_id"
    ) as events:
        say("hi")
    assert ["user_id" in event for event in events] == [False]
