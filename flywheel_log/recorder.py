"""The whole road in one place: capture → pipeline → journal → sinks, and the process's one recorder."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from .event import JSON, Event
from .health import health
from .infrastructure import machine, stamp
from .judges._bench import Bench
from .meter import CALLS, meter
from .pipeline.fingerprint import fingerprint
from .pipeline.flag import flag
from .pipeline.mask import Mask
from .pipeline.parse import loads, parse
from .pipeline.price import Prices
from .pipeline.refer import refer
from .pipeline.sample import Sampler
from .pipeline.select import Selection
from .pipeline.trim import LOOK_ABOVE, trim
from .pipeline.withhold import bare, withhold
from .serialise import dumps

if TYPE_CHECKING:
    from .config import Settings
    from .delivery import Delivery
    from .pipeline.redact import Redactor

Keep = Callable[[Event], str | None]

EXIT_SECONDS = 1.7  # With the end of the interpreter itself, a program whose sink hangs is gone within 2.5 s.
_lock = threading.RLock()
_recorder: Recorder | None = None


class Recorder:
    """Takes events from capture through the pipeline to whoever keeps them.

    Args:
        settings: what happens on the way.
        keep: takes each finished event and returns its id; None stands for the journal and the sinks of *settings*.
    """

    def __init__(self, settings: Settings, keep: Keep | None = None) -> None:
        import structlog

        from .capture.usage import Asking

        self.settings = settings
        self.asking = Asking(settings.usage)
        self._delivery: Delivery | None = None if keep else _delivery(settings)
        self._bench = Bench(settings.judges, settings.judged, self.record)
        self._put = self._delivery.put if self._delivery else lambda line: keep(loads(line)) if keep else None
        self._sampler = Sampler(settings.sample, settings.sample_first)
        self._redactor = _redactor(settings)
        # Bound values stand under those of the event: who made the call is known best where it was made.
        self._identity = {"client_id": settings.client_id, "workload_id": settings.workload_id}
        self._log = structlog.wrap_logger(
            self,
            processors=_pipeline(settings, self._sampler, stamped=self._delivery is not None),
            wrapper_class=structlog.BoundLogger,
            cache_logger_on_first_use=True,
        ).bind(**self._identity)

    def record(self, event: Event) -> str | None:
        """Take *event* down the road; return its id, or None where it was dropped. Never raises."""
        try:
            if event["kind"] in CALLS:
                meter.add(event, self.settings.workload_id)
            return cast("str | None", self._log.keep(**event))
        except Exception as error:  # noqa: BLE001 - whatever a processor raises, the program's call goes on
            health.drop("processor", error)
        return self._without_content(event)

    def _without_content(self, event: Event) -> str | None:
        """Fail closed: what a processor could not clean is not written, but that the call happened is."""
        try:
            return self._put(dumps(bare(cast(Event, self._identity | event))))
        except Exception as error:  # noqa: BLE001
            health.drop("record", error)
            return None

    def keep(self, event: Event) -> str | None:
        """Write *event* as a line, redacted so that nothing gets around it; the judges see no more than the line."""
        line = dumps(event)
        if self._redactor is not None and (clean := self._redactor(line)) is not None:
            event, line = clean, dumps(clean)
        if len(line) > LOOK_ABOVE:
            limit = self.settings.max_event_kb * 1024
            line = dumps(trim(event, media=self.settings.media, max_bytes=limit))
        identity = self._put(line)
        self._bench.offer(identity, event)
        return identity

    def flush(self, timeout: float | None) -> int:
        """Wait until the judges are done and all sinks have everything; return how many events are on their way."""
        begun = time.monotonic()
        self._bench.flush(timeout)
        left = None if timeout is None else max(0.0, begun + timeout - time.monotonic())
        return self._delivery.flush(left) if self._delivery else 0

    def close(self, timeout: float) -> int:
        """Flush, stop the threads and close the sinks; what is left waits on disk."""
        deadline = time.monotonic() + timeout
        machine.stop()
        self._bench.flush(timeout / 2)
        return self._delivery.close(max(0.0, deadline - time.monotonic())) if self._delivery else 0

    def stats(self) -> JSON:
        """Figures of the delivery, what the sample left out, by workload, and what was dropped, by reason."""
        delivered = self._delivery.stats() if self._delivery else {}
        return {**delivered, "sampled_out": self._sampler.left_out(), "dropped": health.dropped()}


def _pipeline(settings: Settings, sampler: Sampler, *, stamped: bool) -> list[Any]:
    """The processors in the order in which an event meets them."""
    chain: list[Any] = [sampler] if sampler else []
    chain += [flag, refer] if settings.embeddings == "reference" else [flag]
    chain += [withhold] if settings.content == "off" else []
    if settings.processors:
        chain += [parse, *settings.processors]
    if settings.reasoning != "keep":
        chain.append(Mask(settings.reasoning))
    chain += [stamp] if stamped and settings.infrastructure == "on" else []
    if selection := Selection(settings.fields_allow, settings.fields_deny):
        chain.append(selection)
    return [*chain, _as_argument]


def _as_argument(_: Any, __: str, event: Event) -> tuple[tuple[Event], JSON]:
    return (event,), {}


def _redactor(settings: Settings) -> Redactor | None:
    if not settings.redact and not settings.redact_patterns:
        return None
    from .pipeline.redact import Redactor  # Its patterns take a while to compile.

    return Redactor.of(settings)


def enrichment(settings: Settings) -> Callable[[Event], JSON]:
    """What is found out about an event on its way to the sinks, off the caller's thread: its price, and its prompt."""
    prices = Prices(settings.prices)
    wanted = Selection(settings.fields_allow, settings.fields_deny)
    return lambda event: cast(JSON, wanted(None, "", cast(Event, fingerprint(event) | prices(event))))


def _delivery(settings: Settings) -> Delivery:
    from .delivery import Delivery

    return Delivery(
        settings.sinks,
        settings.journal,
        quota_bytes=settings.journal_quota_mb << 20,
        fsync=settings.durability == "fsync",
        enrich=enrichment(settings),
    )


def current() -> Recorder:
    """The process's recorder; made from the environment at first use."""
    global _recorder  # noqa: PLW0603 - one recorder a process
    if _recorder is None:
        with _lock:
            if _recorder is None:
                from . import config

                _recorder = Recorder(config.load())
                atexit.register(_at_exit)
    return _recorder


def replace(recorder: Recorder | None) -> Recorder | None:
    """Make *recorder* the process's recorder; return the one before."""
    global _recorder
    with _lock:
        before, _recorder = _recorder, recorder
    return before


def record(event: Event) -> str | None:
    """Record *event* by the process's recorder, unless recording is disabled. Never raises."""
    try:
        recorder = current()
        return None if recorder.settings.disabled else recorder.record(event)
    except Exception as error:  # noqa: BLE001 - whatever it is, the program's call goes on
        if _recorder is None:
            health.explain(str(error))  # It is the settings that are wrong.
        health.drop("record", error)
        return None


def configure(**settings: Any) -> None:
    """Set how recording works: *settings* over `FLYWHEEL_LOG_*` environment over defaults.

    Takes the attributes of `flywheel_log.config.Settings` by name. Clients instrumented before follow at their next
    call; what they said until now is delivered as set before.

    Raises:
        TypeError: there is no such setting.
        ValueError: a value is wrong; the message names the setting, the value and what is allowed.
    """
    from . import config

    recorder = Recorder(config.load(**settings))
    atexit.register(_at_exit)
    before = replace(recorder)
    if before is not None:
        before.close(EXIT_SECONDS)


def flush(timeout: float | None = 10.0) -> int:
    """Wait until every event so far is in every sink, at most *timeout* seconds; return how many are not there yet."""
    return _recorder.flush(timeout) if _recorder is not None else 0


def shutdown(timeout: float = EXIT_SECONDS) -> int:
    """Deliver for at most *timeout* seconds and stop; return how many events wait on disk for the next start.

    The next event starts recording anew. A program need not call this: it happens at exit.
    """
    from .capture import call

    call.abandon_open()
    before = replace(None)
    return before.close(timeout) if before is not None else 0


def stats() -> Mapping[str, Any]:
    """How recording is doing: accepted, waiting and delivered events by sink, what was dropped and why."""
    return current().stats()


def _at_exit() -> None:
    try:
        shutdown(EXIT_SECONDS)
    except Exception as error:  # noqa: BLE001 - a failing exit handler would print a traceback into the program's output
        health.drop("exit", error)
