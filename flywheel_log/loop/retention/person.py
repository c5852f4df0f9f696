"""Which records belong to one person, under all ids that the person may have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import orjson

from flywheel_log.event import Event
from flywheel_log.serialise import dumps_loaded

from ..feedback import names_of, target_of
from ..reading.read import parse

if TYPE_CHECKING:
    from flywheel_log.config import Settings

_DIGEST = "(?::[0-9a-f]{12})?"


class Person:
    """Tells the records of a person, once it has learned which calls are theirs.

    Theirs are the records that bear their user id, what anybody said about these (feedback), and records of the same
    trace that name nobody, such as the steps and the retrievals of their request.

    Attributes:
        calls, traces: what their records are called.
        owned: the ids of the records that were asked about and are theirs.

    Args:
        user: the user id.
        aliases: what redaction may have written in its place.
        mask: what redaction makes of it that may be anybody's: a mask, `[email]`. Without aliases, pseudonyms of that
            kind are as doubtful.
    """

    def __init__(self, user: str, aliases: Iterable[str] = (), mask: str = "") -> None:
        self.names = frozenset({user, *aliases})
        self.mask = mask
        pattern = re.escape(mask)
        self._doubtful = re.compile(pattern if aliases else pattern.replace(r"\]", rf"{_DIGEST}\]"))
        self.calls: set[str] = set()
        self.traces: set[str] = set()
        self.owned: set[str] = set()
        self._marks = tuple({mark for name in self.names for mark in (orjson.dumps(name), json.dumps(name).encode())})

    def learn(self, record: bytes | Event) -> None:
        """Remember what *record* is called, if it bears the user id."""
        event = as_event(record)
        if event is not None and event.get("user_id") in self.names and event.get("kind") != "feedback":
            self.calls.update(names_of(event))
            if isinstance(trace := event.get("trace_id"), str):
                self.traces.add(trace)

    def owns(self, record: bytes | Event) -> bool:
        """Tell whether *record* is one of theirs; of what is no record, whether their user id stands in it."""
        event = as_event(record)
        if event is None:
            return isinstance(record, bytes) and self._is_named_in(record)
        if is_theirs := self._owns(event):
            self.owned.add(str(event.get("id")))
        return is_theirs

    def is_mentioned_in(self, record: bytes | Event) -> bool:
        """Tell whether their user id is a value elsewhere in *record*, such as one of its metadata."""
        return self._is_named_in(record if isinstance(record, bytes) else dumps_loaded(record))

    def may_be_behind(self, record: bytes | Event) -> bool:
        """Tell whether *record* bears a masked user id, or a pseudonym of an unknown key, that may have been theirs."""
        event = as_event(record) if self.mask else None
        user = event.get("user_id") if event else None
        return isinstance(user, str) and self._doubtful.fullmatch(user) is not None

    def _owns(self, event: Event) -> bool:
        if (user := event.get("user_id")) is not None and user != "":
            return user in self.names or self._is_about_theirs(event)
        return self._is_about_theirs(event) or event.get("trace_id") in self.traces

    def _is_about_theirs(self, event: Event) -> bool:
        return event.get("kind") == "feedback" and target_of(event) in self.calls

    def _is_named_in(self, data: bytes) -> bool:
        return any(mark in data for mark in self._marks)


def disguised(user: str, settings: Settings) -> Person:
    """Return the person whose user id is *user*, with what the *settings* of redaction make of it.

    A pseudonym is found again under the same key only, whatever of secrets and personal data is redacted now; a mask is
    the same for everybody.
    """
    from flywheel_log.pipeline.redact import Redactor

    key = settings.redact_key.get_secret_value() if settings.redact_key else None
    patterns, event = settings.redact_patterns, cast(Event, {"user_id": user})
    anything = Redactor(("secrets", "pii"), key="-", patterns=patterns, replace_with="mask").event(event)
    if anything is None:
        return Person(user)
    mask = str(anything.get("user_id"))
    if settings.redact_with != "pseudonym" or not key:
        return Person(user, mask=mask)
    words = {settings.redact, ("secrets",), ("pii",), ("secrets", "pii")}
    written = [Redactor(some, replace_with="pseudonym", key=key, patterns=patterns).event(event) for some in words]
    return Person(user, {str(one.get("user_id")) for one in written if one}, mask)


def as_event(record: bytes | Event) -> Event | None:
    """Return the event of a line, or the event itself; None if it is none."""
    if not isinstance(record, bytes):
        return record
    try:
        return parse(record)
    except (ValueError, RecursionError):
        return None
