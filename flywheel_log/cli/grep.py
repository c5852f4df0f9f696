"""`flywheel-log grep`: the calls in which something was said, one a line, with the words around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flywheel_log.event import Event
from flywheel_log.loop.filter import Filter, searched

from . import wrong
from ._line import when
from ._progress import clear_line
from ._records import ALL, Given
from ._screen import console, fit, one_line, put_json
from ._select import selecting
from ._source import AsJson

if TYPE_CHECKING:
    from rich.text import Text

Pattern = Annotated[str, typer.Argument(metavar="REGEX", help="Regular expression to search for; case is ignored.")]
Most = Annotated[
    int, typer.Option("-n", "--lines", metavar="NUMBER", min=0, help="How many calls to show at most; 0 is all.")
]
Count = Annotated[bool, typer.Option("--count", help="Print only the number of matching calls.")]
_WIDE = 110


@selecting
def command(
    pattern: Pattern,
    records: Given = ALL,
    *,
    lines: Most = 0,
    count: Count = False,
    as_json: AsJson = False,
) -> None:
    """Search prompts and answers.

    Searches prompts, answers, tool calls and errors, and shows time, id and the words around the first match.
    """
    given, found = records.given, 0
    records = replace(records, chosen=_with(records.chosen, pattern))
    with records.reading(joined=as_json) as events:
        for found, event in enumerate(events, 1):
            if not count:
                clear_line()
                _put(event, pattern, as_json=as_json)
            if found == lines:
                break
    if count:
        typer.echo(found)
    if not found and not given and Path(pattern).is_file():
        raise typer.BadParameter(
            f"{pattern} is a file; the search pattern comes first: flywheel-log grep REGEX {pattern}"
        )
    if not found:
        raise records.nothing("records")


def _with(chosen: Filter, pattern: str) -> Filter:
    both = f"(?=[\\s\\S]*(?:{pattern}))(?=[\\s\\S]*(?:{chosen.text}))" if chosen.text else pattern
    with wrong("REGEX"):
        return replace(replace(chosen, text=pattern), text=both)


def _put(event: Event, pattern: str, *, as_json: bool) -> None:
    if as_json:
        put_json(event)
    else:
        screen = console()
        screen.print(_line(event, pattern, screen.width), crop=True)


def _line(event: Event, pattern: str, width: int) -> Text:
    from rich.text import Text

    line = Text(no_wrap=True, overflow="crop")
    identity = fit(one_line(str(event.get("id") or "-")), 24 if width >= _WIDE else 18)
    line.append(f"{when(event)}  {identity}  ", "dim")
    for words, hit in _around(searched(event), pattern, width - line.cell_len):
        line.append(words, "bold red" if hit else None)
    line.truncate(width, overflow="ellipsis")
    return line


def _around(text: str, pattern: str, room: int) -> Iterator[tuple[str, bool]]:
    """Yield what is before the first hit in *text*, the hit, and what follows, in some *room* characters."""
    hit = re.search(pattern, text, re.IGNORECASE)
    start, end = hit.span() if hit else (0, 0)
    before = one_line(text[max(0, start - room) : start] + "|")[:-1]
    room_before = max(room // 3, room - (end - start) - (len(text) - end))
    yield before if len(before) <= room_before else "…" + before[-room_before + 1 :], False
    yield one_line(text[start:end][:room]), True
    yield one_line("|" + text[end : end + room])[1:], False
