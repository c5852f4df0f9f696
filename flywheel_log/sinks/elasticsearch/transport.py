"""The connections to the servers of a target, in a module of its own because importing an HTTP library takes time."""

from __future__ import annotations

import ssl
from collections import deque
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError, SSLError

from flywheel_log.chance import chance

from .target import Target

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_SERVER_ERROR = 500


class NoAnswer(Exception):
    """A request was not answered; the text is a fixed word for the reason."""


class Node(NamedTuple):
    """One server: its connections, and what stands before every path."""

    pool: HTTPConnectionPool
    prefix: str


class Transport:
    """Sends each request once, to one server of *target*, and opens its first connection with the first request.

    It stays with a server that answers; after no answer, or an error of the server's own, the next has its turn. None
    is ever written off: when to try again is decided, and told, by the shipper. Where to begin is left to chance.
    """

    def __init__(self, target: Target) -> None:
        self._nodes = deque(_node(url, target) for url in target.nodes)
        self._nodes.rotate(chance.randrange(len(self._nodes)))
        self._headers = {"user-agent": "flywheel-log"}
        if target.authorization:
            self._headers["authorization"] = target.authorization

    def request(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None, timeout: float
    ) -> BaseHTTPResponse:
        """Return the answer, whatever its status, with its body read; a redirection is an answer.

        Raises:
            NoAnswer: there was none in *timeout* seconds.
        """
        pool, prefix = self._nodes[0]
        try:
            answer = pool.urlopen(
                method,
                f"{prefix}{path}",
                body=body,
                headers={**self._headers, **headers},
                retries=False,
                redirect=False,
                timeout=Timeout(total=timeout),
            )
        except (HTTPError, OSError) as error:
            self._nodes.rotate(-1)
            raise NoAnswer(_word(error)) from error
        if answer.status >= _SERVER_ERROR:
            self._nodes.rotate(-1)
        return answer

    def close(self) -> None:
        """Close the connections."""
        for node in self._nodes:
            node.pool.close()


def _word(error: HTTPError | OSError) -> str:
    if isinstance(error, (SSLError, ssl.SSLError)):
        return "tls"
    late = isinstance(error, (ConnectTimeoutError, ReadTimeoutError)) and not isinstance(error, NewConnectionError)
    return "timeout" if late else "unreachable"


def _node(url: str, target: Target) -> Node:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "http":
        return Node(HTTPConnectionPool(host, port, maxsize=1), parts.path)
    return Node(HTTPSConnectionPool(host, port, maxsize=1, ssl_context=_trusting(target.ca_certs)), parts.path)


def _trusting(ca_certs: str) -> ssl.SSLContext:
    """Trust the system's certificates and the file *ca_certs*; without one, what comes with Python's packages."""
    import certifi

    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca_certs or certifi.where())
    return context
