"""The right to erasure: remove one person's records everywhere, search again, and report."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from flywheel_log.event import Event

from ..gaps import forgotten
from .person import Person, as_event
from .places import Place

_ROUNDS = 3
_EXAMPLES = 3
_TORN = "torn"


@dataclass
class Occurrences:
    """Where a person occurs in one place.

    Attributes:
        kinds: how many records of theirs, by kind; `torn` are lines that are not records and hold the user id.
        mentioned: how many records of others have their user id as a value, and `examples` some of their ids.
        masked: how many records bear a user id that was masked, or a pseudonym of another key: nobody can tell whose.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    mentioned: int = 0
    masked: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class Erased:
    """What became of one place.

    Attributes:
        place: its name.
        found: what was there.
        removed: how many records went.
        left: how many were there when it was looked at again; None if it could not be looked at.
        why: why something is left, or may be.
        after: what is in it now that mentions the person, or may be theirs.
    """

    place: str
    found: Occurrences
    removed: int = 0
    left: int | None = 0
    why: str = ""
    after: Occurrences = field(default_factory=Occurrences)


def forget(person: Person, places: Sequence[Place], *, dry_run: bool = False) -> list[Erased]:
    """Remove all records of *person* from *places*, look again, and return what became of each.

    All places are read before the first is changed, because feedback and steps in one may belong to calls in another;
    they are changed in the order given. With *dry_run* nothing is, and `left` is what is there. Where events have
    ids, a `loss_report` keeps those of what was removed, and nothing else, so that they are not taken for lost.

    Raises:
        OSError: a place cannot be read; nothing was changed.
    """
    for place in places:
        if not dry_run:
            place.sweep()
        for record in place.records(person):
            person.learn(record)
    found = [Erased(place.name, _occurrences(place, person)) for place in places]
    for place, one in zip(places, found, strict=True):
        one.after, one.left = one.found, one.found.kinds.total()
        if not dry_run and one.left:
            _remove(place, person, one)
    if not dry_run:
        for place, one in zip(places, found, strict=True):
            _note(place, person, one)
            _check(place, person, one)
    return found


def _remove(place: Place, person: Person, one: Erased) -> None:
    try:
        for _ in range(_ROUNDS):  # a log may be rotated under our hands
            removed = place.remove(person)
            one.removed += removed
            if not removed or not any(map(person.owns, place.records(person))):
                return
    except (OSError, ValueError) as error:
        one.why = str(error)


def _note(place: Place, person: Person, one: Erased) -> None:
    try:
        if reports := forgotten(person.owned, time.time()):
            place.note(reports)
    except OSError as error:
        one.why = one.why or f"`verify` will miss what was removed: {error}"


def _check(place: Place, person: Person, one: Erased) -> None:
    try:
        one.after = _occurrences(place, person)
        one.left = one.after.kinds.total()
    except OSError as error:
        one.left, one.why = None, str(error)
    if one.left:
        one.why = one.why or place.remains


def _occurrences(place: Place, person: Person) -> Occurrences:
    found = Occurrences()
    for record in place.records(person):
        if person.owns(record):
            found.kinds[_kind(record)] += 1
        elif person.is_mentioned_in(record):
            found.mentioned += 1
            found.examples = [*found.examples, *_id(record)][:_EXAMPLES]
        elif person.may_be_behind(record):
            found.masked += 1
    return found


def _kind(record: bytes | Event) -> str:
    event = as_event(record)
    return event["kind"] if event is not None else _TORN


def _id(record: bytes | Event) -> list[str]:
    event = as_event(record)
    return [event["id"]] if event is not None and "id" in event else []
