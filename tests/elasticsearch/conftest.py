"""Gives the tests of this folder a real Elasticsearch."""

from .fixtures import api, elasticsearch_url, index, own_server, proxy, url

__all__ = ["api", "elasticsearch_url", "index", "own_server", "proxy", "url"]
