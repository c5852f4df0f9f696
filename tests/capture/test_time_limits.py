"""What the handler of a signal raises, a time limit say, reaches the program, even if it comes while our code runs."""

from __future__ import annotations

import functools
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


WAYS = ["OpenAI", "AsyncOpenAI", "logged_llm", "request", "request_streamed", "async_request", "async_request_streamed"]


@pytest.mark.parametrize("way", WAYS)
def test_the_call_after_one_that_was_interrupted_anywhere_is_recorded(way: str) -> None:
    command = [sys.executable, "-m", "tests.capture.interrupted", way]
    here = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=here, check=False, capture_output=True, text=True, timeout=100)
    assert (done.returncode, int(done.stdout or 0) > 20) == (0, True), done.stderr
