"""Amazon's event streams, in which Bedrock wraps the events of other APIs: frames of bytes with headers.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html describes the frames.
"""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from ...serialise import loads

_PRELUDE = struct.Struct("!III")  # Lengths of the frame and of its headers, and a checksum.
_CHECKSUM = 4
_STRING = 7


def is_stream(response: Any) -> bool:
    """Whether *response* says that it is one."""
    return str(response.headers.get("content-type", "")).startswith("application/vnd.amazon.eventstream")


def payloads(raw: bytes) -> list[bytes]:
    """The JSON of each whole frame in *raw*, unwrapped; an exception becomes an event of type `error`."""
    return [payload for headers, body in _frames(raw) if (payload := _payload(headers, body))]


def _frames(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + _PRELUDE.size <= len(raw):
        whole, head, _ = _PRELUDE.unpack_from(raw, at)
        start, end = at + _PRELUDE.size + head, at + whole - _CHECKSUM
        if not start <= end or at + whole > len(raw):  # The last, cut off with its connection; or no frame at all.
            return
        yield raw[at + _PRELUDE.size : start], raw[start:end]
        at += whole


def _payload(headers: bytes, body: bytes) -> bytes:
    named = dict(_strings(headers))
    try:
        said = loads(body)
    except ValueError:
        return b""
    if named.get(":message-type", "event") != "event":
        kind = named.get(":exception-type") or named.get(":error-code") or "error"
        message = said.get("message") if isinstance(said, dict) else None
        return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()
    wrapped = said.get("bytes") if isinstance(said, dict) else None
    return b64decode(wrapped) if isinstance(wrapped, str) else body


def _strings(headers: bytes) -> Iterator[tuple[str, str]]:
    """The headers up to the first that is no string; those that say what a frame is are strings."""
    at = 0
    while at < len(headers):
        name_end = at + 1 + headers[at]
        if headers[name_end : name_end + 1] != bytes([_STRING]):
            return
        value_end = name_end + 3 + int.from_bytes(headers[name_end + 1 : name_end + 3], "big")
        yield headers[at + 1 : name_end].decode(), headers[name_end + 3 : value_end].decode(errors="replace")
        at = value_end
