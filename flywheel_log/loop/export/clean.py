"""Redaction on the way into a dataset, which may go further than in the log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from flywheel_log.config import load
from flywheel_log.event import Event
from flywheel_log.pipeline.redact import Redactor

from .example import Example, example


class Cleaner:
    """Redacts examples.

    Args:
        redact: what, as the setting of this name; pattern, key and manner are those of the environment.

    Raises:
        ValueError: *redact* names something unknown, or another setting is wrong.
        ImportError: what finds names is not installed.
    """

    def __init__(self, redact: str) -> None:
        self._redactor = Redactor.of(load(redact=redact)) if redact else None

    def __call__(self, one: Example) -> Example:
        """Return *one* without what is to be redacted, in question, answer, correction, tools and persons."""
        if self._redactor is None:
            return one
        said = cast(Event, {"correction": one.feedback.correction})
        correction = cast(Any, self._redactor.event(said) or said)["correction"]
        event = self._redactor.event(one.event) or one.event
        if "id" in one.event:  # Of digits, it may look like a telephone.
            event = cast(Event, {**event, "id": one.event["id"]})
        clean = example(event, replace(one.feedback, correction=correction))
        if clean is None:
            raise ValueError(f"call {one.id} is no longer a conversation after redaction; leave it out with a filter")
        return clean
