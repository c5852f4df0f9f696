"""Fixtures of every test that talks to Elasticsearch: the shared server, an index, a server to hurt."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .api import Api
from .proxy import Proxy, proxied
from .server import URL, NoServer, Server, shared, start
from .sink import url_of


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """The URL of a real server, shared by all workers of the session."""
    if given := os.environ.get(URL):
        yield given.rstrip("/")
        return
    server = _or_skip(lambda: shared(os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))))
    yield server.url
    server.leave()


@pytest.fixture
def index(api: Api) -> Iterator[str]:
    """The name of an index nobody else uses; what the test makes of it is removed at its end."""
    name = f"test-{uuid.uuid4().hex}"
    yield name
    api.remove(name)


@pytest.fixture
def api(elasticsearch_url: str) -> Api:
    """The server's HTTP interface, without any of our own code in between."""
    return Api(elasticsearch_url)


@pytest.fixture
def url(api: Api, index: str) -> str:
    """The URL of the index as a sink, and as a source."""
    return url_of(api.url, index)


@pytest.fixture
def proxy(elasticsearch_url: str) -> Iterator[Proxy]:
    """The shared server behind a proxy that does harm when it is told to."""
    with proxied(elasticsearch_url) as proxy:
        yield proxy


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server for this test alone, to be frozen, killed or misconfigured."""
    server = _or_skip(lambda: start(tmp_path / "elasticsearch"))
    yield server
    server.leave()


def _or_skip(open_server: Callable[[], Server]) -> Server:
    try:
        return open_server()
    except NoServer as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
