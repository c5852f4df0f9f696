"""What every test gets: a place and an environment of its own; its events, and stand-ins, on request."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.health import health
from flywheel_log.standin import Server, serve
from flywheel_log.testing import recording
from tests.doors import table

# instructor holds openai back, so its tests have an environment of their own: `make matrix-instructor`.
collect_ignore = [] if find_spec("instructor") else ["instructor"]

# Two busy cores are shared by parallel tests: only the time-out of a whole test says that something hangs.
hypothesis.settings.register_profile("shared-machine", deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile("shared-machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--doors", action="store_true", help="run the tests of the doors, write what they show to the page"
    )


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # As in the background of a shell; children inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--doors") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(table.Gathering())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        item.user_properties += [("door", what) for what in table.proofs(item)]
    if config.getoption("--doors"):
        items[:] = [item for item in items if item.get_closest_marker("door")]


_OTHERS = (
    *("FLYWHEEL_LOG_", "ELASTICSEARCH_", "ES_COLLECTION_", "OPENAI_", "AZURE_OPENAI_"),
    *("ANTHROPIC_", "GROQ_", "GOOGLE_", "GEMINI_"),
)


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(_OTHERS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FLYWHEEL_LOG_JOURNAL", str(tmp_path / "journal"))
    monkeypatch.chdir(tmp_path)
    health.reset()
    at_terminate = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, at_terminate)  # Pages about servers handle it.
    flywheel_log.uninstrument()
    flywheel_log.shutdown(timeout=2.0)
    health.reset()
    _unregister()


def _unregister() -> None:
    """Take what a test or a page has registered with a library out again: the next test uses the same library."""
    if litellm := sys.modules.get("litellm"):
        litellm.logging_callback_manager._reset_all_callbacks()
    if agents := sys.modules.get("agents"):
        agents.set_trace_processors([])


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What the test records."""
    with recording(client_id="acme", workload_id="tests") as events:
        yield events


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """Start stand-ins that end with the test: `start(script, latency=…)`."""
    with ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(serve(*arguments, **options))


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    return start()


@pytest.fixture
def openai_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Let `OpenAI()` and its neighbours without arguments, here and in subprocesses, talk to a stand-in."""
    with serve() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        for name in ("ANTHROPIC_BASE_URL", "GROQ_BASE_URL", "GOOGLE_GEMINI_BASE_URL"):
            monkeypatch.setenv(name, server.url.removesuffix("/v1"))
        for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GROQ_API_KEY", "GEMINI_API_KEY"):
            monkeypatch.setenv(name, "stand-in")
        yield server
