"""The whole path in one place, capture → pipeline → journal → sinks, and the process's one recorder."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from .enrichment import Enrichment, parsed, priced, settled, understood
from .event import JSON, Event, Wire
from .health import health
from .infrastructure import machine, stamp
from .judges._bench import Bench
from .meter import CALLS, meter
from .pipeline.chain import BLIND, logger, processors, redactor
from .pipeline.sample import Sampler
from .pipeline.trim import Limits, is_small, trim
from .pipeline.withhold import bare
from .process.forks import loading
from .process.interruptions import T, interruptions
from .process.locks import Lock
from .serialise import UNREAD, dumps, loads

if TYPE_CHECKING:
    from .config import Settings
    from .delivery import Delivery

Keep = Callable[[Event], str | None]
EXIT_SECONDS = 1.4  # With the end of an interpreter that has an SDK loaded, a hung sink holds a program for 2.5 s.
_lock = Lock()
_recorder: Recorder | None = None
interruptions.heed_forks()  # A child records nothing before all that it has from its parent is put away.


class Recorder:
    """Takes events from capture through the pipeline to whoever keeps them.

    Args:
        settings: what happens on the way.
        keep: takes each finished event and returns its id; None stands for the journal and the sinks of *settings*.
    """

    def __init__(self, settings: Settings, keep: Keep | None = None) -> None:
        from .capture.usage import Asking

        self.settings = settings
        self.asking = Asking(settings.usage)
        enrichment = Enrichment(settings)
        self._figures = enrichment.figures
        self._delivery: Delivery | None = None
        if keep is None:
            from .delivery import Delivery

            self._delivery = Delivery.of(settings, enrichment, chore=meter.settle)
        self._bench = Bench(settings.judges, settings.judged, self.record)
        self.put = self._delivery.put if self._delivery else lambda line: keep(loads(line)) if keep else None
        self._sampler = Sampler(settings.sample, settings.sample_first)
        self._redactor = redactor(settings)
        self._limits = Limits(settings.media, settings.max_event_kb * 1024)
        self._identity = {"client_id": settings.client_id, "workload_id": settings.workload_id}
        self._chain = processors(settings, self._sampler, stamped=self._delivery is not None)
        # Where nobody looks inside before the journal, an answer need not be parsed in the program's own call.
        self._straight = self._delivery is not None and BLIND.issuperset(self._chain) and not settings.judges
        self._log = None if self._straight else logger(self, self._chain, self._identity)

    def record(self, event: Event) -> str | None:
        """Take *event* down the road; return its id, or None where it was dropped. Never raises."""
        try:
            if self._straight and (line := self._joined(fields := {**self._identity, **event})) is not None:
                try:
                    fields["id"] = identity = self._write(line)
                finally:
                    meter.note(fields, self.settings.workload_id, self._figures)
                return identity
            found = understood(seen := parsed(event))
            if event["kind"] in CALLS:
                meter.note(priced({**seen, **found}), self.settings.workload_id, self._figures)
            event = cast(Event, {**event, **found})
            if self._log is not None:
                return cast("str | None", self._log.keep(**event))
            for processor in self._chain:  # Ours, which drop nothing: structlog's logger would do the same.
                event = processor(None, "keep", event)
            return self.keep(cast(Event, {**self._identity, **event}))
        except Exception as error:  # noqa: BLE001 - whatever a processor raises, the program's call goes on
            health.drop("processor", error)
        return self._without_content(event)

    def _joined(self, fields: JSON) -> bytes | None:
        """The line of a call whose request and answer are bytes, put together without a look inside; else None."""
        request, response = fields.get("request"), fields.get("response")
        if type(request) is not Wire or type(response) is not Wire or fields["kind"] == "embedding":
            return None
        del fields["request"], fields["response"]
        if stamp in self._chain:
            fields["infrastructure"] = machine.latest()
        told = dumps(fields)[1:-1]
        line = b"".join((b"{", UNREAD, told, b',"request":', request.raw, b',"response":', response.raw, b"}"))
        fields["response"] = response
        if b"\0" in line:  # It is no JSON, and would be none of the journal's lines.
            return None
        return line.replace(b"\n", b" ").replace(b"\r", b" ")  # Between tokens: inside a string they are no JSON.

    def _without_content(self, event: Event) -> str | None:
        """Fail closed: what a processor could not clean is not written, but that the call happened is."""
        try:
            return self.put(dumps(bare({**event, **understood(event)}, self._redactor, self._identity)))
        except Exception as error:  # noqa: BLE001
            health.drop("record", error)
            return None

    def keep(self, event: Event) -> str | None:
        """Write *event*, which has been through the pipeline."""
        return self._write(dumps(event), event)

    def _write(self, line: bytes, event: Event | None = None) -> str | None:
        """Write *line*, redacted so that nothing gets around it; judges see no more of its *event* than it says."""
        if self._redactor is not None and (clean := self._redactor(line)) is not None:
            event, line = clean, dumps(clean)
        if not is_small(line, self._limits):
            event = cast(Event, settled(cast(JSON, event or loads(line))))  # What is cut would be misunderstood later.
            line = dumps(event := trim(event, self._limits))
        identity = self.put(line)
        if event is not None:
            self._bench.offer(identity, event)
        return identity

    def flush(self, timeout: float | None) -> int:
        """Wait until the judges are done and all sinks have everything; return how many events are on their way."""
        begun = time.monotonic()
        meter.settle()
        self._bench.flush(timeout)
        left = None if timeout is None else max(0.0, begun + timeout - time.monotonic())
        return self._delivery.flush(left) if self._delivery else 0

    def close(self, timeout: float, successor: Recorder | None = None) -> int:
        """Flush, stop the threads and close the sinks; what is left waits on disk, and *successor* takes what comes."""
        deadline = time.monotonic() + timeout
        machine.stop()
        meter.settle()
        self._bench.close(timeout / 2)
        put = successor.put if successor is not None and not successor.settings.disabled else None
        return self._delivery.close(max(0.0, deadline - time.monotonic()), put) if self._delivery else 0

    def stats(self) -> JSON:
        """Figures of the delivery, what the sample left out, by workload, and what was dropped, by reason."""
        delivered = self._delivery.stats() if self._delivery else {}
        return {**delivered, "sampled_out": self._sampler.left_out(), "dropped": health.dropped()}


def _with_settings(use: Callable[[Any], T]) -> T:
    with loading():
        from . import config

        return use(config)


def current() -> Recorder:
    """The process's recorder; made from the environment at first use."""
    return _recorder or interruptions.shield(_with_settings, _first)


def _first(config: Any) -> Recorder:
    global _recorder  # noqa: PLW0603 - one recorder a process
    if (recorder := _recorder) is None:  # It is read once, for another thread may shut down.
        made = Recorder(config.load())
        with _lock:
            _recorder = recorder = _recorder or made  # A signal's handler may have asked for it meanwhile.
        atexit.register(_at_exit)
    return recorder


def replace(recorder: Recorder | None) -> Recorder | None:
    """Make *recorder* the process's recorder; return the one before."""
    global _recorder
    with _lock:
        before, _recorder = _recorder, recorder
    return before


def record(event: Event) -> str | None:
    """Record *event* by the process's recorder, unless recording is disabled. Never raises."""
    try:
        if interruptions.postpones(record, event):
            return None
        recorder = _recorder or current()
        return None if recorder.settings.disabled else recorder.record(event)
    except Exception as error:  # noqa: BLE001 - whatever it is, the program's call goes on
        if _recorder is None:
            health.explain(str(error))  # It is the settings that are wrong.
        health.drop("record", error)
        return None


def configure(**settings: Any) -> None:
    """Set how recording works; *settings* override the `FLYWHEEL_LOG_*` environment, which overrides the defaults.

    Takes the attributes of `flywheel_log.config.Settings` by name. Clients instrumented earlier use the new settings
    from their next call; what was recorded earlier is delivered with the old ones. A signal's handler that comes while
    something is recorded has it done right behind that, and errors logged.

    Raises:
        TypeError: there is no such setting.
        ValueError: a value is wrong; the message names the setting, the value and what is allowed.
    """
    if interruptions.postpones(_configure_late, settings, asked=True):
        return
    recorder, before = interruptions.shield(
        _with_settings, lambda config: (made := Recorder(config.load(**settings)), replace(made))
    )
    atexit.register(_at_exit)
    if before is not None:
        before.close(EXIT_SECONDS, recorder)


def _configure_late(settings: Mapping[str, Any]) -> None:
    try:
        configure(**settings)
    except (TypeError, ValueError) as error:
        health.warn("the settings stay as they were", str(error))


def flush(timeout: float | None = 10.0) -> int:
    """Wait until every event so far is in every sink, at most *timeout* seconds; return how many are still missing."""
    return _recorder.flush(timeout) if _recorder is not None else 0


def shutdown(timeout: float = EXIT_SECONDS) -> int:
    """Deliver for at most *timeout* seconds, then stop; return how many events wait on disk for the next start.

    The next event starts recording again. You need not call this: it happens at exit.
    """
    with loading():
        from .capture import open_streams
    open_streams.abandon()
    before = replace(None)
    return before.close(timeout) if before is not None else 0


def stats() -> Mapping[str, Any]:
    """Return the state of recording: accepted, waiting and delivered events by sink, and what was dropped and why."""
    return current().stats()


@atexit.register  # Here, too, so that it is asked last: other handlers may record, or the first event be a stream's.
def _at_exit() -> None:
    try:
        shutdown(EXIT_SECONDS)
    except Exception as error:  # noqa: BLE001 - a failing exit handler would print a traceback into the program's output
        health.drop("exit", error)
