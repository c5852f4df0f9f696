"""The rig itself: the server is real, shared, and gone when the tests are."""

from __future__ import annotations

from pathlib import Path

from .api import Api
from .server import _answers, start, wait_until


def test_a_document_that_was_put_can_be_found(api: Api, index: str) -> None:
    """The server stores and finds."""
    api("PUT", f"{index}/_doc/1", {"text": "hello"})
    assert api.sources(index) == {"1": {"text": "hello"}}


def test_a_server_ends_when_nobody_holds_it(tmp_path: Path) -> None:
    """Letting go of the last hold stops the process and removes its data."""
    server = start(tmp_path / "run")
    assert _answers(server.url)
    server.leave()
    wait_until(lambda: not (tmp_path / "run").exists(), 60, "the server has gone")
    assert not _answers(server.url)
