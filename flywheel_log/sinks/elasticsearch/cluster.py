"""One HTTP request to Elasticsearch: bounded in time, never traced, answered as a status and JSON."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

from flywheel_log.event import JSON
from flywheel_log.process.forks import loading
from flywheel_log.sinks._retry_after import seconds
from flywheel_log.sinks._untraced import untraced

from .target import Target

if TYPE_CHECKING:
    from elastic_transport import Transport

JSON_TYPE = "application/json"
LINES_TYPE = "application/x-ndjson"
_TIMEOUT = "timeout"


@dataclass(frozen=True)
class Answer:
    """What came back: the HTTP status, the body as it came, and for how many seconds we were sent away."""

    status: int
    raw: bytes
    after: float | None = None

    @cached_property
    def body(self) -> Any:
        """The JSON, or None if it was none."""
        try:
            return orjson.loads(self.raw or b"null")
        except (orjson.JSONDecodeError, TypeError):
            return None

    @property
    def found(self) -> JSON:
        """The object that was asked for; an empty one where the server did not give it."""
        return self.body if self.status == HTTPStatus.OK and isinstance(self.body, dict) else {}


class Unreachable(Exception):
    """No answer came; whether the request was carried out is unknown. The text is a fixed word for the reason."""

    @property
    def timeout(self) -> bool:
        """Whether the server was too slow, rather than not there."""
        return str(self) == _TIMEOUT


class Cluster:
    """The servers of a *target*. Connects at the first request, and again in a forked child.

    What that needs is loaded here: a program may end with its first event, and has two seconds left then.

    Speaks through the official client's transport: its typed front asks a server of another major version for a media
    type it refuses, and takes longer to import than a small program runs.
    """

    def __init__(self, target: Target, clock: Callable[[], float] = time.monotonic) -> None:
        self._target = target
        self._clock = clock
        self._deadline = float("inf")
        self._transport: Transport | None = None
        self._owner = 0
        with loading():
            from .transport import connect

        self._connect = connect

    @property
    def servers(self) -> str:
        """The servers that are asked, for messages."""
        return ", ".join(self._target.nodes)

    def limit(self, seconds: float) -> None:
        """Let all requests from here on, until the next call of this, end within *seconds* together."""
        self._deadline = self._clock() + seconds

    def request(self, method: str, path: str, body: bytes | dict[str, Any] | None = None) -> Answer:
        """Send *body* (lines as bytes, or an object) and return the answer, whatever its status.

        Raises:
            Unreachable: there was no answer in time.
        """
        from ssl import SSLError

        from elastic_transport import ConnectionTimeout, TlsError, TransportError

        left = self._deadline - self._clock()
        if left <= 0:
            raise Unreachable(_TIMEOUT)
        lines = isinstance(body, bytes)
        headers = {"accept": JSON_TYPE, **({"content-type": LINES_TYPE if lines else JSON_TYPE} if body else {})}
        try:
            with untraced():
                response = self._connected().perform_request(
                    method,
                    path,
                    headers=headers,
                    body=orjson.dumps(body) if isinstance(body, dict) else body,
                    request_timeout=min(left, self._target.timeout),
                )
        except ConnectionTimeout as error:
            raise Unreachable(_TIMEOUT) from error
        except (TlsError, SSLError) as error:
            raise Unreachable("tls") from error
        except (TransportError, OSError) as error:
            raise Unreachable("unreachable") from error
        return Answer(response.meta.status, response.body, seconds(response.meta.headers.get("retry-after")))

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        if self._transport is not None and self._owner == os.getpid():
            self._transport.close()
        self._transport = None

    def _connected(self) -> Transport:
        if self._transport is None or self._owner != os.getpid():
            self._transport, self._owner = self._connect(self._target), os.getpid()
        return self._transport
