"""Reading logs back: what is a record, in which order, and what is skipped."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from flywheel_log.event import to_document
from flywheel_log.loop.reading.read import parse, read
from flywheel_log.loop.reading.sources._generations import held
from flywheel_log.loop.reading.sources.file import Log
from flywheel_log.loop.retention.rotate import rotate
from flywheel_log.process.rotations import generations
from flywheel_log.sinks import open_sink
from flywheel_log.sinks.file.sharing import shift

EVENT = {"id": "r-1", "timestamp": "2026-01-31T10:00:00.000Z", "kind": "llm", "status": "ok"}
LINE = b'{"id": "r-1", "timestamp": "2026-01-31T10:00:00.000Z", "kind": "llm", "status": "ok"}\n'


def line(name: str) -> bytes:
    return LINE.replace(b"r-1", name.encode())


def ids(source: object) -> list[str]:
    return [event["id"] for event in read(source)]


def test_a_line_is_an_event(tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_bytes(LINE)
    assert list(read(log)) == [EVENT]


def test_a_flywheel_document_is_the_event_it_was():
    event = {**EVENT, "request": {"model": "m"}, "response": {"choices": []}, "client_id": "c", "workload_id": "w"}
    assert parse(to_document(event)) == event


def test_bad_lines_are_skipped_counted_and_shown(tmp_path: Path):
    log = tmp_path / "genai.log"
    bad = [b"{torn", b"[1]", b'{"timestamp": 1}', b'{"a": 1}', b'{"timestamp": "t", "request": "no"}', b"\xff\xfe"]
    bad += [b'{"timestamp": "t", "kind": "llm", "error": "no"}', b'{"timestamp": "t", "foreign": 1}', b"[" * 100_000]
    log.write_bytes(LINE + b"\n".join(bad) + b"\n" + line("r-2"))
    seen: list[bytes] = []
    reading = read(log, on_bad=seen.append)
    assert [event["id"] for event in reading] == ["r-1", "r-2"]
    assert (reading.bad, [one.strip() for one in seen]) == (9, bad)


def test_blank_and_padded_lines_are_not_bad(tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_bytes(b"\n  \r\n\0\0\0" + LINE + b"\0" * 4096)
    reading = read(log)
    assert ([event["id"] for event in reading], reading.bad) == (["r-1"], 0)


def test_a_number_that_json_lacks_is_tolerated(tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_bytes(LINE.replace(b'"ok"}', b'"ok", "metadata": {"score": Infinity, "half": "\\ud800"}}'))
    assert next(read(log))["metadata"] == {"score": float("inf"), "half": "\ud800"}


def test_rotated_files_are_read_oldest_first(tmp_path: Path):
    for name in ("genai.log", "genai.log.1", "genai.log.2", "genai.log.10"):
        (tmp_path / name).write_bytes(line(name))
    (tmp_path / "genai.log.11.gz").write_bytes(gzip.compress(line("genai.log.11.gz")))
    names = ["genai.log.11.gz", "genai.log.10", "genai.log.2", "genai.log.1", "genai.log"]
    assert ids(tmp_path / "genai.log*") == names
    assert ids([tmp_path / name for name in sorted(names)]) == names


def test_dated_files_are_read_oldest_first(tmp_path: Path):
    names = ["genai.log-20251231.gz", "genai.log-20260101", "genai.log"]
    for name in names:
        content = gzip.compress(line(name)) if name.endswith(".gz") else line(name)
        (tmp_path / name).write_bytes(content)
    assert ids(tmp_path / "genai.log*") == names


@pytest.mark.parametrize("form", ["-{}", ".{}"])
@pytest.mark.parametrize(
    "dates", [["20251231", "20260101"], ["2025-12-31", "2026-01-01"], ["20251231-9", "20260101-1"]]
)
def test_dated_files_of_all_formats_are_of_the_log_whatever_compressed_them(
    tmp_path: Path, form: str, dates: list[str]
):
    old, new = (f"genai.log{form.format(date)}" for date in dates)
    for name, content in {
        "genai.log": line("3"),
        f"{new}.bz2": bz2.compress(line("2")),
        f"{old}.xz": lzma.compress(line("1")),
    }.items():
        (tmp_path / name).write_bytes(content)
    assert ids(tmp_path / "genai.log") == ["1", "2", "3"]
    assert ids(tmp_path / f"{old}.xz") == ["1"]


def test_a_log_of_which_a_part_cannot_be_read_is_not_taken_for_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for module in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / "genai.log").write_bytes(LINE)
    (tmp_path / "genai.log.1.zst").write_bytes(b"who knows")
    with pytest.raises(OSError, match=r"genai\.log\.1\.zst cannot be read: this Python knows no \.zst"):
        ids(tmp_path / "genai.log")


def test_a_file_url_is_a_path(tmp_path: Path):
    (tmp_path / "gen ai.log").write_bytes(LINE)
    assert ids(f"file:{tmp_path}/gen%20ai.log?format=flat") == ["r-1"]


def test_a_name_with_brackets_is_a_file_if_there_is_one(tmp_path: Path):
    (tmp_path / "genai[1].log").write_bytes(LINE)
    assert ids(tmp_path / "genai[1].log") == ["r-1"]


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(LINE)))
    assert ids("-") == ["r-1"]


@pytest.mark.parametrize("source", [None, 3, b"genai.log"])
def test_what_is_no_source_is_told(source: Any):
    with pytest.raises(TypeError, match=f"^a source is a path, a URL, or a list of these; got {type(source).__name__}"):
        read(source)


@pytest.mark.parametrize("since", ["2h", datetime(2026, 1, 31)])  # noqa: DTZ001  that is what is wrong with it
def test_a_time_without_a_zone_is_told(since: Any):
    with pytest.raises(TypeError, match=r"^since is a datetime with a zone; got "):
        read([], since=since)


def test_a_missing_file_is_named_at_once_with_what_to_do(tmp_path: Path):
    with pytest.raises(FileNotFoundError) as raised:
        read(tmp_path / "genai.log")
    assert str(raised.value) == (
        f"{tmp_path}/genai.log does not exist; a program writes it after flywheel_log.instrument(client), "
        f"in the folder where it runs: name the file, or make one with `flywheel-log demo --log {tmp_path}/genai.log`"
    )


def test_a_log_comes_with_what_was_rotated_away_from_it(tmp_path: Path):
    for name in ("genai.log", "genai.log.1", "other.log", "genai.log.bak"):
        (tmp_path / name).write_bytes(line(name))
    (tmp_path / "genai.log.2.gz").write_bytes(gzip.compress(line("genai.log.2.gz")))
    assert ids(tmp_path / "genai.log") == ["genai.log.2.gz", "genai.log.1", "genai.log"]
    assert ids(tmp_path / "*i.log") == ids(tmp_path / "genai.log")
    assert ids([tmp_path / "genai.log", tmp_path / "genai.log.1"]) == ids(tmp_path / "genai.log")


def test_a_rotated_file_is_itself(tmp_path: Path):
    for name in ("genai.log", "genai.log.1", "genai.log.1.1", "genai.log.2"):
        (tmp_path / name).write_bytes(line(name))
    assert ids(tmp_path / "genai.log.1") == ["genai.log.1"]
    assert ids(tmp_path / "genai.log.[12]") == ["genai.log.2", "genai.log.1"]


def test_a_log_that_was_rotated_away_and_not_begun_anew_is_there(tmp_path: Path):
    (tmp_path / "genai.log.1").write_bytes(line("genai.log.1"))
    assert ids(tmp_path / "genai.log") == ["genai.log.1"]


def test_what_is_there_plain_and_compressed_is_read_once(tmp_path: Path):
    (tmp_path / "genai.log.1").write_bytes(line("r-1"))
    (tmp_path / "genai.log.1.gz").write_bytes(gzip.compress(line("r-1"))[:-12])  # it is being compressed
    assert ids(tmp_path / "genai.log") == ["r-1"]


def test_a_compressed_copy_is_no_part_of_the_log_but_can_be_named(tmp_path: Path):
    (tmp_path / "genai.log.gz").write_bytes(gzip.compress(line("copy")))
    with pytest.raises(FileNotFoundError) as raised:
        read(tmp_path / "genai.log")
    log = tmp_path / "genai.log"
    assert str(raised.value) == f"{log} does not exist, but {log}.gz does; name that"
    log.write_bytes(line("r-1"))
    assert ids(log) == ["r-1"]
    assert sorted(ids(f"{log}*")) == ["copy", "r-1"]


@pytest.mark.parametrize("names", [["genai.log"], ["genai.log.1", "genai.log.2"]])
def test_a_rotation_in_the_midst_of_a_read_changes_nothing(tmp_path: Path, names: list[str]):
    log = tmp_path / "genai.log"
    for number in range(3):
        log.write_bytes(b"".join(line(f"{number}-{place}") for place in range(3)))
        rotate(log, compress=False)
    log.write_bytes(line("3-0"))
    reading = read([tmp_path / name for name in names])
    seen = [next(reading)["id"]]
    for number in (4, 5):
        rotate(log, keep=2)  # what is being read is renamed, compressed and deleted
        log.write_bytes(line(f"{number}-0"))
    seen += [event["id"] for event in reading]
    first, last = (0, 2) if names == ["genai.log"] else (1, 2)
    expected = [f"{number}-{place}" for number in range(first, last + 1) for place in range(3)]
    assert seen == expected + ["3-0"] * (names == ["genai.log"])


def test_all_that_was_written_is_read_once_while_a_program_rotates(tmp_path: Path):
    log = tmp_path / "genai.log"
    sink, over, written = open_sink(f"file:{log}?rotate_mb=1&keep=1000"), Event(), 0

    def write() -> None:
        nonlocal written
        while not over.is_set() and written < 120:
            sink.write([line(f"r-{written}").strip()[:-1] + b', "padding": "%s"}' % (b"x" * 400_000)])
            written += 1

    with ThreadPoolExecutor() as pool:
        done = pool.submit(write)
        try:
            for _ in range(30):
                before = written
                seen = [int(one.removeprefix("r-")) for one in (ids(log) if before else [])]
                assert seen == [*range(len(seen))]
                assert len(seen) >= before
        finally:
            over.set()
        done.result()
    sink.close()
    assert ids(log) == [f"r-{number}" for number in range(written)]


def test_whoever_reads_by_name_can_tell_that_a_rotation_took_it(tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_bytes(line("r-1"))
    with Log(log, (log,)).held() as files:
        assert [(one.path, one.is_in_place()) for one in files] == [(log, True)]
        rotate(log)
        assert not files[0].is_in_place()
        log.write_bytes(line("r-2"))
        assert not files[0].is_in_place()
        assert [*files[0].lines()] == [line("r-1")]


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_rotation_while_the_files_are_being_opened_is_noticed(tmp_path: Path, times: int):
    log, rotations = tmp_path / "genai.log", [*range(2 * times)]
    Path(f"{log}.1").write_bytes(line("r-1"))
    log.write_bytes(line("r-2"))

    def files() -> list[Path]:
        found = generations(log)
        if rotations and rotations.pop() % 2:  # between a look and the opening
            shift(log, None)  # as logrotate does, who asks nobody
            log.write_bytes(line(f"new-{len(rotations)}"))
        return found

    with held(log, files) as found:
        assert [one for file in found for one in file.lines()] == [
            one for path in generations(log) for one in path.read_bytes().splitlines(keepends=True)
        ]


def test_a_damaged_compressed_file_is_named(tmp_path: Path):
    (tmp_path / "genai.log.1.gz").write_bytes(gzip.compress(line("r-1") * 1000)[:-12])
    (tmp_path / "genai.log.2.gz").write_bytes(b"plain")
    for number, why in ((1, "Compressed file ended"), (2, "Not a gzipped file")):
        with pytest.raises(OSError, match=rf"genai\.log\.{number}\.gz is damaged, or is not a \.gz file: {why}"):
            ids(tmp_path / f"genai.log.{number}.gz")


def test_a_directory_is_no_log(tmp_path: Path):
    with pytest.raises(IsADirectoryError, match=r"is a directory; name the log in it, such as .*/genai\.log$"):
        read(tmp_path)


def test_a_pattern_without_files_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"no file matches .*genai\*; quote the pattern"):
        read(tmp_path / "genai*")


def test_an_unknown_scheme_names_the_known_ones():
    with pytest.raises(ValueError, match=r"source 'kafka' is unknown; expected one of elasticsearch, file, stdin$"):
        read("kafka://broker/topic")


def test_a_flat_record_is_one_question_and_one_answer():
    flat = {
        "timestamp": "2026-01-31T10:00:00Z",
        "user_id": "u42",
        "model": "gpt-4.1",
        "prompt": "Why?",
        "response": "Because.",
        "input_tokens": 2,
        "output_tokens": None,
        "latency_ms": 980,
        "retrieval_docs": ["doc7"],
        "hallucination_flag": False,
    }
    assert parse(flat) == {
        "timestamp": "2026-01-31T10:00:00Z",
        "kind": "llm",
        "user_id": "u42",
        "model": "gpt-4.1",
        "request": {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Why?"}]},
        "response": {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Because."}}]},
        "input_tokens": 2,
        "latency_ms": 980,
        "retrieval_docs": [{"id": "doc7"}],
        "hallucination_flag": False,
    }


def test_a_flat_record_may_lack_what_is_unknown():
    assert parse({"timestamp": "t", "prompt": "Why?", "response": None}) == {
        "timestamp": "t",
        "kind": "llm",
        "request": {"messages": [{"role": "user", "content": "Why?"}]},
    }


@pytest.mark.parametrize("field", ["duration_ms", "parent_id", "name", "target", "trace_id"])
def test_a_record_with_a_value_that_readers_would_stumble_over_is_passed_over(tmp_path: Path, field: str) -> None:
    log = tmp_path / "genai.log"
    step = {"timestamp": "2026-01-01T00:00:00.000Z", "kind": "step", "name": "s"}
    log.write_text(json.dumps({**step, field: ["x"]}) + "\n" + json.dumps(step) + "\n")
    reading = read(log)
    assert ([event["name"] for event in reading], reading.bad) == (["s"], 1)
