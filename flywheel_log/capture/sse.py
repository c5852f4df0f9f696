"""Server-sent events as bytes: from what came over the wire to one JSON payload an event, cheaply."""

from __future__ import annotations

import re

DONE = b"[DONE]"
_OBFUSCATION = re.compile(rb',\s*"obfuscation"\s*:\s*"[^"]*"')


def payloads(raw: bytes) -> list[bytes]:
    """Return the data of each event in *raw* (the `[DONE]` of OpenAI's streams included), in order.

    Line ends, comments, `event:` lines and data over several lines follow the server-sent events standard:
    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found = []
    for block in raw.split(b"\n\n"):
        if block.startswith(b"data: ") and b"\n" not in block:
            found.append(block[6:])
        elif data := _data(block):
            found.append(data)
    return found


def _data(block: bytes) -> bytes:
    lines = [line[5:].removeprefix(b" ") for line in block.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines)


def squash(found: list[bytes], marker: bytes) -> list[bytes]:
    """Join runs of payloads that differ in one piece of text only into one payload with the joined text.

    *marker* is the JSON that comes before the text, e.g. `"content":"`. Most of a stream is such a run, so that two
    hundred payloads become three, and are parsed as three. A payload whose text has a quote in it ends a run.
    """
    squashed: list[bytes] = []
    texts: list[bytes] = []
    head = tail = b""
    for payload in found:
        text = payload[len(head) : len(payload) - len(tail)]
        if texts and payload.startswith(head) and payload.endswith(tail) and b'"' not in text:
            texts.append(text)
            continue
        if texts:
            squashed.append(head + b"".join(texts) + tail)
        texts, head, tail = _run(payload, marker)
        if not texts:
            squashed.append(payload)
    if texts:
        squashed.append(head + b"".join(texts) + tail)
    return squashed


def _run(payload: bytes, marker: bytes) -> tuple[list[bytes], bytes, bytes]:
    start = payload.find(marker) + len(marker)
    end = payload.find(b'"', start)
    if start < len(marker) or end < 0 or payload[end - 1 : end] == b"\\":
        return [], b"", b""
    return [payload[start:end]], payload[:start], payload[end:]


def without_padding(raw: bytes) -> bytes:
    """Drop the random `obfuscation` that OpenAI pads the chunks with; it says nothing and makes each one different."""
    return _OBFUSCATION.sub(b"", raw) if b'"obfuscation"' in raw else raw
