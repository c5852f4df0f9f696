"""Send requests again: some threads, one instrumented client, and a context that names the original records."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from flywheel_log import scope
from flywheel_log.event import JSON, Event

from .fit import KEYS, surface_of
from .pace import Pace

Job = tuple[Event, JSON]
Fields = Callable[[Event], JSON]
INTERRUPTED = "interrupted"
_HOPELESS = 5


@dataclass
class Sent:
    """How it went.

    Attributes:
        answered: how many requests were.
        failed: how many were not, by the class of the error.
        last_error: what the last of them said.
        stopped: why not all requests were sent; empty if they were.
    """

    answered: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    last_error: str = ""
    stopped: str = ""


def speaks(client: Any) -> tuple[str, ...]:
    """Return the surfaces that *client*, one of openai's, has; its older releases lack some."""
    return tuple(name for name in KEYS if hasattr(client, name.partition(".")[0]))


def send(
    jobs: Iterable[Job],
    client: Any,
    fields: Fields,
    *,
    concurrency: int = 4,
    per_minute: float | None = None,
    on_sent: Callable[[Sent], object] = lambda _: None,
) -> Sent:
    """Send requests again, and wait for the answers, which the records of the client keep.

    A failure is one request's; but where the first five all fail, no more are sent. Interrupted (Ctrl-C), it waits
    for the answers that are on their way.

    Args:
        jobs: records and the bodies to send, taken one by one.
        client: an instrumented `openai.OpenAI`.
        fields: what `context` takes, for the replay of a record.
        concurrency: how many requests are on their way at once, at most.
        per_minute: how many are sent a minute, at most; the SDK's own retries are not counted.
        on_sent: called after each request, by one thread at a time.
    """
    crew = _Crew(jobs, client, fields, per_minute, on_sent)
    with ThreadPoolExecutor(concurrency, "flywheel_log:replay") as threads:
        working = [threads.submit(crew.work) for _ in range(concurrency)]
        try:
            for one in working:
                one.result()
        except BaseException as error:
            crew.stop(INTERRUPTED if isinstance(error, KeyboardInterrupt) else type(error).__name__)
            if not isinstance(error, KeyboardInterrupt):
                raise
    return crew.sent


class _Crew:
    def __init__(
        self,
        jobs: Iterable[Job],
        client: Any,
        fields: Fields,
        per_minute: float | None,
        on_sent: Callable[[Sent], object],
    ) -> None:
        self.sent = Sent()
        self._jobs: Iterator[Job] = iter(jobs)
        self._client, self._fields, self._on_sent = client, fields, on_sent
        self._taking, self._counting, self._over = threading.Lock(), threading.Lock(), threading.Event()
        self._pace = Pace(per_minute, sleep=self._over.wait)

    def stop(self, why: str) -> None:
        self.sent.stopped = self.sent.stopped or why
        self._over.set()

    def work(self) -> None:
        while (job := self._next()) is not None:
            self._pace.wait()
            if self._over.is_set():
                return
            self._send(*job)

    def _next(self) -> Job | None:
        # The log is read here, and not where answers are timed.
        with self._taking:
            return None if self._over.is_set() else next(self._jobs, None)

    def _send(self, event: Event, request: JSON) -> None:
        try:
            with scope.context(**self._fields(event)):
                ask(self._client, surface_of(event), request)
        except Exception as error:  # noqa: BLE001  its record says what it was; the other requests are sent all the same
            self._count(error)
        else:
            self._count(None)

    def _count(self, error: Exception | None) -> None:
        with self._counting:
            if error is None:
                self.sent.answered += 1
            else:
                self.sent.failed[type(error).__name__] += 1
                self.sent.last_error = str(error)
            failed = self.sent.failed.total()
            if failed >= _HOPELESS and not self.sent.answered:
                self.stop(f"the first {_HOPELESS} requests all failed")
            self._on_sent(self.sent)


def ask(client: Any, surface: str, request: JSON) -> None:
    """Send the body *request* through *client* as it is, and read its answer to the end."""
    named = {key: request[key] for key in (KEYS[surface], "model", "stream") if key in request}
    rest = {key: value for key, value in request.items() if key not in named}
    api = client.responses if surface == "responses" else client.chat.completions
    answer = api.create(**named, extra_body=rest or None)
    if request.get("stream"):
        with answer as chunks:
            for _ in chunks:
                pass
