"""Gives the faults a real Elasticsearch, and a proxy in front of it."""

from __future__ import annotations

from tests.elasticsearch.fixtures import api, elasticsearch_url, index, own_server, proxy

__all__ = ["api", "elasticsearch_url", "index", "own_server", "proxy"]
