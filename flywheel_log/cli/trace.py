"""`flywheel-log trace`: one request from end to end, as a tree of its steps and calls with times and tokens."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flywheel_log.clock import taken_ms
from flywheel_log.event import Event
from flywheel_log.loop.feedback import response_id_of
from flywheel_log.loop.reading.read import read
from flywheel_log.loop.tree import Branch, tree
from flywheel_log.wording import counted

from . import Problem
from ._line import documents, failure, opinion, sign
from ._records import Records
from ._screen import console, duration, money, number, one_line, put_json
from ._source import AsJson, Sources, or_last

if TYPE_CHECKING:
    from rich.text import Text

Identity = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A trace's id or its unique beginning, the id of a record in it, or `last` (also when only a SOURCE is "
        "given).",
    ),
]
_STYLES = {"error": "red", "incomplete": "yellow"}


def command(identity: Identity = "last", sources: Sources = None, *, as_json: AsJson = False) -> None:
    """Draw a trace as a tree.

    Each line is a step, a call, a retrieval or feedback: how long it took, and the tokens of all that is inside.
    """
    identity, sources = or_last(identity, sources)
    records = Records(sources)
    records.rereadable()
    try:
        wanted = _trace_id(identity, records)
    except Problem:
        with records.reading() as events:  # and say how many lines are no records, which may be why
            deque(events, maxlen=0)
        raise
    with records.reading() as events:
        found = list(_of_trace(events, wanted))
    if as_json:
        for event in found:
            put_json(event)
    else:
        _draw(wanted, tree(found))


def _trace_id(identity: str, records: Records) -> str:
    """Return the id of the trace that *identity* means among *records*.

    Raises:
        Problem: there is none, or there are several.
    """
    begun: dict[str, None] = {}
    last = None
    for event in records.unreported(read):
        trace_id = event.get("trace_id")
        if isinstance(trace_id, str):
            last = trace_id
            if identity in (event.get("id"), response_id_of(event), trace_id):
                return trace_id
            if trace_id.startswith(identity):
                begun[trace_id] = None
    if identity == "last" and last is not None:
        return last
    if len(begun) == 1:
        return next(iter(begun))
    if begun:
        raise Problem(f"several traces begin with {identity!r}: {', '.join(begun)}")
    if last is None:
        raise Problem(f"no traces in {records.named} yet; wrap calls in `with flywheel_log.trace(…):` to make one")
    raise Problem(f"no trace has the id {identity!r}, nor a record of that id; the last one is {last}")


def _of_trace(events: Iterable[Event], trace_id: str) -> Iterator[Event]:
    """The events of a trace, and the feedback on them, which may come from elsewhere, but comes later."""
    names: set[Any] = set()
    for event in events:
        if event.get("trace_id") == trace_id or event.get("target") in names:
            names |= {event.get("id"), response_id_of(event)} - {None}
            yield event


def _draw(trace_id: str, branches: list[Branch]) -> None:
    from rich.tree import Tree

    drawn = Tree(f"trace {one_line(trace_id)}", guide_style="dim")
    growing = [(drawn, branch) for branch in branches]
    for parent, branch in growing:  # it grows as it is gone through
        node = parent.add(line(branch))
        growing += [(node, one) for one in branch.inside]
    console().print(drawn)


def line(branch: Branch) -> Text:
    """Return what is known of the event of *branch* on one line: what it was, how it went, time, tokens, cost."""
    from rich.text import Text

    fields: dict[str, Any] = dict(branch.event)
    text = Text(f"{sign(branch.event)} {one_line(_title(branch.event))}", _STYLES.get(fields.get("status") or "", ""))
    if (taken := taken_ms(fields)) is not None:
        text.append(f"  {duration(taken)}", "cyan")
    asked, answered, cost = (_sum(branch, key) for key in ("input_tokens", "output_tokens", "cost_usd"))
    if asked is not None or answered is not None:
        text.append(f"  {number(asked)}→{number(answered)} tokens", "dim")
    if cost is not None:
        text.append(f"  {money(cost)}", "dim")
    if problem := failure(branch.event):
        text.append(f"  {one_line(problem)}", "red")
    return text


def _title(event: Event) -> str:
    match event["kind"]:
        case "step":
            return str(event.get("name") or "step")
        case "retrieval":
            return f"retrieval of {counted(len(documents(event)), 'document')}"
        case "feedback":
            judge = event.get("name") if event.get("name") not in (event.get("quality") or {}) else None
            return " ".join(filter(None, ("feedback", judge, opinion(event))))
        case kind:
            return " ".join(filter(None, (event.get("surface") or kind, event.get("model"))))


def _sum(branch: Branch, key: str) -> Any:
    """The sum of *key* over *branch* and all inside it; None where nobody knows it."""
    found = (dict(one.event).get(key) for one in branch.walk())
    known = [value for value in found if isinstance(value, int | float)]
    return sum(known) if known else None
