"""What a script is given and what it may give back: `Received`, `Reply`, and the frames of an event stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal
from urllib.parse import urlsplit

JSON = dict[str, Any]


class HangUp(Enum):
    """The type of `HANG_UP`."""

    HANG_UP = "hang up"


HANG_UP: Literal[HangUp.HANG_UP] = HangUp.HANG_UP
"""In place of a reply: close the connection without a byte. As an item of a body: close it after what was sent."""

Item = bytes | float | Literal[HangUp.HANG_UP]


@dataclass(frozen=True)
class Received:
    """One request as it arrived.

    Attributes:
        method: `POST`, `GET` …
        path: the request target with its query, e.g. `/v1/chat/completions`.
        headers: by lower-case name; of a repeated header the last.
        body: the bytes of the body, with chunked transfer coding removed and content coding left alone.
        number: 1 for the first request of this server, then 2 …
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    number: int = 1

    @property
    def route(self) -> str:
        """The path without its query."""
        return urlsplit(self.path).path

    def json(self) -> Any:
        """Return the parsed body. Raises ValueError if it is not JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What to answer, to the byte.

    Attributes:
        status: the HTTP status.
        headers: sent as they are. Added unless given: `content-type` (JSON for bytes, an event stream for items),
            `x-request-id`, `date`, and the framing.
        body: bytes go out at once with a `content-length`. An iterable goes out item by item, each flushed as one
            chunk: bytes are sent, a number waits so many seconds, `HANG_UP` closes the connection. With a
            `content-length` in *headers* its items are sent raw instead of chunked. A generator runs in the
            connection's thread, may block on the test's own event, and is closed when the client has gone.
        delay: seconds to wait before the status line.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[Item] = b""
    delay: float = 0.0

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """Answer *value* as JSON."""
        return cls(status, headers or {}, json.dumps(value).encode())

    @classmethod
    def events(cls, items: Iterable[JSON | str | Item], headers: Mapping[str, str] | None = None) -> Reply:
        """Answer an event stream: objects and strings become frames (see `frame`), all else is as in `body`."""
        return cls(200, headers or {}, (frame(item) if isinstance(item, (dict, str)) else item for item in items))


def frame(data: JSON | str) -> bytes:
    """Return one server-sent event: an object as JSON, a string (`[DONE]`) as it is.

    An object whose `type` is a dotted name, as those of the Responses API are, is preceded by an `event:` line.
    """
    if isinstance(data, str):
        return f"data: {data}\n\n".encode()
    name = data.get("type")
    event = f"event: {name}\n" if isinstance(name, str) and "." in name else ""
    return f"{event}data: {json.dumps(data)}\n\n".encode()
