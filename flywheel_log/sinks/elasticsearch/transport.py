"""The connection itself, in a module of its own because importing the transport is slow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from elastic_transport import BaseNode, NodeConfig, NodePool, NodeSelector, Serializer, Transport, Urllib3HttpNode

from flywheel_log.process.randomness import rng

from .target import Target


class Raw(Serializer):
    """Bytes in, bytes out: what a proxy answers in HTML must not hide its status behind a parsing error."""

    def loads(self, data: bytes) -> Any:
        """Return *data*."""
        return data

    def dumps(self, data: Any) -> bytes:
        """Return *data*, which is bytes."""
        return bytes(data)


class Unblocked(Urllib3HttpNode):
    """Opens a connection where there is none: the official node waits for one to be given back, without end.

    At the end of a program, urllib3 empties its pools, and the last events have yet to be delivered.
    """

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool.block = False


class Staying(NodeSelector):
    """Stays with a server for as long as it answers; which is the first is left to chance."""

    def __init__(self, node_configs: list[NodeConfig]) -> None:
        super().__init__(node_configs)
        self._at = rng.randrange(len(node_configs))

    def select(self, nodes: Sequence[BaseNode]) -> BaseNode:
        """Return the server whose turn it is."""
        return nodes[self._at % len(nodes)]

    def leave(self) -> None:
        """It is the next one's turn."""
        self._at += 1


class Patient(NodePool):
    """Servers none of which is ever written off: when to try again is decided, and told, by the shipper."""

    def mark_dead(self, node: BaseNode, _now: float | None = None) -> None:  # noqa: ARG002 - the one in use
        """Let the next server have its turn, and say nothing in the program's log."""
        if isinstance(self.node_selector, Staying):
            self.node_selector.leave()


def connect(target: Target) -> Transport:
    """Return a transport that neither retries nor parses; it opens its first connection at the first request."""
    raw = Raw()
    return Transport(
        [_node(url, target) for url in target.nodes],
        node_class=Unblocked,
        serializers={"application/json": raw, "application/x-ndjson": raw, "application/*": raw, "text/*": raw},
        node_pool_class=Patient,
        node_selector_class=Staying,
        randomize_nodes_in_pool=False,  # It would draw from the program's own random numbers.
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
