"""`flywheel-log show`: one call in full, as a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flywheel_log.clock import taken_ms
from flywheel_log.event import Event
from flywheel_log.loop.conversation import Turn, conversation
from flywheel_log.loop.feedback import response_id_of, target_of
from flywheel_log.loop.values import as_text
from flywheel_log.meter import CALLS
from flywheel_log.projection.chat import objects
from flywheel_log.wording import first_few

from . import Problem
from ._line import documents, failure, in_words, sign, style_of
from ._records import ALL, Given, Records
from ._screen import console, duration, many_lines, moment, money, number, one_line, put_json
from ._select import selecting
from ._source import AsJson, or_last

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Identity = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A record's id, its unique beginning, the response's id, or `last` for the last call (as does a SOURCE).",
    ),
]
_NAMED = 5
_MARGIN = "  "
_WHO = ("client_id", "workload_id", "user_id", "session_id")


@selecting
def command(identity: Identity = "last", records: Given = ALL, *, as_json: AsJson = False) -> None:
    """Show one call in full.

    Messages, tools, answer, tokens, latency, and who asked.
    """
    identity, given = or_last(identity, records.given)
    records = replace(records, given=given)
    event = _last(records) if identity == "last" else _named(identity, records)
    if as_json:
        put_json(event)
    else:
        show(event)


def _last(records: Records) -> Event:
    calls = replace(records.chosen, where={"kind": CALLS, **records.chosen.where})
    for event in replace(records, chosen=calls).newest(1):
        return event
    raise records.nothing("calls")


def _named(identity: str, records: Records) -> Event:
    with records.reading(joined=True) as events:
        found = find(events, identity)
    if found is None:
        among = f" of those{records.matching}" if records.chosen else ""
        raise Problem(f"no record{among} has the id {identity!r}; `flywheel-log tail --json` shows the ids")
    return found


def find(events: Iterable[Event], identity: str) -> Event | None:
    """Return the event that *identity* means: its id, its response's id, or how its id begins; None if none is.

    Raises:
        Problem: several begin so; the message names them.
    """
    answered: Event | None = None
    begun: list[Event] = []
    for event in events:
        if event.get("id") == identity:
            return event
        if response_id_of(event) == identity:
            answered = event
        elif (event.get("id") or "").startswith(identity):
            begun = [*begun[:_NAMED], event]
    if answered is None and len(begun) > 1:
        raise Problem(f"several records begin with {identity!r}: {first_few([event['id'] for event in begun], _NAMED)}")
    return answered or next(iter(begun), None)


def show(event: Event) -> None:
    """Print *event*: the facts, then the conversation."""
    from rich.text import Text

    screen = console()
    styles = {"status": style_of(event), "error": "red"}
    for name, value in facts(event):
        _fold(screen, Text(value, styles.get(name, "")), Text(f"{name:>9}  "))
    talk = conversation(event)
    for turn in (*talk.asked, *_retrieval(event)):
        _say(screen, turn, "bold")
    for turn in talk.answered:
        _say(screen, turn, "bold green")


def facts(event: Event) -> list[tuple[str, str]]:
    """Return what is known about *event* besides what was said, as names and texts."""
    fields: dict[str, Any] = dict(event)
    prompt = fields.get("prompt") or {}
    local = moment(event["timestamp"])
    found = [
        ("id", fields.get("id")),
        ("time", f"{local:%Y-%m-%d %H:%M:%S %Z}" if local else event["timestamp"]),
        ("call", " · ".join(str(fields[key]) for key in ("provider", "surface", "model") if fields.get(key))),
        ("name", fields.get("name")),
        ("about", target_of(event)),
        ("response", response_id_of(event)),
        ("status", f"{sign(event)} {event.get('status') or event['kind']}"),
        ("error", failure(event)),
        ("who", " · ".join(f"{key.removesuffix('_id')} {fields[key]}" for key in _WHO if fields.get(key))),
        ("prompt", "@".join(str(prompt[key]) for key in ("name", "version") if prompt.get(key))),
        ("tags", as_text(fields.get("tags"))),
        ("tokens", _tokens(event)),
        ("latency", _latency(event)),
        ("cost", money(fields.get("cost_usd")) if fields.get("cost_usd") is not None else ""),
        ("retries", fields.get("retries")),
        ("tools", ", ".join(_tools(event))),
        ("metadata", in_words(fields.get("metadata"))),
        ("retrieved", ", ".join(documents(event))),
        *_marks(fields),
        ("trace", fields.get("trace_id")),
    ]
    return [(name, one_line(str(value))) for name, value in found if value]


def _marks(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was found out, said or changed about a call."""
    yield "feedback", "; ".join(_opinions(fields.get("quality")))
    yield "flagged", "a hallucination" if fields.get("hallucination_flag") else ""
    yield "safety", in_words(fields.get("safety"))
    yield "redacted", in_words(fields.get("redactions"))
    yield "unsafe", as_text(fields.get("training_unsafe"))


def _retrieval(event: Event) -> Iterator[Turn]:
    """Yield what a retrieval searched for and found; calls that were given the documents bear no texts."""
    if event["kind"] != "retrieval":
        return
    if query := (event.get("request") or {}).get("query"):
        yield Turn("query", str(query))
    for doc in event.get("retrieval_docs") or ():
        if isinstance(doc, dict):
            noted = (f"{name} {doc[name]}" for name in ("score", "source") if doc.get(name) is not None)
            yield Turn(str(doc.get("id", "?")), str(doc.get("text") or ""), note=" · ".join(noted))


def _opinions(quality: Any) -> Iterator[str]:
    """Yield what each person, or judge, said about the answer."""
    said = quality if isinstance(quality, dict) else {}
    given = said.get("feedback")
    for one in given if isinstance(given, list) else [said]:
        if isinstance(one, dict):
            yield in_words({name: value for name, value in one.items() if name not in ("id", "timestamp")})


def _tokens(event: Event) -> str:
    if event.get("input_tokens") is None and event.get("output_tokens") is None:
        return ""
    shown = f"{number(event.get('input_tokens'))} → {number(event.get('output_tokens'))}"
    cached = event.get("cached_tokens")
    return shown + (f" ({number(cached)} cached)" if cached else "")


def _latency(event: Event) -> str:
    latency, first = taken_ms(event), event.get("time_to_first_token_ms")
    if latency is None:
        return ""
    return duration(latency) + (f", first token after {duration(first)}" if first else "")


def _tools(event: Event) -> list[str]:
    named = [tool.get("function") or tool for tool in objects((event.get("request") or {}).get("tools"))]
    return [str(tool.get("name") or tool.get("type")) for tool in named if isinstance(tool, dict)]


def _say(screen: Console, turn: Turn, style: str) -> None:
    from rich.text import Text

    screen.print()
    screen.print(Text(one_line(turn.role), style).append(f"  {one_line(turn.note)}".rstrip(), "dim"))
    said = list(Text(many_lines(turn.text)).split("\n")) if turn.text else []
    wanted = [Text(many_lines(f"→ {call}"), "cyan") for call in turn.calls]
    for paragraph in [*said, *wanted]:
        _fold(screen, paragraph, Text(_MARGIN))


def _fold(screen: Console, text: Text, before: Text) -> None:
    """Print *text* and what stands *before* it: as it is into a pipe, on a terminal folded under its own margin."""
    for row in text.wrap(screen, screen.width - len(before)) if screen.is_terminal else [text]:
        screen.print(before + row, soft_wrap=True)
        before = before.blank_copy(" " * len(before))
