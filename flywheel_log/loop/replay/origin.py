"""Which record a replay is of, and in which run it was made, as its metadata says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

from flywheel_log.event import JSON, Event
from flywheel_log.loop.digest import digest

KEY = "replay"
JUDGE = "judge"
WORKLOAD = ".replay"
"""What the name of a workload ends in where it is that of replayed calls."""
_NAMING = frozenset({"workload_id", "metadata.replay.run"})
_REPLAYED, _JUDGED = (f'"{key}"'.encode() for key in (KEY, JUDGE))
_FINAL = (400, 413, 422)  # All others tell of keys, of names that are mistyped, of limits and of outages.


def are_meant(fields: Iterable[str]) -> bool:
    """Whether who chooses records by *fields* may mean replays; who uses none of theirs means the calls of users."""
    return not _NAMING.isdisjoint(fields)


class Origin(NamedTuple):
    """The record that was sent again, by its `identity`, and the name of the run that did it."""

    of: str
    run: str


def identity(event: Event) -> str:
    """Return the id of *event*; of one that another logger wrote without, a digest of when and what was asked."""
    return event.get("id") or digest([event["timestamp"], event.get("request")]).hex()


def origin(event: Event, key: str = KEY) -> Origin | None:
    """Return what *event* is a replay of; with *key* `JUDGE`, whose replay it judges. None if it is neither."""
    said: Any = (event.get("metadata") or {}).get(key)
    if not isinstance(said, dict):
        return None
    of, run = said.get("of"), said.get("run")
    return Origin(of, run) if isinstance(of, str) and isinstance(run, str) else None


def is_ours(event: Event) -> bool:
    """Whether *event* is the replay of another one, or judges one: it is not sent again."""
    return any(origin(event, key) for key in (KEY, JUDGE))


def may_be_ours(line: bytes) -> bool:
    """Whether the record in *line*, still unparsed, may be the replay of another one, or judge one."""
    return _REPLAYED in line or _JUDGED in line


def of_run(events: Iterable[Event], run: str) -> Iterator[Event]:
    """Yield the replays of *run*, and what judges them, without their requests."""
    for event in events:
        if any(mark and mark.run == run for mark in (origin(event, KEY), origin(event, JUDGE))):
            yield cast(Event, {key: value for key, value in event.items() if key != "request"})


class Settled(NamedTuple):
    """The records that a run need not ask about again.

    Attributes:
        answered: those that it has an answer to; what failed, or ended early, may be asked again.
        refused: those that the server will refuse again, for something in the request is wrong.
    """

    answered: set[str]
    refused: set[str]


def settled(ours: Iterable[Event], key: str = KEY) -> Settled:
    """Return what is settled by *ours*, the events of one run; with *key* `JUDGE`, of what the judge was asked."""
    found = Settled(set(), set())
    for event in ours:
        if mark := origin(event, key):
            if event.get("status") == "ok":
                found.answered.add(mark.of)
            elif (event.get("error") or {}).get("status_code") in _FINAL:
                found.refused.add(mark.of)
    return found


def stamp(event: Event, run: str) -> JSON:
    """Return the fields of `context` for the replay of *event*: whose it is stays, and its workload is one of its own.

    Traces are left out: what was said about the old answer by its trace is not said about the new one.
    """
    kept = ("client_id", "user_id", "session_id", "tags", "retrieval_docs")
    fields: JSON = {name: value for name, value in event.items() if name in kept and value is not None}
    if named(event):
        fields["prompt"] = event["prompt"]
    metadata = {**(event.get("metadata") or {}), KEY: {"of": identity(event), "run": run}}
    return fields | {"workload_id": (event.get("workload_id") or "default") + WORKLOAD, "metadata": metadata}


def named(event: Event) -> bool:
    """Whether *event* was made with a `Prompt`; all others have but a hash of their system message, made later."""
    return bool((event.get("prompt") or {}).get("name"))


def run_name(*parts: str | None, content: Any) -> str:
    """Return a name for a run that does the same to each request: readable *parts*, and a digest of its *content*.

    The same command has the same name, and so goes on where an earlier one was interrupted.
    """
    words = [re.sub(r"[^a-z0-9.]+", "-", part.casefold()).strip("-.") for part in parts if part]
    return "-".join([*filter(None, words), digest(content).hex()[:6]])
