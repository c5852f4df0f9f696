"""gunicorn's prefork workers: each request is one record, whichever worker answers, and none is lost at the end."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import flywheel_log

APP = """
import flywheel_log
from flywheel_log import recorder
from openai import OpenAI

recorder.EXIT_SECONDS = 20.0  # A busy machine takes longer than there is time for.
flywheel_log.configure(sinks=["file:genai.log"])
client = flywheel_log.instrument(OpenAI())
made = {}


def application(environ, start_response):
    import os

    if os.getpid() not in made:  # connections are not shared between processes
        made[os.getpid()] = flywheel_log.instrument(OpenAI())
    with flywheel_log.context(user_id=environ["HTTP_X_USER"]):
        messages = [{"role": "user", "content": "hi"}]
        made[os.getpid()].chat.completions.create(model="gpt-4.1-mini", messages=messages)
    start_response("200 OK", [("content-type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


class OverSocket(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(path: Path, user: str) -> int:
    with closing(OverSocket(path)) as connection:
        connection.request("GET", "/", headers={"x-user": user})
        return int(connection.getresponse().read())


@pytest.mark.usefixtures("openai_environment")
@pytest.mark.parametrize("options", [["--preload"], [], ["--worker-class", "gevent", "--preload"]])
def test_each_request_is_one_record_and_the_end_loses_none(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "shop.py").write_text(APP, encoding="utf-8")
    listening = Path("/tmp") / f"flywheel-{tmp_path.name}-{id(tmp_path):x}.sock"  # a short name: sockets have a limit
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", *options, "--bind", f"unix:{listening}", "shop"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        next(said for said in server.stderr if "Listening at" in said)
        workers = {ask(listening, f"u{number}") for number in range(20)}
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    assert server.returncode == 0
    events = list(flywheel_log.read(tmp_path / "genai.log"))
    assert sorted(event["user_id"] for event in events) == sorted([f"u{number}" for number in range(20)])
    runs = {event["id"].partition("-")[0] for event in events}
    assert len(workers) <= len(runs) <= 2
