"""Secrets in calls whose sinks, processors and structlog fail: no file, no socket and no log of ours has them."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import structlog

import flywheel_log
from flywheel_log import standin
from flywheel_log.health import health
from flywheel_log.standin import Received, Reply, Server

from .scan import leaks

KEY, TOLD, RAISED = "sk-proj-4fT9aQ2xLr8ZkW1vB7nM", "glpat-4fT9aQ2xLr8ZkW1vB7nM", "AKIA2345ABCDEFGH6723"
HIDDEN = "gh\u200bp_4fT9aQ2xLr8Z\u2060kW1vB7nM3cY6dH0eJ5gKiLmN"
PLANTED = (KEY, TOLD, RAISED, HIDDEN, HIDDEN.replace("\u200b", "").replace("\u2060", ""), "letmein-please")
CALL: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": f"{KEY} and {HIDDEN}"}]}


@pytest.fixture(autouse=True)
def _verbose(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        for name in ("openai", "httpx", "httpx2", "httpcore", "httpcore2"):  # They log requests, which are not ours.
            caplog.set_level(logging.WARNING, name)
        yield
    structlog.reset_defaults()


def calls(server: Server) -> None:
    """A call, a stream, an error of the service that tells the key, and a function that fails."""
    client = flywheel_log.instrument(openai.OpenAI(api_key=TOLD, base_url=server.url, max_retries=0))
    with client, flywheel_log.context(user_id=TOLD, metadata={"passwords": ["letmein-please"]}, tags=[KEY]):
        client.chat.completions.create(**CALL)
        list(client.chat.completions.create(**CALL, stream=True))
        with pytest.raises(openai.APIStatusError):
            client.chat.completions.create(**CALL | {"model": "error-401"})
        with pytest.raises(RuntimeError):
            failing()


@flywheel_log.logged_llm
def failing() -> str:
    raise RuntimeError(f"no access for {RAISED}")


class Outage:
    """A collector that is busy at first, and refuses the rest with an answer that tells what it was sent."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def __call__(self, received: Received) -> Reply:
        zipped = received.headers.get("content-encoding") == "gzip"
        self.seen += [received.body, gzip.decompress(received.body) if zipped else b"", str(received.headers).encode()]
        return Reply(503 if received.number < 3 else 400, {}, received.body)


def refusing(_: Any, __: str, event: Any) -> Any:
    raise ValueError(f"{KEY} {event}")


def test_a_collector_that_refuses_is_sent_no_secret_and_none_is_told_of_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    outage = Outage()
    with standin.serve() as server, standin.serve(outage) as collector:
        address = collector.url.replace("http:", "otlp:").removesuffix("/v1")
        flywheel_log.configure(sinks=["file:genai.log", address])
        calls(server)
        assert flywheel_log.flush(30.0) == 0
    out = capfd.readouterr()
    (tmp_path / "socket").write_bytes(b"\n".join(outage.seen))
    assert leaks(PLANTED, tmp_path, output=out.out + out.err + caplog.text) == []
    assert b"gpt-4.1-mini" in b"".join(outage.seen)
    assert health.dropped() == {"otlp_refused": 4}
    assert [event["redactions"].get("github_token") for event in flywheel_log.read("genai.log")][:3] == [2, 2, 1]


def test_a_structlog_that_raises_and_a_processor_that_does_tell_no_secret(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    structlog.configure(processors=[refusing])
    with standin.serve() as server:
        flywheel_log.configure(sinks=["structlog:", "stdout:", "file:genai.log"], processors=(refusing,))
        calls(server)
        assert flywheel_log.flush(30.0) == 0
    out = capfd.readouterr()
    assert leaks(PLANTED, tmp_path, output=out.out + out.err + caplog.text) == []
    assert {"processor": 4, "structlog_refused": 4}.items() <= health.dropped().items()
    assert "RuntimeError" not in caplog.text
    assert [event["training_unsafe"] for event in flywheel_log.read("genai.log")] == [["unredacted"]] * 4
