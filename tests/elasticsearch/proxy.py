"""A proxy in front of the real server that spoils requests on demand: refuses, stalls, loses answers, sheds items."""

from __future__ import annotations

import json
import random
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Fault = Callable[["Exchange"], None]


class Exchange:
    """One request on its way through the proxy."""

    def __init__(self, handler: BaseHTTPRequestHandler, upstream: str, released: threading.Event) -> None:
        self.handler = handler
        self.upstream = upstream
        self.released = released
        self.path = handler.path
        self.body = handler.rfile.read(int(handler.headers.get("content-length", 0)))

    @property
    def bulk(self) -> bool:
        """Whether it stores documents."""
        return self.path.startswith("/_bulk")

    def forward(self, body: bytes | None = None) -> tuple[int, bytes]:
        """Let the server carry it out, with *body* instead of its own if given."""
        connection = HTTPConnection(urlsplit(self.upstream).netloc, timeout=60)
        kept = {"content-type", "accept", "authorization"}
        headers = {name: value for name, value in self.handler.headers.items() if name.lower() in kept}
        connection.request(self.handler.command, self.path, self.body if body is None else body, headers)
        answer = connection.getresponse()
        result = answer.status, answer.read()
        connection.close()
        return result

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """Send the answer."""
        self.handler.send_response(status)
        for name, value in {"content_type": "application/json", "content_length": str(len(body)), **headers}.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()
        self.handler.wfile.write(body)


class Proxy:
    """A running proxy; `fault` is called with every exchange, and may be changed at any time."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.fault: Fault = passed
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.released = threading.Event()


@contextmanager
def proxied(upstream: str, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Put a proxy in front of *upstream*, which speaks plain HTTP; with *tls* the proxy speaks HTTPS to its clients."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            proxy.seen.append((self.command, self.path, headers))
            try:
                proxy.fault(Exchange(self, upstream, proxy.released))
            except OSError:
                self.close_connection = True

        do_POST = do_PUT = do_HEAD = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        proxy = Proxy(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield proxy
        proxy.released.set()
        server.shutdown()
        thread.join()


def passed(exchange: Exchange) -> None:
    """Do no harm."""
    exchange.answer(*exchange.forward())


def refused(status: int, **headers: str) -> Fault:
    """Refuse the request with *status*, unheard, in HTML as a gateway does."""
    return lambda exchange: exchange.answer(status, b"<html>no</html>", content_type="text/html", **headers)


def demanding(authorization: str) -> Fault:
    """Let only those in who send this header, as a server with security does; 401 to others."""

    def fault(exchange: Exchange) -> None:
        if exchange.handler.headers.get("authorization") == authorization:
            passed(exchange)
            return
        error = {"type": "security_exception", "reason": "unable to authenticate"}
        exchange.answer(401, json.dumps({"error": error, "status": 401}).encode(), www_authenticate="ApiKey")

    return fault


def unanswered(exchange: Exchange) -> None:
    """Carry the request out, and hang up instead of answering."""
    exchange.forward()
    raise ConnectionResetError


def cut_short(exchange: Exchange) -> None:
    """Carry the request out, and answer only half of what the server said."""
    status, body = exchange.forward()
    exchange.answer(status, body[: len(body) // 2])


def silent(exchange: Exchange) -> None:
    """Take the request and say nothing, until the proxy is closed."""
    exchange.released.wait(120)
    raise ConnectionResetError


def shed(chance: Callable[[], bool]) -> Fault:
    """Answer 429 for the documents that *chance* picks, and let the server store the others."""
    return _without(lambda _: chance(), 429, "es_rejected_execution_exception")


def failing(word: bytes) -> Fault:
    """Fail, as an ingest pipeline does, at the documents that have *word* in them; the server stores the others."""
    return _without(lambda document: word in document, 500, "fail_processor_exception")


def _without(picked: Callable[[bytes], bool], status: int, error: str) -> Fault:
    def fault(exchange: Exchange) -> None:
        lines = exchange.body.split(b"\n")[:-1]
        pairs = [lines[at : at + 2] for at in range(0, len(lines), 2)]
        kept = [not picked(document) for _, document in pairs]
        body = b"".join(b"\n".join(pair) + b"\n" for pair, keep in zip(pairs, kept, strict=True) if keep)
        items = iter(json.loads(exchange.forward(body)[1])["items"] if body else [])
        turned_away = {"create": {"status": status, "error": {"type": error, "reason": "a test"}}}
        answer = {"items": [next(items) if keep else turned_away for keep in kept]}
        exchange.answer(200, json.dumps(answer).encode())

    return fault


def at_most(size: int) -> Fault:
    """Answer 413 to requests that store more than *size* bytes."""

    def fault(exchange: Exchange) -> None:
        exchange.answer(*((413, b"") if exchange.bulk and len(exchange.body) > size else exchange.forward()))

    return fault


def bulk_only(fault: Fault) -> Fault:
    """Apply *fault* to the requests that store documents, and leave the others alone."""
    return lambda exchange: (fault if exchange.bulk else passed)(exchange)


def sometimes(share: float, faults: list[Fault], dice: random.Random) -> Fault:
    """Apply one of *faults* to a *share* of all requests."""

    def fault(exchange: Exchange) -> None:
        chosen = dice.choice(faults) if dice.random() < share else passed
        chosen(exchange)

    return fault
