"""The server's promises to a script: what is received, what is sent, to the byte."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flywheel_log.standin import HANG_UP, Received, Reply, Server, frame, serve

AUTHORIZED = {"Authorization": "Bearer stand-in", "Content-Type": "application/json"}


@contextmanager
def connected(server: Server) -> Iterator[http.client.HTTPConnection]:
    port = int(server.url.removesuffix("/v1").rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def post(connection: http.client.HTTPConnection, body: bytes | Iterator[bytes] = b"{}") -> http.client.HTTPResponse:
    connection.request("POST", "/v1/chat/completions?a=1", body, AUTHORIZED)
    return connection.getresponse()


def test_a_request_is_kept_as_it_arrived():
    with serve(lambda _: Reply()) as server, connected(server) as connection:
        post(connection, b'{"model": "\xc3\xa9"}').read()
    assert [(one.method, one.path, one.route, one.body, one.json(), one.number) for one in server.requests] == [
        ("POST", "/v1/chat/completions?a=1", "/v1/chat/completions", b'{"model": "\xc3\xa9"}', {"model": "é"}, 1)
    ]
    assert server.requests[0].headers["authorization"] == "Bearer stand-in"


def test_a_chunked_request_arrives_whole():
    with serve(lambda _: Reply()) as server, connected(server) as connection:
        post(connection, iter([b'{"a":', b"1}"])).read()
    assert server.requests[0].body == b'{"a":1}'


def test_a_connection_serves_several_requests():
    with serve(lambda received: Reply(body=b"%d" % received.number)) as server, connected(server) as connection:
        post(connection).read()
        first = connection.sock
        answer = post(connection).read()
        assert (answer, connection.sock) == (b"2", first)


def test_a_reply_is_sent_as_it_is():
    reply = Reply(418, {"X-Kettle": "on", "Content-Type": "text/plain"}, b"short and stout")
    with serve(lambda _: reply) as server, connected(server) as connection:
        response = post(connection)
        body = response.read()
    names = ("content-type", "content-length", "x-kettle", "x-request-id")
    assert (response.status, body, [response.headers[name] for name in names]) == (
        418,
        b"short and stout",
        ["text/plain", "15", "on", "req_standin_1"],
    )


def test_items_leave_one_by_one():
    go_on = threading.Event()

    def items() -> Iterator[bytes]:
        yield b"one"
        go_on.wait(10)
        yield b"two"

    with serve(lambda _: Reply(body=items())) as server, connected(server) as connection:
        response = post(connection)
        first = response.read1()
        go_on.set()
        assert (first, response.read()) == (b"one", b"two")
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"


def test_a_hang_up_sends_nothing():
    with (
        serve(lambda _: HANG_UP) as server,
        connected(server) as connection,
        pytest.raises(http.client.RemoteDisconnected),
    ):
        post(connection)


def test_a_hang_up_among_the_items_breaks_the_stream_off():
    with serve(lambda _: Reply(body=[b"half", HANG_UP])) as server, connected(server) as connection:
        with pytest.raises(http.client.IncompleteRead) as broken:
            post(connection).read()
        assert broken.value.partial == b"half"


def test_items_under_a_content_length_are_not_chunked():
    reply = Reply(200, {"content-length": "9"}, [b"half", HANG_UP])
    with serve(lambda _: reply) as server, connected(server) as connection:
        response = post(connection)
        with pytest.raises(http.client.IncompleteRead) as broken:
            response.read()
        assert (response.headers["transfer-encoding"], broken.value.partial, broken.value.expected) == (
            None,
            b"half",
            5,
        )


def test_a_generator_is_closed_when_the_client_has_gone():
    closed = threading.Event()

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.set()

    with serve(lambda _: Reply(body=endless())) as server:
        with connected(server) as connection:
            post(connection).read(1)
        assert closed.wait(10)


def test_none_leaves_the_answer_to_the_stand_in():
    with serve(lambda _: None) as server, connected(server) as connection:
        connection.request("GET", "/v1/models/any", headers=AUTHORIZED)
        assert connection.getresponse().status == 200


def test_what_a_script_raises_comes_out_of_the_with_block():
    def broken(received: Received) -> Reply:
        raise LookupError(received.route)

    answers = []

    def ask() -> None:
        with serve(broken) as server, connected(server) as connection:
            answers.append(post(connection))

    with pytest.raises(LookupError, match="/v1/chat/completions"):
        ask()
    assert [(answer.status, answer.headers["x-should-retry"]) for answer in answers] == [(500, "false")]


def test_what_a_generator_raises_comes_out_of_the_with_block():
    def items() -> Iterator[bytes]:
        yield b"one"
        raise LookupError("two")

    with (
        pytest.raises(LookupError, match="two"),
        serve(lambda _: Reply(body=items())) as server,
        connected(server) as connection,
        pytest.raises(http.client.IncompleteRead),
    ):
        post(connection).read()


def test_closing_interrupts_a_delay_and_an_idle_connection():
    with serve(lambda _: Reply(delay=60)) as server, connected(server) as connection:
        connection.request("POST", "/v1/chat/completions", b"{}", AUTHORIZED)
        server.wait_for(1)
        server.close()
        server.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((connection.host, connection.port), timeout=10)


def test_waiting_for_too_many_requests_names_both_numbers():
    with serve() as server, pytest.raises(TimeoutError, match=r"0 of 1 requests arrived within 0\.01 s"):
        server.wait_for(1, timeout=0.01)


def test_a_frame_is_named_when_its_type_is_dotted():
    assert [frame("[DONE]"), frame({"a": 1}), frame({"type": "function"}), frame({"type": "response.created"})] == [
        b"data: [DONE]\n\n",
        b'data: {"a": 1}\n\n',
        b'data: {"type": "function"}\n\n',
        b'event: response.created\ndata: {"type": "response.created"}\n\n',
    ]


def test_events_mix_objects_strings_bytes_and_the_end():
    reply = Reply.events([{"a": 1}, b": comment\n\n", 0.0, "[DONE]"])
    with serve(lambda _: reply) as server, connected(server) as connection:
        assert post(connection).read() == b'data: {"a": 1}\n\n: comment\n\ndata: [DONE]\n\n'


def test_the_same_request_to_a_fresh_server_gets_the_same_bytes():
    bodies = []
    for _ in range(2):
        with serve() as server, connected(server) as connection:
            bodies.append(post(connection, b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}').read())
    assert bodies[0] == bodies[1]


def test_latency_comes_before_an_answer_of_its_own():
    with serve(latency=60) as server, connected(server) as connection:
        connection.timeout = 0.2
        with pytest.raises(TimeoutError):
            post(connection)


def test_a_program_that_leaves_its_stand_in_open_still_ends() -> None:
    program = "from flywheel_log import standin\nkept = standin.serve()\nkept.__enter__()\nraise SystemExit(3)"
    ended = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert ended.returncode == 3
