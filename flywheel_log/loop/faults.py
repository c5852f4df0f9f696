"""What went wrong in a call, by names: failures, refusals, cut answers, bad tool arguments, ratings, retries."""

from __future__ import annotations

from collections.abc import Iterator

from flywheel_log.capture.derive import marks
from flywheel_log.capture.surfaces import surface_named
from flywheel_log.event import Event
from flywheel_log.projection.chat import objects

from .feedback import Feedback
from .values import finite

MEANINGS = {
    "incomplete": "the answer was left, cancelled or broke off",
    "refusal": "the model refused",
    "content_filter": "the provider's filter stopped the answer",
    "length": "the answer was cut at its greatest length",
    "invalid_tool_arguments": "a tool's arguments are not a JSON object",
    "no_answer": "the provider sent no answer",
    "rated_bad": "somebody rated the answer bad",
    "hallucination": "the answer claims what is not so",
    "retried": "the SDK had to try again",
    "slow": "far slower than others of its workload and model",
}
"""The names of what goes wrong; failures are named `error <status> <type>`, and ratings may have a label."""

_MARKS = {"no_choices": "no_answer", "no_message": "no_answer"}


def faults(event: Event, feedback: Feedback) -> set[str]:
    """Return the names of all that went wrong in *event*, the call that *feedback* is about; but for `slow`."""
    return {*_ending(event), *_answer(event), *_opinion(event, feedback)}


def meaning(name: str) -> str:
    """Return what the name of a fault means, in words."""
    return MEANINGS.get(name.partition(" ")[0], "the call failed")


def _ending(event: Event) -> Iterator[str]:
    error = event.get("error") or {}
    if error or event.get("status") == "error":
        yield " ".join(str(part) for part in ("error", error.get("status_code"), error.get("type")) if part)
    elif event.get("status") == "incomplete":
        yield "incomplete"
    if (finite(event.get("retries")) or 0) > 0:
        yield "retried"


def _answer(event: Event) -> Iterator[str]:
    for mark in (*(event.get("training_unsafe") or ()), *_of_itself(event)):
        name = _MARKS.get(mark, mark) if isinstance(mark, str) else ""
        if name in MEANINGS:
            yield name


def _of_itself(event: Event) -> list[str]:
    """What the choices of the answer say of themselves, which not all loggers mark; not whether there are any."""
    choices = [
        {**one, "message": one["message"] if isinstance(one.get("message"), dict) else {}}
        for one in objects((event.get("response") or {}).get("choices"))
    ]
    return marks(surface_named("chat.completions"), {"choices": choices}) if choices else []


def _opinion(event: Event, feedback: Feedback) -> Iterator[str]:
    if feedback.verdict == "bad":
        yield f"rated_bad {feedback.label}".strip()
    if feedback.hallucination or (event.get("hallucination_flag") and feedback.hallucination is None):
        yield "hallucination"
