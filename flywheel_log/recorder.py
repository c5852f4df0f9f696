"""The whole road in one place: capture → pipeline → journal → sinks, and the process's one recorder."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from . import scope
from .capture import call, threads
from .capture import client as clients
from .capture import function as functions
from .capture.usage import Asking
from .event import JSON, Event
from .health import health
from .pipeline.parse import parse
from .pipeline.trim import LOOK_ABOVE, trim
from .pipeline.withhold import withhold
from .serialise import dumps

if TYPE_CHECKING:
    from .config import Settings
    from .delivery import Delivery

Client = TypeVar("Client")
Decorated = TypeVar("Decorated")
Keep = Callable[[Event], str | None]

EXIT_SECONDS = 2.0
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

        self.settings = settings
        self.asking = Asking(settings.usage)
        self._delivery: Delivery | None = None if keep else _delivery(settings)
        self.keep = keep or self._journal
        # Bound values stand under those of the event: who made the call is known best where it was made.
        self._identity = {"client_id": settings.client_id, "workload_id": settings.workload_id}
        self._log = structlog.wrap_logger(
            self, processors=_pipeline(settings), wrapper_class=structlog.BoundLogger, cache_logger_on_first_use=True
        ).bind(**self._identity)

    def record(self, event: Event) -> str | None:
        """Take *event* down the road; return its id, or None where it was dropped. Never raises."""
        try:
            return cast("str | None", self._log.keep(**event))
        except Exception as error:  # noqa: BLE001 - whatever a processor raises, the program's call goes on
            health.drop("processor", error)
        return self._without_content(event)

    def _without_content(self, event: Event) -> str | None:
        """Fail closed: what a processor could not clean is not written, but that the call happened is."""
        try:
            return self.keep(withhold(None, "", cast(Event, self._identity | event)))
        except Exception as error:  # noqa: BLE001
            health.drop("record", error)
            return None

    def _journal(self, event: Event) -> str | None:
        line = dumps(event)
        if len(line) > LOOK_ABOVE:
            limit = self.settings.max_event_kb * 1024
            line = dumps(trim(event, media=self.settings.media, max_bytes=limit))
        return self._delivery.put(line) if self._delivery else None

    def flush(self, timeout: float | None) -> int:
        """Wait until all sinks have everything; return how many events are still on their way."""
        return self._delivery.flush(timeout) if self._delivery else 0

    def close(self, timeout: float) -> int:
        """Flush, stop the threads and close the sinks; what is left waits on disk."""
        return self._delivery.close(timeout) if self._delivery else 0

    def stats(self) -> JSON:
        """Figures of the delivery, and what was dropped, by reason."""
        return {**(self._delivery.stats() if self._delivery else {}), "dropped": health.dropped()}


def _pipeline(settings: Settings) -> list[Any]:
    """The processors in the order in which an event meets them."""
    chain: list[Any] = [withhold] if settings.content == "off" else []
    if settings.processors:
        chain += [parse, *settings.processors]
    return [*chain, _as_argument]


def _as_argument(_: Any, __: str, event: Event) -> tuple[tuple[Event], JSON]:
    return (event,), {}


def _delivery(settings: Settings) -> Delivery:
    from .delivery import Delivery

    return Delivery(settings.sinks, settings.journal, quota_bytes=settings.journal_quota_mb << 20)


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


@overload
def instrument(client: Client, **defaults: Any) -> Client: ...
@overload
def instrument(client: None = None, **defaults: Any) -> None: ...
def instrument(client: Client | None = None, **defaults: Any) -> Client | None:
    """Record every call of *client*, in place, and return the same object; without one, of every OpenAI client.

    Clients derived from it by `with_options()` or `copy()` are recorded too. A second time changes the defaults only.

    Args:
        client: an OpenAI, AsyncOpenAI or Azure client, one of an SDK made the same way (Anthropic, Groq …), or any
            object with `chat.completions.create`. None means every OpenAI client of this process, made before or
            after, the module-level one included.
        **defaults: what `context` takes; stamped on every call unless the context says otherwise.

    Raises:
        TypeError: *client* is no LLM client.
        ValueError: the settings (environment) are wrong.
    """
    recorder = current()
    binding = clients.Binding(record, scope.fields_of(**defaults), recorder.asking)
    if client is None:
        clients.instrument_classes(_openai_classes(), binding)
    else:
        clients.instrument(client, binding)
    threads.install()
    return client


def uninstrument(client: Any = None) -> None:
    """Undo `instrument`: for *client*, or for every client where none is named."""
    clients.uninstrument(client)
    if client is None:
        threads.uninstall()


@overload
def logged_llm(function: Decorated, /) -> Decorated: ...
@overload
def logged_llm(**fields: Any) -> Callable[[Decorated], Decorated]: ...
def logged_llm(function: Any = None, /, **fields: Any) -> Any:
    """Record the LLM calls of a function: `@logged_llm` or `@logged_llm(workload_id="summary", tags=["beta"])`.

    Any callable will do: functions, coroutines, (asynchronous) generators, methods of every kind, partials, callable
    objects; it behaves and looks as before. Where it calls an instrumented client, that client's record carries the
    function's name as its workload. Where it calls somebody else, the record is made from its arguments and its
    result: an SDK's object as it is, strings as the assistant's message, anything else as JSON.

    Args:
        function: what to decorate, when used without parentheses.
        **fields: what `context` takes.
    """
    own = scope.fields_of(**fields)
    if function is not None:
        return functions.logged(function, record, own)
    return lambda decorated: functions.logged(decorated, record, own)


def flush(timeout: float | None = 10.0) -> int:
    """Wait until every event so far is in every sink, at most *timeout* seconds; return how many are not there yet."""
    return _recorder.flush(timeout) if _recorder is not None else 0


def shutdown(timeout: float = EXIT_SECONDS) -> int:
    """Deliver for at most *timeout* seconds and stop; return how many events wait on disk for the next start.

    The next event starts recording anew. A program need not call this: it happens at exit.
    """
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


def _openai_classes() -> list[type]:
    import openai

    return [openai.OpenAI, openai.AsyncOpenAI, openai.AzureOpenAI, openai.AsyncAzureOpenAI]
