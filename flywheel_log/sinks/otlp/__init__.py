"""`otlp:` the sink: every event becomes a span with OpenTelemetry's conventions for generative AI, at a collector."""

from __future__ import annotations

import gzip
import os
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from flywheel_log.health import health
from flywheel_log.process.forks import loading
from flywheel_log.sinks import RetryLater, Sink
from flywheel_log.sinks._retry_after import seconds
from flywheel_log.sinks._untraced import untraced

from .target import Target, target
from .target import resolve as resolve

if TYPE_CHECKING:
    from urllib3 import PoolManager

_OK, _BAD_REQUEST, _TOO_LARGE, _UNPROCESSABLE = 200, 400, 413, 422
_REFUSALS = frozenset({_BAD_REQUEST, _TOO_LARGE, _UNPROCESSABLE})


class Otlp(Sink):
    """Sends events as spans over OTLP's http/protobuf, and again until the collector has them.

    A span's ids are the event's, or made from the event's id, so that what has to be sent twice is one span. What a
    collector refuses for its content is halved until the span at fault is found; that is sent without prompt and
    answer, and counted as `refused` if not even that is taken. Everything else is offered again: an address, a port or
    a key that is wrong can be mended.

    Attributes:
        linger_s: seconds for a batch to grow.
    """

    linger_s = 1.0

    def __init__(self, where: Target) -> None:
        self._target = where
        self._pool: PoolManager | None = None
        self._owner = 0
        self._counts = Counter({"rejected": 0, "bared": 0, "refused": 0})

    def write(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Send *lines*; return those to offer again. Raises `RetryLater` if the collector took none of them."""
        if not lines:
            return ()
        status = self._post(lines, self._target.content)
        if status == _OK:
            return ()
        if len(lines) == 1:
            self._bare(lines)
            return ()
        middle = len(lines) // 2
        again = list(self.write(lines[:middle]))
        try:
            return [*again, *self.write(lines[middle:])]
        except RetryLater:  # The first half is stored, and only the second may be offered again.
            return [*again, *lines[middle:]]

    def stats(self) -> dict[str, int]:
        """Count spans: `rejected` by the collector, `bared` of their content to be taken, and `refused` even so."""
        return dict(self._counts)

    def close(self) -> None:
        """Close the connections."""
        if self._pool is not None and self._owner == os.getpid():
            self._pool.clear()
        self._pool = None

    def _bare(self, line: Sequence[bytes]) -> None:
        """Send the one event that was refused without its content."""
        taken = self._post(line, "off") == _OK
        self._counts["bared" if taken else "refused"] += 1
        if not taken:
            health.drop("otlp_refused")

    def _post(self, lines: Sequence[bytes], content: str) -> int:
        """Send *lines* in one request and return its status: 200, or one that says the spans are at fault."""
        with loading():
            from urllib3.exceptions import HTTPError

            from .span import request

        body = request(lines, self._target, content)
        if self._target.gzip:
            body = gzip.compress(body, 1)
        headers = {**self._target.headers, "content-type": "application/x-protobuf"}
        headers |= {"content-encoding": "gzip"} if self._target.gzip else {}
        try:
            with untraced():
                answer = self._connected().request("POST", self._target.url, body=body, headers=headers, redirect=False)
        except HTTPError as error:
            raise RetryLater(_hindrance(error)) from error
        if answer.status == _OK:
            self._counts["rejected"] += _rejected(answer.data)
        elif answer.status not in _REFUSALS:
            raise RetryLater(f"http {answer.status}", seconds(answer.headers.get("retry-after")))
        return answer.status

    def _connected(self) -> PoolManager:
        if self._pool is None or self._owner != os.getpid():
            from urllib3 import PoolManager, Timeout

            where = self._target
            options: dict[str, Any] = {"timeout": Timeout(total=where.timeout), **where.certificates}
            self._pool = PoolManager(1, retries=False, **options)
            self._owner = os.getpid()
        return self._pool


def _hindrance(error: Exception) -> str:
    """Return in a word, the one that the sink for Elasticsearch has, why there was no answer."""
    from urllib3.exceptions import NewConnectionError, SSLError, TimeoutError

    words = {NewConnectionError: "unreachable", SSLError: "tls", TimeoutError: "timeout"}
    return next((word for kind, word in words.items() if isinstance(error, kind)), "unreachable")


def _rejected(body: bytes) -> int:
    """How many spans the collector says that it has thrown away for good; it wants none of them again."""
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    try:
        rejected = ExportTraceServiceResponse.FromString(body).partial_success.rejected_spans
    except DecodeError:  # Some collectors answer in JSON, or in words, whatever they are asked in.
        return 0
    if rejected:
        health.drop("otlp_rejected", count=rejected)
    return int(rejected)


def open(url: str) -> Otlp:
    """Open the sink `otlp:`, or `otlp://host:4318[/path]?…`; connects with the first event.

    Raises:
        ImportError: the extra `[otlp]` is not installed.
        ValueError: something in the URL or the environment is wrong.
    """
    if not (_installed("opentelemetry.proto") and _installed("urllib3")):
        raise ImportError("sink 'otlp' needs a library; pip install 'flywheel-log[otlp]' brings it")
    return Otlp(target(url))


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
