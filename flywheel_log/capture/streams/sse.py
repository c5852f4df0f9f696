"""Server-sent events as bytes: from what came over the wire to one JSON payload an event, cheaply."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from ...event import JSON
from ...serialise import loads
from ..surfaces import Surface

DONE = b"[DONE]"
_LAST = 4  # Behind the last that says something may come a `[DONE]`, and what is left of a piece.
_PADDING = b',"obfuscation":"'
_TEXT = re.compile(rb'(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*+')
is_text = _TEXT.fullmatch
"""Whether bytes may stand inside a JSON string."""
_STREAMS_OWN = re.compile(rb'(?<=\Adata: {"id":")[^"\\]+|(?<="created":)\d+')


def events(raw: bytes) -> list[bytes]:
    """Cut *raw* into events.

    Line ends, comments, `event:` lines and data over several lines follow the server-sent events standard:
    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return raw.split(b"\n\n")


def last(raw: bytes) -> bytes:
    """Return the data of the last event in *raw*; empty where that has not come to its end."""
    *_, event, rest = [b"", *events(raw)]
    return b"" if rest else _data(event.strip(b"\n"))


def payloads(found: list[bytes], surface: Surface, *, summed_up: bool = True, join: bool = True) -> list[bytes]:
    """Return the data of the events *found* (the `[DONE]` of OpenAI's streams included), in order, runs joined.

    Of those that one at their end sums up, it is only that one's, unless they are not to be *summed_up*. Runs are left
    as they are unless they are to *join*.
    """
    if (
        summed_up
        and surface.SUMS_UP is not None
        and (last := next(filter(surface.SUMS_UP.search, found[:-_LAST:-1]), None))
    ):
        return [_data(last.strip(b"\n"))]
    if any(_PADDING in event for event in found[:3]):
        found = [_unpadded(event) for event in found]
    if join:
        found = squash(found, surface)
    return [data for event in found if (data := _data(event.strip(b"\n")))]


def _data(event: bytes) -> bytes:
    if event.startswith(b"data: ") and b"\n" not in event:
        return event[6:]
    lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines)


def _text_at(event: bytes, start: int) -> bytes | None:
    """The inside, which begins at *start*, of a JSON string in *event*; None where that is wrong, or does not end."""
    text = _TEXT.match(event, start)
    return text.group() if text is not None and event.startswith(b'"', text.end()) else None


def _unpadded(event: bytes) -> bytes:
    """*event* without the random text OpenAI pads its events with: it says nothing, and makes each one different."""
    middle, end = around_padding(event)
    return middle.removesuffix(_PADDING) + end[1:] if middle else event


def around_padding(event: bytes) -> tuple[bytes, bytes]:
    """What of *event* stands before its padding, and what behind it; all behind it where there is none."""
    before, found, behind = event.rpartition(_PADDING)
    padding, quote, end = behind.partition(b'"')
    # It may be cut off in its padding.
    return (before + found, quote + end) if found and quote and b"\\" not in padding else (b"", event)


def squash(events: list[bytes], surface: Surface) -> list[bytes]:
    """Join runs of events that differ in one piece of text only into one event with the joined text.

    Most of a stream is such a run, so that two hundred events become three, and are parsed as three. What is joined are
    pieces of JSON strings, escapes and all.
    """
    squashed: list[bytes] = []
    at = 0
    while at < len(events):
        texts, head, tail = run(events[at], surface.TEXT)
        if texts:
            texts += _followers(events, at + 1, head, tail)
        size = max(1, len(texts))
        alike = size > 1 and adds_up(surface.assemble, head, tail)
        squashed += [head + b"".join(texts) + tail] if alike else events[at : at + size]
        at += size
    return squashed


def adds_up(assemble: Callable[[list[JSON]], JSON], head: bytes, tail: bytes) -> bool:
    """Whether *assemble* makes the same of events between *head* and *tail* as of one event with all of their texts.

    They do not if they say something else besides that adds up: a second choice, log probabilities, a refusal.
    """
    return _adds_up(assemble, _STREAMS_OWN.sub(b"0", head), tail)


@lru_cache(maxsize=16)
def _adds_up(assemble: Callable[[list[JSON]], JSON], head: bytes, tail: bytes) -> bool:
    try:
        one, other, both = (loads(_data((head + text + tail).strip(b"\n"))) for text in (b"a", b"b", b"ab"))
        return assemble([one, other]) == assemble([both])
    except Exception:  # noqa: BLE001 - what nobody expects is kept event by event
        return False


def _followers(events: list[bytes], at: int, head: bytes, tail: bytes) -> list[bytes]:
    """The texts of the events from *at* on that stand between *head* and *tail*; each block is twice the one before."""
    start, stop, seam = len(head), -len(tail), tail + head
    found: list[bytes] = []
    size = 1
    while size and at < len(events):
        block = events[at : at + size]
        texts = [event[start:stop] for event in block]
        # To put them together again costs less than to look at the ends of each.
        if b"".join(block) == head + seam.join(texts) + tail and _are_text(texts):
            found += texts
            at += size
            size *= 2
        else:
            size //= 2
    return found


def _are_text(pieces: list[bytes]) -> bool:
    """Whether each of *pieces* may stand inside a JSON string."""
    joined = b"".join(pieces)
    return (b'"' not in joined and b"\\" not in joined) or all(map(is_text, pieces))


def run(event: bytes, marker: re.Pattern[bytes]) -> tuple[list[bytes], bytes, bytes]:
    """The text of *event* that a run may start with, and what stands before and after it.

    *marker* finds the JSON in front of that text, e.g. `"content":"`.
    """
    found = marker.search(event)
    text = None if found is None else _text_at(event, found.end())
    if found is None or text is None:
        return [], b"", b""
    return [text], event[: found.end()], event[found.end() + len(text) :]
