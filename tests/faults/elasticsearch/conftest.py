"""Gives the faults a real Elasticsearch, and a proxy in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.elasticsearch.fixtures import api, elasticsearch_url, index, own_server
from tests.elasticsearch.proxy import Proxy, proxied

__all__ = ["api", "elasticsearch_url", "index", "own_server", "proxy"]


@pytest.fixture
def proxy(elasticsearch_url: str) -> Iterator[Proxy]:
    """Where the programs under test find Elasticsearch."""
    with proxied(elasticsearch_url) as proxy:
        yield proxy
