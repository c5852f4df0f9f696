"""The server itself: one loopback socket, one thread per connection, and the script that overrides answers."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Literal

from .surfaces import answer
from .wire import HANG_UP, HangUp, Item, Received, Reply

Script = Callable[[Received], Reply | Literal[HangUp.HANG_UP] | None]
"""Called with every request, in the connection's thread; None leaves the answer to the stand-in."""

_POLL_SECONDS = 0.02


class Server:
    """A running stand-in, made by `serve`.

    Attributes:
        url: the base URL for a client, `http://127.0.0.1:<port>/v1`.
        requests: everything received so far, in the order of arrival.
        failures: what a script raised; the first one is raised again when the `with` block is left.
    """

    def __init__(self, script: Script | None = None, *, latency: float = 0.0, gap: float = 0.0) -> None:
        self.requests: list[Received] = []
        self.failures: list[Exception] = []
        self.closing = threading.Event()
        self._script = script
        self._latency, self._gap = latency, gap
        self._arrived = threading.Condition()
        self._listener = _Listener(self)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}/v1"
        self._thread = threading.Thread(
            target=self._listener.serve_forever, args=(_POLL_SECONDS,), name="standin", daemon=True
        )
        self._thread.start()

    def wait_for(self, count: int, timeout: float = 10.0) -> list[Received]:
        """Wait until *count* requests have arrived, and return them. Raises TimeoutError after *timeout* seconds."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.requests) >= count, timeout):
                raise TimeoutError(f"{len(self.requests)} of {count} requests arrived within {timeout} s")
            return list(self.requests)

    def arrive(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Received:
        """Note one request."""
        with self._arrived:
            received = Received(method, path, headers, body, len(self.requests) + 1)
            self.requests.append(received)
            self._arrived.notify_all()
        return received

    def respond(self, received: Received) -> Reply | Literal[HangUp.HANG_UP]:
        """Ask the script, then the stand-in itself, for the reply to *received*."""
        try:
            scripted = self._script(received) if self._script else None
        except Exception as error:  # noqa: BLE001  kept and raised again when the test leaves the block
            return self.fail(error)
        return scripted if scripted is not None else self._paced(answer(received))

    def fail(self, error: Exception) -> Reply:
        """Keep *error*, raised by a script, and make it an answer that no client retries."""
        self.failures.append(error)
        message = f"the stand-in's script raised {type(error).__name__}: {error}"
        return Reply.json({"error": {"message": message, "type": "script"}}, 500, {"x-should-retry": "false"})

    def _paced(self, reply: Reply) -> Reply:
        body = reply.body if isinstance(reply.body, bytes) or not self._gap else _spread(reply.body, self._gap)
        return Reply(reply.status, reply.headers, body, self._latency)

    def close(self) -> None:
        """Stop listening and end every open connection. Doing it twice does nothing."""
        # At the interpreter's end the listening thread is gone, and would be waited for in vain.
        if not self.closing.is_set() and not sys.is_finalizing():
            self.closing.set()
            self._listener.shutdown()
            self._listener.server_close()
            self._thread.join()


@contextlib.contextmanager
def serve(script: Script | None = None, *, latency: float = 0.0, gap: float = 0.0) -> Iterator[Server]:
    """Run a stand-in for the length of a `with` block, on a free port of 127.0.0.1.

    Args:
        script: overrules the answers; see `Script`, `Received` and `Reply`.
        latency: seconds before each answer of the stand-in's own.
        gap: seconds between the chunks of its streams.

    Raises:
        Exception: on leaving, whatever the script raised first.
    """
    server = Server(script, latency=latency, gap=gap)
    try:
        yield server
    finally:
        server.close()
    if server.failures:
        raise server.failures[0]


def _spread(items: Iterable[Item], gap: float) -> Iterator[Item]:
    for item in items:
        yield item
        yield gap


class _Listener(ThreadingMixIn, TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(self, stand_in: Server) -> None:
        self.stand_in = stand_in
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Connection)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        if isinstance(request, socket.socket):
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):  # the client may have closed it meanwhile
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a connection that ends early is what half of the tests are about."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # a head and its body leave in one packet; streams flush item by item
    disable_nagle_algorithm = True
    server: _Listener

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        stand_in = self.server.stand_in
        received = stand_in.arrive(self.command, self.path, headers, self._body(headers))
        reply = stand_in.respond(received)
        if reply is HANG_UP:
            self.close_connection = True
            return
        stand_in.closing.wait(reply.delay)
        self._head(reply, received.number)
        try:
            self._send(reply)
        except OSError:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  http.server's names

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length", "0")))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _head(self, reply: Reply, number: int) -> None:
        whole = isinstance(reply.body, bytes)
        headers = {name.lower(): value for name, value in reply.headers.items()}
        headers.setdefault("content-type", "application/json" if whole else "text/event-stream; charset=utf-8")
        headers.setdefault("x-request-id", f"req_standin_{number}")
        if isinstance(reply.body, bytes):
            headers.setdefault("content-length", str(len(reply.body)))
        elif "content-length" not in headers:
            headers["transfer-encoding"] = "chunked"
        self.send_response(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, reply: Reply) -> None:
        if isinstance(reply.body, bytes):
            self.wfile.write(reply.body)
            self.wfile.flush()
            return
        self.wfile.flush()
        chunked = "content-length" not in {name.lower() for name in reply.headers}
        items = iter(reply.body)
        try:
            self._pour(items, chunked=chunked)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001  kept for the test; the stream breaks off
            self.server.stand_in.fail(error)
            self.close_connection = True
        finally:
            if close := getattr(items, "close", None):
                close()

    def _pour(self, items: Iterator[Item], *, chunked: bool) -> None:
        for item in items:
            if item is HANG_UP:
                self.close_connection = True
                return
            if isinstance(item, bytes):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(item), item) if chunked else item)
                self.wfile.flush()
            else:
                self.server.stand_in.closing.wait(item)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()

    def log_message(self, *_arguments: object) -> None:
        """Stay silent; `Server.requests` is the log."""
