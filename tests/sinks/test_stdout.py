"""The stdout sink: JSON for programs, a short line for eyes, silence when nobody listens."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flywheel_log.contract import SinkContract, event
from flywheel_log.sinks import open_sink
from flywheel_log.sinks.stdout import Stdout


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestStdout(SinkContract):
    def make_sink(self, tmp_path):
        self.path = tmp_path / "out"
        return Stdout(lambda: self._file)

    @pytest.fixture(autouse=True)
    def _opened(self, tmp_path):
        with (tmp_path / "out").open("a", encoding="utf-8") as self._file:
            yield

    def stored_ids(self):
        return [json.loads(line)["id"] for line in self.path.read_bytes().split(b"\n")[:-1]]


def test_the_url_takes_nothing_more():
    with pytest.raises(ValueError, match="stdout") as error:
        open_sink("stdout:?format=flat")
    assert str(error.value) == (
        "sink 'stdout' takes neither path nor parameters; write stdout: instead of 'stdout:?format=flat'"
    )


def test_each_event_is_one_line_of_json_behind_what_the_program_printed(tmp_path):
    program = (
        "from flywheel_log.sinks import open_sink\n"
        "print('hello')\n"
        """open_sink('stdout:').write([b'{"id":"r-1"}', b'{"id":"r-2"}'])\n"""
        "print('bye')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert done.stdout == b'hello\n{"id":"r-1"}\n{"id":"r-2"}\nbye\n'


def plain(event):
    terminal = Terminal()
    Stdout(lambda: terminal).write([json.dumps(event).encode()])
    text = "".join(part.partition("m")[2] for part in ("m" + terminal.getvalue()).split("\x1b["))
    return text.replace("'", "")  # Which values are quoted depends on structlog's version.


def test_a_terminal_gets_a_short_line():
    line = {
        "id": "r-1",
        "timestamp": "2026-01-02T03:04:05.000Z",
        "kind": "llm",
        "workload_id": "support",
        "model": "gpt-4.1",
        "status": "ok",
        "input_tokens": 12,
        "output_tokens": 34,
        "latency_ms": 980.4,
        "request": {"messages": [{"role": "user", "content": "What is\na flywheel? " + "x" * 100}]},
        "response": {"choices": [{"message": {"role": "assistant", "content": "A wheel."}}]},
    }
    assert plain(line) == (
        "2026-01-02T03:04:05.000Z llm workload_id=support model=gpt-4.1 status=ok tokens=12→34 latency=980ms"
        f" prompt=What is a flywheel? {'x' * 39}… response=A wheel.\n"
    )


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (
            {"kind": "step", "name": "retrieve", "status": "ok", "duration_ms": 12.3},
            "name=retrieve status=ok latency=12ms",
        ),
        ({"kind": "feedback", "quality": {"rating": 4, "thumbs": "up"}}, "rating=4 thumbs=up"),
        ({"kind": "llm", "status": "error", "error": {"message": "Slow\ndown."}}, "status=error error=Slow down."),
    ],
    ids=["a step", "feedback", "an error"],
)
def test_a_terminal_is_told_what_happened(event, shown):
    assert plain({"timestamp": "t", **event}) == f"t {event['kind']} {shown}\n"


def test_a_reader_that_has_gone_is_silence_and_a_count():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        sink = Stdout(lambda: stream)
        assert sink.write([event(1), event(2)]) == ()
        assert sink.write([event(3)]) == ()
    assert sink.stats() == {"unseen": 3}


def test_a_terminal_that_was_closed_is_silence_and_a_count():
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as stream:
        sink = Stdout(lambda: stream)
        sink.write([event(1)])
        os.close(ours)
        assert sink.write([event(2), event(3)]) == ()
        assert sink.write([event(4)]) == ()
        assert sink.stats() == {"unseen": 3}


def test_a_full_disk_behind_stdout_is_no_reader_that_has_gone():
    with Path("/dev/full").open("w") as stream, pytest.raises(OSError, match="No space left"):
        Stdout(lambda: stream).write([event(1)])


def test_a_program_whose_reader_has_gone_ends_well():
    program = "from flywheel_log.sinks import open_sink; open_sink('stdout:').write([b'{}' * 100_000])"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), errors) == (0, b"")


def test_a_program_without_stdout_is_silence_and_a_count():
    sink = Stdout(lambda: None)
    sink.write([event(1)])
    assert sink.stats() == {"unseen": 1}
