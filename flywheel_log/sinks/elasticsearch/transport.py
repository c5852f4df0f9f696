"""The connection itself, in a module of its own because importing the transport is slow."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from elastic_transport import BaseNode, NodeConfig, NodePool, Serializer, Transport

from .target import Target


class Raw(Serializer):
    """Bytes in, bytes out: what a proxy answers in HTML must not hide its status behind a parsing error."""

    def loads(self, data: bytes) -> Any:
        """Return *data*."""
        return data

    def dumps(self, data: Any) -> bytes:
        """Return *data*, which is bytes."""
        return bytes(data)


class Patient(NodePool):
    """Servers in turn, none of them ever written off: when to try again is decided, and told, by the shipper."""

    def mark_dead(self, node: BaseNode, _now: float | None = None) -> None:
        """Let *node* have its turn again, and say nothing in the program's log."""


def connect(target: Target) -> Transport:
    """Return a transport that neither retries nor parses; it opens its first connection at the first request."""
    raw = Raw()
    return Transport(
        [_node(url, target) for url in target.nodes],
        serializers={"application/json": raw, "application/x-ndjson": raw, "application/*": raw, "text/*": raw},
        node_pool_class=Patient,
        max_retries=0,
        retry_on_timeout=False,
        retry_on_status=(),
    )


def _node(url: str, target: Target) -> NodeConfig:
    parts = urlsplit(url)
    return NodeConfig(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or 0,
        path_prefix=parts.path,
        headers={"authorization": target.authorization} if target.authorization else {},
        connections_per_node=1,
        request_timeout=target.timeout,
        ca_certs=target.ca_certs or None if parts.scheme == "https" else None,
    )
