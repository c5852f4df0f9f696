"""Select events by time, fields, feedback and text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from flywheel_log.event import JSON, Event

from .conversation import conversation, text_of
from .feedback import Feedbacks
from .join import JOINED
from .reading.glance import Glance, glance
from .values import full, getter, instant

OPINIONS = ("good", "bad", "any", "none")

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


@dataclass(frozen=True)
class Filter:
    """What an event must be; what is not given does not matter.

    Attributes:
        since, until: the earliest time and the first that is too late, with a zone.
        where: values by field (`workload_id`, `prompt.version`, `metadata.tenant`): one of them, each with `*` and `?`
            as in the names of files, must match. An empty value matches where the field is missing.
        text: what the conversation (or the error) must contain, as a regular expression; letters of any case.
        feedback: what must have been said about the answer, one of `OPINIONS`.

    Raises:
        ValueError: a field does not exist, the expression is none, or the feedback is unknown.
    """

    since: datetime | None = None
    until: datetime | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text: str = ""
    feedback: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "where", {full(name): values for name, values in self.where.items()})
        self._tests  # noqa: B018  a mistake is found where it is made
        if self.feedback is not None and self.feedback not in OPINIONS:
            raise ValueError(f"feedback {self.feedback!r} is unknown; expected one of {', '.join(OPINIONS)}")

    def __str__(self) -> str:
        """In words: `workload_id=support, since=2026-01-31T00:00:00+00:00`."""
        described = self.described()
        where = {name: " or ".join(values) for name, values in described.pop("where", {}).items()}
        return ", ".join(f"{name}={value}" for name, value in (where | described).items())

    def __bool__(self) -> bool:
        return bool(self.since or self.until or self.where or self.text or self.feedback)

    @property
    def joined(self) -> bool:
        """Whether it asks for a field that is known only when calls have got what was said about them later."""
        return needs_joining(self.where)

    def select(self, events: Iterable[Event], feedbacks: Feedbacks | None = None) -> Iterator[Event]:
        """Yield those of *events* that match, as they come; *feedbacks* are needed where `feedback` is given."""
        tests = [*self._tests, *self._feedback_test(feedbacks or Feedbacks(()))]
        return (event for event in events if all(test(event) for test in tests)) if tests else iter(events)

    def matches(self, event: Event) -> bool:
        """Tell whether *event* matches, whatever was said about it."""
        return all(test(event) for test in self._tests)

    @property
    def glance(self) -> Glance | None:
        """What tells of a line's bytes whether it may match, much sooner than `matches`; None if nothing can."""
        return glance(self.text) if self.text else None

    def described(self) -> JSON:
        """Return what is given as JSON, so that a dataset can say how it was made."""
        times = {name: time.isoformat() for name in ("since", "until") if (time := getattr(self, name))}
        where = {"where": {name: list(values) for name, values in self.where.items()}} if self.where else {}
        others = {name: value for name in ("text", "feedback") if (value := getattr(self, name))}
        return times | where | others

    @classmethod
    def of(cls, described: JSON) -> Filter:
        """Return the filter that `described` describes. Raises ValueError if it is none."""
        since, until = (
            datetime.fromisoformat(described[name]) if name in described else None for name in ("since", "until")
        )
        where = {name: tuple(values) for name, values in described.get("where", {}).items()}
        return cls(since, until, where, described.get("text", ""), described.get("feedback"))

    @cached_property
    def _tests(self) -> list[Callable[[Event], bool]]:
        tests: list[Callable[[Event], bool]] = [_one_of(name, values) for name, values in self.where.items()]
        if self.since or self.until:
            tests.append(_between(self.since, self.until))
        if self.text:
            tests.append(_says(self.text))
        return tests

    def _feedback_test(self, feedbacks: Feedbacks) -> list[Callable[[Event], bool]]:
        if self.feedback is None:
            return []
        if self.feedback in ("good", "bad"):
            return [lambda event: feedbacks.on(event).verdict == self.feedback]
        return [lambda event: (feedbacks.on(event).verdict is None) == (self.feedback == "none")]


def conditions(given: Iterable[str], example: str) -> dict[str, tuple[str, ...]]:
    """Return what conditions `FIELD=VALUE` ask for, as `Filter` takes it; a field may be *given* several values.

    Raises:
        ValueError: there is no value; the message has the *example* of a condition.
    """
    found: dict[str, tuple[str, ...]] = {}
    for condition in given:
        name, equals, value = condition.partition("=")
        if not equals:
            raise ValueError(f"condition {condition!r} has no value; expected one such as {example}")
        found[full(name)] = (*found.get(full(name), ()), value)
    return found


def age(text: str) -> timedelta | None:
    """Return the span of time that *text* means: `90s`, `15m`, `2h`, `3d`, `1w`; None if it is none."""
    found = _AGE.fullmatch(text)
    return timedelta(**{_UNITS[found[2]]: float(found[1])}) if found else None


def needs_joining(names: Iterable[str]) -> bool:
    """Tell whether one of the fields *names* is found out about a call only after it, by an event of its own."""
    return any(name.partition(".")[0] in JOINED for name in names)


def when(text: str, now: datetime) -> datetime:
    """Return the time that *text* means: an age before *now* (`90s`, `15m`, `2h`, `3d`, `1w`) or ISO 8601, else local.

    Raises:
        ValueError: it is neither.
    """
    if (ago := age(text)) is not None:
        return now - ago
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise ValueError(
            f"time {text!r} is invalid; expected for example 90s, 15m, 2h, 3d, 1w, 2026-01-31, 2026-01-31T10:00Z"
        ) from None


def searched(event: Event) -> str:
    """Return all that is said in *event*, turn by turn, with its tool calls and its error."""
    talk = conversation(event)
    said = [part for turn in (*talk.asked, *talk.answered) for part in turn.said]
    return "\n".join([*said, text_of((event.get("error") or {}).get("message"))])


def _one_of(name: str, values: tuple[str, ...]) -> Callable[[Event], bool]:
    get = getter(name)
    if not any(set("*?") & set(value) for value in values):
        return lambda event: get(event) in values
    patterns = [value.replace("[", "[[]") for value in values]
    return lambda event: any(fnmatchcase(get(event), pattern) for pattern in patterns)


def _between(since: datetime | None, until: datetime | None) -> Callable[[Event], bool]:
    """Compare times in UTC; one without a zone is UTC, and one that cannot be read is never between."""

    def test(event: Event) -> bool:
        time = instant(event["timestamp"])
        return time is not None and (since is None or time >= since) and (until is None or time < until)

    return test


def _says(pattern: str) -> Callable[[Event], bool]:
    try:
        search: Any = re.compile(pattern, re.IGNORECASE).search
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    return lambda event: search(searched(event)) is not None
