"""The SDK's own state: counters by name, and one warning per reason."""

from __future__ import annotations

import errno
import functools
import logging
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

Guarded = TypeVar("Guarded", bound=Callable[..., Any])

_log = logging.getLogger("flywheel_log")
_COUNTED = "further ones are only counted, see flywheel_log.stats()"


class Misuse(TypeError):
    """What the program passes cannot be read; the message says what can, and holds nothing of the user's data."""


class Health:
    """Counts what was dropped or failed, by reason, and says each reason once in the log `flywheel_log`.

    Nothing of the user's data is ever logged: a reason is a fixed word, a detail is one, a class's name, or a `Misuse`.

    Attributes:
        unsaid: what has been noted, and is to be said.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # The end of a dropped stream may be counted by the garbage collector, anywhere.
        self._dropped: Counter[str] = Counter()
        self._warned: set[str] = set()
        self.unsaid: deque[str] = deque()

    def drop(self, reason: str, error: BaseException | None = None, count: int = 1, *, whose: str = "") -> None:
        """Count *count* events (or parts of events) lost for *reason*; warn the first time, of *whose* fault.

        Raises *error* again if the handler of a signal has raised it, as time limits do: it is no failure of ours, but
        has come while our code ran, and is meant for the program's.
        """
        if error is not None and _is_of_a_signal(error):
            raise error
        self.count(reason, count)
        self.warn(reason, f"{whose}: {name_of(error)}" if whose and error is not None else error, counted=True)

    def count(self, reason: str, count: int = 1) -> None:
        """As `drop`, without a word."""
        with self._lock:
            self._dropped[reason] += count

    def warn(self, reason: str, error: BaseException | str | None = None, *, counted: bool = False) -> None:
        """Say *reason* once a process, with the name of *error* and nothing of its text, or with a fixed word."""
        self.note(reason, error, counted=counted)
        self.say()

    def note(self, reason: str, error: BaseException | str | None = None, *, counted: bool = False) -> None:
        """As `warn`, where a lock is held that calls wait for; whoever lets go of it calls `say`.

        A handler of the program's may wait, when it is told, for a thread that records meanwhile.
        """
        with self._lock:
            if reason in self._warned:
                return
            self._warned.add(reason)
        word = name_of(error) if isinstance(error, BaseException) else error
        said = f"{reason} ({word})" if word else reason
        self.unsaid.append(f"{said}; {_COUNTED}" if counted else said)

    def say(self) -> None:
        """Log what has been noted."""
        while self.unsaid:
            with suppress(IndexError):  # Another thread was faster.
                _log.warning("flywheel_log: %s", self.unsaid.popleft())

    def explain(self, problem: str) -> None:
        """Say *problem*, which is about settings and holds nothing of the user's data, once a process."""
        with self._lock:
            if problem in self._warned:
                return
            self._warned.add(problem)
        _log.error("flywheel_log: nothing is recorded: %s", problem)

    def dropped(self) -> dict[str, int]:
        """What was dropped so far, by reason."""
        with self._lock:
            return dict(self._dropped)

    def reset(self) -> None:
        """Start over with a new lock; a forked child calls this."""
        self.__init__()  # type: ignore[misc]


def name_of(error: BaseException) -> str:
    """Return what may be shown of *error* anywhere: its class, or what says more, e.g. `OSError ENOSPC`."""
    if isinstance(error, Misuse):
        return str(error)
    number = error.errno if type(error) is OSError else None
    return " ".join(filter(None, (type(error).__name__, errno.errorcode.get(number or 0))))


health = Health()


def _is_of_a_signal(error: BaseException) -> bool:
    """Whether the handler of a signal is among the functions that *error* has come through."""
    if threading.current_thread() is not threading.main_thread():
        return False
    codes = {_code(handler) for number in signal.valid_signals() if callable(handler := signal.getsignal(number))}
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code not in codes:
        trace = trace.tb_next
    return trace is not None


def _code(handler: Any) -> Any:
    while isinstance(handler, functools.partial):
        handler = handler.func
    return getattr(handler, "__code__", None) or getattr(type(handler).__call__, "__code__", None)


def guarded(reason: str, *, default: Callable[..., Any] | None = None) -> Callable[[Guarded], Guarded]:
    """Let a function never raise into the program's own call: a failure is counted as *reason*.

    Instead of the result of a failed call the caller gets `default(*args)`, or None without a *default*. What the
    handler of a signal raises goes on to the program, after the *default* was made.
    """

    def decorate(function: Guarded) -> Guarded:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - the one guard: whatever it is, the program's call goes on
                instead = default(*args) if default else None
                health.drop(reason, Misuse(str(error)) if _is_wrong_call(error) else error)
                return instead

        return call  # type: ignore[return-value]

    return decorate


def _is_wrong_call(error: Exception) -> bool:
    """Whether Python raised *error* for the arguments that a guarded function was given, before anything of it ran."""
    return type(error) is TypeError and error.__traceback__ is not None and error.__traceback__.tb_next is None
