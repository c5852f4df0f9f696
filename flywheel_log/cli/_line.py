"""One call on one line: when, how it went, who asked which model, how much, how long, and the first words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from flywheel_log.clock import taken_ms
from flywheel_log.event import Event
from flywheel_log.loop.conversation import conversation

from ._screen import duration, fit, moment, number, one_line

if TYPE_CHECKING:
    from rich.text import Text

_WIDE = 110
_TIME = len("01-31 10:00:00")
_STYLES = {"ok": "green", "error": "red", "incomplete": "yellow"}
_GLYPHS = {"ok": "✓", "error": "✗", "incomplete": "…"}


def heading(width: int) -> Text:
    """Return the names of the columns."""
    from rich.text import Text

    who, model = _widths(width)
    names = f"{fit('time', _TIME)}   {fit('workload', who)} {fit('model', model)}    tokens   took  "
    return Text(names + "prompt → answer", style="dim", no_wrap=True)


def line(event: Event, width: int, zone: tzinfo | None = None) -> Text:
    """Return *event* on one line of at most *width* cells; times are local or in *zone*."""
    from rich.text import Text

    who, model = _widths(width)
    text = Text(no_wrap=True, overflow="crop")
    text.append(f"{when(event, zone)} ", "dim")
    text.append(f"{sign(event)} ", style_of(event))
    text.append(f"{fit(one_line(event.get('workload_id') or ''), who)} ", "cyan")
    text.append(f"{fit(one_line(event.get('model') or event.get('name') or event['kind']), model)} ")
    text.append(f"{_tokens(event):>9} {duration(taken_ms(event)):>6}  ", "dim")
    _words(text, event, max(0, width - text.cell_len))
    text.truncate(width)
    return text


def when(event: Event, zone: tzinfo | None = None) -> str:
    """Return the day and time of *event*, local or in *zone*, in 14 cells."""
    local = moment(event["timestamp"], zone)
    return fit(one_line(f"{local:%m-%d %H:%M:%S}" if local else event["timestamp"]), _TIME)


def sign(event: Event) -> str:
    """Return how *event* went: `✓`, `✗`, `…` for a call that ended early, `·` for what is no call."""
    return _GLYPHS.get(event.get("status") or "", "·")


def style_of(event: Event) -> str:
    """Return the colour that says how *event* went; empty for what is no call."""
    return _STYLES.get(event.get("status") or "", "")


def failure(event: Event) -> str:
    """Return the error of *event* in words, e.g. `429 RateLimitError: slow down`; empty if there is none."""
    error = event.get("error")
    if not error:
        return ""
    # The SDK's messages open with the status once more.
    message = str(error.get("message", "")).removeprefix(f"Error code: {error.get('status_code')} - ")
    return f"{error.get('status_code', '')} {error.get('type', 'error')}: {message}".strip()


def in_words(values: Mapping[str, Any] | None) -> str:
    """Return a mapping in words: `rating: 2, scale: 1 5, grounding (score: 0.3)`."""
    return ", ".join(_in_words(name, value) for name, value in (values or {}).items())


def _in_words(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{name} ({in_words(value)})"
    return f"{name}: {' '.join(map(str, value)) if isinstance(value, list) else value}"


def opinion(event: Event) -> str:
    """Return in words what feedback, a judge or a moderation says about a call."""
    fields: dict[str, Any] = dict(event)
    flag = fields.get("hallucination_flag")
    flagged = f"{'a' if flag else 'no'} hallucination" if isinstance(flag, bool) else ""
    return ", ".join(filter(None, (flagged, in_words(fields.get("quality")), in_words(fields.get("safety")))))


def documents(event: Event) -> list[str]:
    """Return the ids of the documents that *event* names as retrieved."""
    found: Any = event.get("retrieval_docs")
    named = found if isinstance(found, list) else []
    return [str(one.get("id", "?") if isinstance(one, dict) else one) for one in named]


def _widths(width: int) -> tuple[int, int]:
    return (18, 20) if width >= _WIDE else (9, 12)


def _tokens(event: Event) -> str:
    return f"{number(event.get('input_tokens'))}→{number(event.get('output_tokens'))}"


def _words(text: Text, event: Event, room: int) -> None:
    talk = conversation(event)
    asked = one_line(next((turn.text for turn in reversed(talk.asked) if turn.text), "") or _about(event))
    problem = one_line(failure(event))
    said = problem or one_line(" ".join(word for turn in talk.answered for word in turn.said) or _found(event))
    half = max(room // 2 - 2, room - 3 - len(said))
    asked = fit(asked, min(half, len(asked))) if len(asked) > half else asked
    room += text.cell_len
    text.append(asked)
    if said:
        text.append(" → ", "dim")
        text.append(fit(said, room - text.cell_len).rstrip(), "red" if problem else None)


def _about(event: Event) -> str:
    """Return what an event without a question is about."""
    fields: dict[str, Any] = dict(event)
    if event["kind"] == "retrieval":
        return str((fields.get("request") or {}).get("query") or "")
    lost: dict[str, Any] = {name: fields[name] for name in ("reason", "count") if name in fields}
    return opinion(event) or in_words(lost) or in_words(fields.get("metadata"))


def _found(event: Event) -> str:
    return ", ".join(documents(event)) if event["kind"] == "retrieval" else ""
