"""Reading logs back: what is a record, in which order, and what is skipped."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from flywheel_log.event import to_document
from flywheel_log.loop.read import parse, read

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


def test_a_file_url_is_a_path(tmp_path: Path):
    (tmp_path / "gen ai.log").write_bytes(LINE)
    assert ids(f"file:{tmp_path}/gen%20ai.log?format=flat") == ["r-1"]


def test_a_name_with_brackets_is_a_file_if_there_is_one(tmp_path: Path):
    (tmp_path / "genai[1].log").write_bytes(LINE)
    assert ids(tmp_path / "genai[1].log") == ["r-1"]


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(LINE)))
    assert ids("-") == ["r-1"]


def test_a_missing_file_is_named_at_once_with_what_to_do(tmp_path: Path):
    with pytest.raises(FileNotFoundError) as raised:
        read(tmp_path / "genai.log")
    assert str(raised.value) == (
        f"{tmp_path}/genai.log does not exist; a program writes it after flywheel_log.instrument(client), "
        f"in the folder where it runs: name the file, or make one with `flywheel-log demo --log {tmp_path}/genai.log`"
    )


def test_a_log_that_was_rotated_away_is_told_from_one_that_never_was(tmp_path: Path):
    (tmp_path / "genai.log.1.gz").touch()
    with pytest.raises(FileNotFoundError) as raised:
        read(tmp_path / "genai.log")
    log = tmp_path / "genai.log"
    assert str(raised.value) == f"{log} was rotated, and nothing was written since; read '{log}*'"


def test_a_directory_is_no_log(tmp_path: Path):
    with pytest.raises(IsADirectoryError, match=r"is a directory; name the log in it, such as .*/genai\.log$"):
        read(tmp_path)


def test_a_pattern_without_files_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"no file matches .*genai\*; quote the pattern"):
        read(tmp_path / "genai*")


def test_an_unknown_scheme_names_the_known_ones():
    with pytest.raises(ValueError, match=r"source 'kafka' is unknown; have elasticsearch, file, stdin$"):
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
