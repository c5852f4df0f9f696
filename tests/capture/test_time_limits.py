"""What the handler of a signal raises, a time limit say, reaches the program, even if it comes while our code runs."""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Self

import openai
import pytest

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.health import health
from flywheel_log.standin import Server, serve
from tests.capture.clients import HELLO, recorded


class SoftTimeLimitExceeded(Exception):
    """As Celery has it."""


def limit(*_: Any) -> None:
    raise SoftTimeLimitExceeded


class Limits:
    """Handlers of other kinds."""

    def method(self, *_: Any) -> None:
        limit()

    def __call__(self, *_: Any) -> None:
        limit()


HANDLERS = {
    "function": limit,
    "method": Limits().method,
    "object": Limits(),
    "partial": functools.partial(limit, 1),
}
OURS = {
    "beginning": "flywheel_log.capture.client.provider_of",
    "arriving": "flywheel_log.capture.call.Call.came",
    "reading": "flywheel_log.capture.outcome.of_body",
    "event": "flywheel_log.capture.load.load_of",
    "recording": "flywheel_log.recorder.Recorder.record",
}
HOUSE = str(Path(flywheel_log.__file__).parent)


@pytest.fixture
def service() -> Iterator[Server]:
    with serve() as server:
        yield server


@pytest.fixture
def strike() -> Iterator[Callable[..., None]]:
    """A function in which the alarm goes off."""
    before = signal.getsignal(signal.SIGALRM)
    yield lambda *_, **__: signal.raise_signal(signal.SIGALRM)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("place", OURS)
def test_a_time_limit_ends_the_call(
    place: str, service: Server, strike: Any, monkeypatch: pytest.MonkeyPatch, events: list[Event]
) -> None:
    signal.signal(signal.SIGALRM, limit)
    with recorded(service) as client:
        monkeypatch.setattr(OURS[place], strike)
        with pytest.raises(SoftTimeLimitExceeded):
            client.chat.completions.create(**HELLO)
    assert not health.dropped()
    assert len(events) <= 1


@pytest.mark.parametrize("kind", HANDLERS)
def test_whatever_the_handler_is(kind: str, service: Server, strike: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    signal.signal(signal.SIGALRM, HANDLERS[kind])
    with recorded(service) as client:
        monkeypatch.setattr(OURS["reading"], strike)
        with pytest.raises(SoftTimeLimitExceeded):
            client.chat.completions.create(**HELLO)


def test_an_error_of_ours_is_still_kept_from_the_program(
    service: Server, strike: Any, monkeypatch: pytest.MonkeyPatch, events: list[Event]
) -> None:
    signal.signal(signal.SIGALRM, limit)

    def fail(*_: Any, **__: Any) -> None:
        raise SoftTimeLimitExceeded

    with recorded(service) as client:
        monkeypatch.setattr(OURS["reading"], fail)
        assert client.chat.completions.create(**HELLO).choices
        done = threading.Thread(target=client.chat.completions.create, kwargs=HELLO)
        done.start()
        done.join()
    assert health.dropped() == {"capture": 2}
    assert [event["status"] for event in events] == ["incomplete", "incomplete"]


class Interrupt(BaseException):
    """As Python's own of the keyboard."""


class Interruption:
    """Inside the block, interrupts at the *nth* moment in our code at which Python calls the handlers of signals."""

    def __init__(self, nth: int) -> None:
        self.left = nth
        self._hook = self._profile  # Held here: Python lets go of one that raises, and may still call it.

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        if event in {"call", "c_return"} and frame.f_code.co_filename.startswith(HOUSE):
            self.left -= 1
            if not self.left:
                raise Interrupt

    def __enter__(self) -> Self:
        sys.setprofile(self._hook)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        sys.setprofile(None)
        return kind is Interrupt


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Of the SDK's connections.
@pytest.mark.parametrize("cls", [openai.OpenAI, openai.AsyncOpenAI])
def test_the_call_after_one_that_was_interrupted_anywhere_is_recorded(
    cls: type[Any], service: Server, events: list[Event]
) -> None:
    async def call(client: Any) -> None:
        answer = client.chat.completions.create(**HELLO)
        if inspect.isawaitable(answer):
            await answer

    async def calls() -> int:
        for nth in itertools.count(1):
            one, other = recorded(service, cls), recorded(service, cls)
            with Interruption(nth) as interruption:
                await call(one)
            before = len(events)
            await call(other)  # The connection of the first may be locked for ever, as it would be without us.
            assert (nth, len(events) - before) == (nth, 1)
            if interruption.left > 0:
                return nth
        raise AssertionError

    assert asyncio.run(calls()) > 20
