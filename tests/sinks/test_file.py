"""The file sink: whole lines, once, whoever else writes to, renames or breaks the file."""

import errno
import fcntl
import gzip
import json
import os
import shutil
import stat
import tempfile
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path

import orjson
import pytest

import flywheel_log.sinks.file
from flywheel_log.contract import SinkContract, event
from flywheel_log.delivery import Delivery
from flywheel_log.health import health
from flywheel_log.loop.reading.read import read
from flywheel_log.loop.retention.rewrite import rewrite
from flywheel_log.process import compression
from flywheel_log.process.rotations import family
from flywheel_log.sinks import open_sink
from flywheel_log.sinks.file.sharing import shift
from tests.delivery.turns import with_a_turn

SINK = str(Path(flywheel_log.sinks.file.__file__).parent)


class TestFile(SinkContract):
    exactly_once = True

    def make_sink(self, tmp_path):
        self.path = tmp_path / "genai.log"
        return open_sink(f"file:{self.path}")

    def stored_ids(self):
        return [json.loads(line)["id"] for line in self.path.read_bytes().split(b"\n")[:-1]]


class TestRotatedFile(TestFile):
    def make_sink(self, tmp_path):
        self.path = tmp_path / "genai.log"
        return open_sink(f"file:{self.path}?rotate_mb=1&keep=3")

    def stored_ids(self):
        files = [Path(f"{self.path}.3"), Path(f"{self.path}.2"), Path(f"{self.path}.1"), self.path]
        lines = b"".join(file.read_bytes() for file in files if file.exists()).split(b"\n")[:-1]
        return [json.loads(line)["id"] for line in lines]


def ids(path):
    return [json.loads(line)["id"] for line in path.read_bytes().split(b"\n")[:-1]]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "file:",
            "sink 'file:' names no file of this machine; write file:genai.log or file:/var/log/genai.log",
        ),
        (
            "file://h/genai.log",
            "sink 'file://h/genai.log' names no file of this machine; write file:genai.log or file:/var/log/genai.log",
        ),
        (
            "file:a?colour=red",
            "sink 'file' has no parameter colour; expected one of format, keep, rotate_mb",
        ),
        ("file:a?format=xml", "sink 'file' has no format 'xml'; expected one of flat, full"),
        ("file:a?rotate_mb=-1", "sink 'file' wants a whole number above 0 as rotate_mb; got '-1'"),
        ("file:a?rotate_mb=1&keep=many", "sink 'file' wants a whole number above 0 as keep; got 'many'"),
        ("file:a?keep=3", "sink 'file' rotates by rotate_mb only; write it beside keep, as in ?rotate_mb=100&keep=5"),
    ],
)
def test_a_wrong_url_is_an_error_that_names_both_sides(url, message):
    with pytest.raises(ValueError, match="sink") as error:
        open_sink(url)
    assert str(error.value) == message


def test_a_relative_path_where_there_is_no_working_directory_is_an_error_that_says_so(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ValueError, match=r"genai\.log is in the working directory, which does not exist"):
        open_sink("file:genai.log")
    open_sink(f"file:{tmp_path}/genai.log").close()


def test_a_file_that_cannot_be_written_is_an_error_at_the_first_line(tmp_path):
    for path, why in ((tmp_path, "Is a directory"), ("/proc/genai.log", "No such file or directory")):
        with pytest.raises(OSError, match=why):
            open_sink(f"file:{path}").write([event(1)])


def test_opening_does_not_touch_the_disk(tmp_path):
    open_sink(f"file:{tmp_path}/deep/genai.log").close()
    assert list(tmp_path.iterdir()) == []


def test_the_path_is_that_of_the_working_directory_at_opening(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sink = open_sink("file:genai.log")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    sink.write([event(1)])
    assert ids(tmp_path / "genai.log") == ["a1b2-1"]


def test_file_and_new_directories_are_the_users_alone(tmp_path):
    sink = open_sink(f"file:{tmp_path}/logs/genai.log")
    sink.write([event(1)])
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("logs", "logs/genai.log")]
    assert modes == [0o700, 0o600]


def test_a_flat_file_holds_the_ten_fields_of_a_plain_record(tmp_path):
    line = {
        "id": "a1b2-1",
        "timestamp": "2025-12-26T10:00:12.000Z",
        "kind": "llm",
        "user_id": "u42",
        "model": "gpt-4.1",
        "request": {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Which"}, {"type": "text", "text": "docs?"}]},
            ]
        },
        "response": {"choices": [{"message": {"role": "assistant", "content": "Two."}}]},
        "input_tokens": 430,
        "output_tokens": 210,
        "latency_ms": 980.5,
        "retrieval_docs": [{"id": "doc7", "score": 0.9}, {"id": "doc19"}],
        "hallucination_flag": False,
    }
    open_sink(f"file:{tmp_path}/genai.log?format=flat").write([orjson.dumps(line), event(2)])
    assert [json.loads(line) for line in (tmp_path / "genai.log").read_text().splitlines()] == [
        {
            "timestamp": "2025-12-26T10:00:12.000Z",
            "user_id": "u42",
            "model": "gpt-4.1",
            "prompt": "Which\ndocs?",
            "response": "Two.",
            "input_tokens": 430,
            "output_tokens": 210,
            "latency_ms": 980.5,
            "retrieval_docs": ["doc7", "doc19"],
            "hallucination_flag": False,
        },
        {
            "timestamp": "2026-01-02T03:04:02.000Z",
            "user_id": None,
            "model": None,
            "prompt": "hi",
            "response": "hi",
            "input_tokens": None,
            "output_tokens": None,
            "latency_ms": None,
            "retrieval_docs": None,
            "hallucination_flag": None,
        },
    ]


@pytest.mark.parametrize(
    "odd",
    [{"response": {"choices": [7]}}, {"response": {"output": "text"}}, {"request": {"messages": 7}}],
    ids=str,
)
def test_a_flat_file_holds_what_is_known_of_an_answer_of_any_shape(tmp_path, odd):
    open_sink(f"file:{tmp_path}/genai.log?format=flat").write([orjson.dumps({"model": "m", **odd}), event(2)])
    first, second = map(json.loads, (tmp_path / "genai.log").read_text().splitlines())
    assert (first["model"], first["response"], second["response"]) == ("m", None, "hi")


def test_a_flat_file_is_compared_by_whole_records(tmp_path):
    sink = open_sink(f"file:{tmp_path}/genai.log?format=flat")
    sink.write([event(1), event(2)])
    assert sink.missing([event(2), event(3)]) == [event(3)]


def test_a_torn_last_line_stays_a_line_of_its_own(tmp_path):
    path = tmp_path / "genai.log"
    path.write_bytes(event(1) + b"\n" + event(2)[:40])
    sink = open_sink(f"file:{path}")
    assert sink.missing([event(1), event(2)]) == [event(2)]
    sink.write([event(2)])
    assert path.read_bytes() == event(1) + b"\n" + event(2)[:40] + b"\n" + event(2) + b"\n"


@pytest.mark.parametrize("form", ["full", "flat"])
def test_a_line_that_lacks_but_its_newline_is_not_written_a_second_time(tmp_path, form):
    path = tmp_path / "genai.log"
    for before in ([], [event(1)]):
        path.unlink(missing_ok=True)
        open_sink(f"file:{path}?format={form}").write([*before, event(2)])
        os.truncate(path, path.stat().st_size - 1)  # As of a write that a kill, or a full disk, cut short just there.
        sink = open_sink(f"file:{path}?format={form}")
        assert sink.missing([event(2), event(3)]) == [event(3)]
        sink.write([event(3)])
        assert len(path.read_bytes().splitlines()) == len(before) + 2


def test_a_line_that_was_torn_and_then_ended_by_somebody_is_missing(tmp_path):
    path = tmp_path / "genai.log"
    path.write_bytes(event(1)[:40] + b"\n" + event(2) + b"\n")
    assert open_sink(f"file:{path}").missing([event(1), event(2)]) == [event(1)]


def test_the_search_ends_at_an_older_event_of_the_same_process(tmp_path):
    path = tmp_path / "genai.log"
    path.write_bytes(b"".join(event(number) + b"\n" for number in (5, 1, 4)))
    assert open_sink(f"file:{path}").missing([event(3), event(4), event(5)]) == [event(3), event(5)]


@pytest.mark.parametrize("name", [".1", ".1.gz", ".1.xz", ".7.bz2", "-20260131", "-20260131.gz", ".2026-01-31"])
@pytest.mark.parametrize("log", ["genai.log", "genai.8080", "genai-2026-01-30"])
def test_what_was_rotated_away_by_whatever_name_is_not_missing(tmp_path, log, name):
    rotated = tmp_path / f"{log}{name}"
    with rotated.open("wb") as file:
        packed = compression.writing(file, rotated) if compression.is_compressed(rotated) else file
        packed.write(event(1) + b"\n")
        packed.close()
    (tmp_path / log).write_bytes(event(2) + b"\n")
    (tmp_path / f"{log}x.1").write_bytes(event(3) + b"\n")
    assert open_sink(f"file:{tmp_path}/{log}").missing([event(2), event(3)]) == [event(3)]
    assert open_sink(f"file:{tmp_path}/{log}").missing([event(1), event(2), event(3)]) == [event(3)]


def test_a_rotated_file_that_is_damaged_holds_nothing_up(tmp_path):
    (tmp_path / "genai.log").write_bytes(event(2) + b"\n")
    (tmp_path / "genai.log.1.gz").write_bytes(b"rubbish")
    assert open_sink(f"file:{tmp_path}/genai.log").missing([event(1), event(2)]) == [event(1)]


@pytest.fixture
def packed(tmp_path):
    """A log of which the first event was rotated away and compressed."""
    (tmp_path / "genai.log").write_bytes(event(2) + b"\n")
    (tmp_path / "genai.log.1.gz").write_bytes(gzip.compress(event(1) + b"\n"))
    return open_sink(f"file:{tmp_path}/genai.log")


def test_a_compressed_file_is_compared_where_no_directory_for_temporary_files_can_be_written(packed, monkeypatch):
    def read_only():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", read_only)
    assert packed.missing([event(1), event(2), event(3)]) == [event(3)]


def test_a_compressed_file_that_has_no_room_to_be_unpacked_is_waited_for_and_not_taken_for_damaged(packed, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        packed.missing([event(1)])
    monkeypatch.undo()
    assert packed.missing([event(1), event(2), event(3)]) == [event(3)]


def test_compressed_files_keep_their_suffix_when_they_move_on(tmp_path):
    for name in ("", ".1.xz", ".2.gz", ".3.zst"):
        (tmp_path / f"genai.log{name}").write_text(name)
    shift(tmp_path / "genai.log", None)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("genai.log.1", "genai.log.2.xz", "genai.log.3.gz", "genai.log.4.zst")
    ]


def test_missing_reads_through_lines_longer_than_what_it_reads_at_once(tmp_path):
    path = tmp_path / "genai.log"
    long = event(2, "x" * 9_000_000)
    path.write_bytes(event(1) + b"\n" + long + b"\n" + event(3) + b"\n")
    assert open_sink(f"file:{path}").missing([event(1), long, event(3), event(4)]) == [event(4)]


def test_a_renamed_file_is_left_and_a_new_one_begun(tmp_path):
    path = tmp_path / "genai.log"
    sink = open_sink(f"file:{path}")
    sink.write([event(1)])
    path.rename(tmp_path / "genai.log.1")
    sink.write([event(2)])
    assert (ids(tmp_path / "genai.log.1"), ids(path)) == (["a1b2-1"], ["a1b2-2"])
    assert sink.missing([event(1), event(2), event(3)]) == [event(3)]


def test_what_is_no_file_of_a_disk_is_written_to_and_needs_no_sync():
    sink = open_sink("file:/dev/null")
    assert sink.write([event(1)]) == ()
    sink.sync()
    sink.close()
    assert health.dropped() == {}


def test_a_pipe_takes_lines_when_somebody_reads_it_and_is_not_read_by_us(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    sink = open_sink(f"file:{tmp_path}/pipe")
    lines = [event(number) for number in range(3)]
    with pytest.raises(OSError, match="No such device"):
        sink.write(lines)
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert list(sink.write(lines)) == []
    assert sink.missing(lines) == lines
    assert os.read(reader, 1 << 16) == b"".join(line + b"\n" for line in lines)
    os.close(reader)
    for _ in range(2):
        with pytest.raises(BrokenPipeError):
            sink.write(lines)
    sink.close()


def test_a_device_without_room_says_so():
    with pytest.raises(OSError, match="No space left"):
        open_sink("file:/dev/full").write([event(1)])


def test_what_was_written_to_a_file_that_was_renamed_away_is_synced_all_the_same(tmp_path, monkeypatch):
    path, synced = tmp_path / "genai.log", []
    sink = open_sink(f"file:{path}")
    sink.write([event(1)])
    inode = path.stat().st_ino
    path.rename(tmp_path / "elsewhere")
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    sink.sync()
    assert (synced, path.exists()) == ([inode], False)


def test_in_a_directory_that_may_not_be_read_a_log_is_synced_and_what_that_means_is_said(tmp_path, monkeypatch, caplog):
    """Else the journal would wait for ever, and grow full."""
    sink = open_sink(f"file:{tmp_path}/genai.log")
    sink.write([event(1)])
    real = os.open

    def refused(path, *arguments, **options):
        if path == tmp_path:
            raise PermissionError(errno.EACCES, "injected")
        return real(path, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refused)
        sink.sync()
        sink.sync()
    assert caplog.messages == [
        "flywheel_log: the log's directory cannot be read, so a power failure may lose a new log (PermissionError)"
    ]


def test_what_is_written_is_written_whatever_fails_behind_it(tmp_path, monkeypatch):
    """Or it would be offered again, and stand there twice."""
    write, fstat, written = os.write, os.fstat, []

    def failing(*given):
        if written:
            raise OSError(errno.EIO, "injected")
        return fstat(*given)

    sink = open_sink(f"file:{tmp_path}/genai.log")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda *given: (write(*given), written.append(1))[0])
        patch.setattr(os, "fstat", failing)
        assert sink.write([event(1)]) == ()


def test_a_deleted_directory_is_made_again(tmp_path):
    path = tmp_path / "logs" / "genai.log"
    sink = open_sink(f"file:{path}")
    sink.write([event(1)])
    path.unlink()
    path.parent.rmdir()
    sink.write([event(2)])
    assert ids(path) == ["a1b2-2"]


def test_rotation_keeps_as_many_files_as_asked_for(tmp_path):
    path = tmp_path / "genai.log"
    sink = open_sink(f"file:{path}?rotate_mb=1&keep=2")
    for number in range(5):
        sink.write([event(number, "x" * 300_000)])
    files = {file.name: ids(file) for file in tmp_path.glob("genai.log*")}
    assert files == {"genai.log": ["a1b2-4"], "genai.log.1": ["a1b2-3"], "genai.log.2": ["a1b2-2"]}


def test_fewer_files_than_before_are_kept_from_the_next_rotation_on(tmp_path):
    path = tmp_path / "genai.log"
    for number in (1, 2, 3, 5, 8080):
        Path(f"{path}.{number}{'.gz' * (number == 3)}").write_bytes(b"")
    sink = open_sink(f"file:{path}?rotate_mb=1&keep=2")
    for number in range(2):
        sink.write([event(number, "x" * 600_000)])
    left = sorted(file.name for file in tmp_path.iterdir())
    assert left == ["genai.log", "genai.log.1", "genai.log.2", "genai.log.5", "genai.log.8080"]


def test_a_link_leads_to_the_same_disk_behind_each_rotation(tmp_path):
    """Else the second file is where the link was, and erasure misses the first."""
    path, disk = tmp_path / "genai.log", tmp_path / "disk"
    disk.mkdir()
    path.symlink_to(disk / "real.log")
    sink = open_sink(f"file:{path}?rotate_mb=1&keep=2")
    long = [event(number)[:-1] + b',"text":"%b"}' % (b"x" * 600_000) for number in range(4)]
    for line in long:
        place = sink.place()
        sink.write([line])
        sink.sync()
        assert sink.missing([line, event(9)], place) == [event(9)]
    assert sorted(file.name for file in disk.iterdir()) == ["real.log", "real.log.1", "real.log.2"]
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["genai.log"]
    assert [line["id"] for line in read(path)] == ["a1b2-1", "a1b2-2", "a1b2-3"]
    (disk / "real.log").rename(disk / "real.log.3")
    assert len(list(read(path))) == 3


def test_a_batch_larger_than_the_limit_is_one_file(tmp_path):
    path = tmp_path / "genai.log"
    sink = open_sink(f"file:{path}?rotate_mb=1")
    sink.write([event(number, "x" * 600_000) for number in range(3)])
    sink.write([event(3)])
    files = {file.name: ids(file) for file in tmp_path.glob("genai.log*")}
    assert files == {"genai.log": ["a1b2-3"], "genai.log.1": ["a1b2-0", "a1b2-1", "a1b2-2"]}


def test_no_file_grows_beyond_its_limit_however_much_waits(tmp_path):
    path = tmp_path / "genai.log"
    delivery = Delivery([f"file:{path}?rotate_mb=1&keep=9"], tmp_path / "journal")
    for number in range(12):
        delivery.put(orjson.dumps({"kind": "llm", "number": number, "text": "some words " * 30_000}))
    assert delivery.close(30) == 0
    assert max(file.stat().st_size for file in tmp_path.glob("genai.log*")) <= 1_000_000
    assert sum(len(ids(file)) for file in tmp_path.glob("genai.log*")) == 12


def test_the_lock_of_another_process_is_respected_while_it_is_held(tmp_path):
    path = tmp_path / "genai.log"
    sink = open_sink(f"file:{path}")
    sink.write([event(1)])
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        child = os.fork()
        if child == 0:
            open_sink(f"file:{path}").write([event(2)])
            os._exit(0)
        assert ids(path) == ["a1b2-1"]
        fcntl.flock(other, fcntl.LOCK_UN)
    assert os.waitpid(child, 0)[1] == 0
    assert ids(path) == ["a1b2-1", "a1b2-2"]


def test_behind_a_place_everything_is_looked_through_in_whatever_order_it_was_stored(tmp_path):
    path = tmp_path / "genai.log"
    sink = open_sink(f"file:{path}?rotate_mb=100&keep=2")
    sink.write([event(7)])
    place = sink.place()
    assert len(place) <= 50
    sink.write([event(3)])
    sink.write([event(1)])
    other = open_sink(f"file:{path}?rotate_mb=100&keep=2")
    assert other.missing([event(3), event(7)], place) == [event(7)]
    path.rename(f"{path}.1")
    other.write([event(4)])
    assert other.missing([event(3), event(4), event(5), event(7)], place) == [event(5), event(7)]
    (tmp_path / "genai.log.1").rename(tmp_path / "genai.log.of-yesterday")
    assert other.missing([event(4), event(5)], place) == [event(5)]


def test_what_was_rotated_away_behind_a_file_with_a_date_is_not_missing(tmp_path):
    """As by logrotate's dateext at midnight, and then by rotate_mb."""
    path = tmp_path / "genai.log"
    sink = open_sink(f"file:{path}")
    sink.write([event(1)])
    place = sink.place()
    path.rename(dated := tmp_path / "genai.log-20261127")
    os.utime(dated, (1, 1))
    sink.write([event(2)])
    shift(path, None)
    sink.write([event(3)])
    for since in (place, b""):
        assert sink.missing([event(2), event(3), event(4)], since) == [event(4)]


@pytest.mark.parametrize("before", [0, 9])
def test_what_stands_in_the_copy_of_a_log_that_was_cut_and_has_grown_again_is_not_missing(tmp_path, before):
    """As by logrotate's copytruncate, while a dead process's batch waits to be looked for."""
    path = tmp_path / "genai.log"
    sink, other = (open_sink(f"file:{path}") for _ in range(2))
    for number in range(before):
        sink.write([event(number)])
    place = sink.place()
    sink.write([event(10), event(11)])
    shutil.copy(path, f"{path}.1")
    os.truncate(path, 0)
    for number in range(20):
        other.write([event(number).replace(b"a1b2", b"ffff")])
    assert other.missing([event(10), event(11), event(12)], place) == [event(12)]


def shifted(log):
    shift(log, None)
    with closing(open_sink(f"file:{log}")) as other:
        other.write([event(9)])


def compressed(log):
    for file in family(log):
        rewrite(log, file, lambda _: False, compress=True)


def pruned(log):
    for file in family(log):
        rewrite(log, file, lambda line: line == event(1) + b"\n")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("turn", [shifted, compressed, pruned])
def test_what_is_rotated_or_rewritten_while_it_is_looked_for_is_not_missing(tmp_path, turn):
    """Else what a dead process wrote is written again."""
    found = []
    for at in count(1, 7):
        path = tmp_path / str(at) / "genai.log"
        sink, other = (open_sink(f"file:{path}") for _ in range(2))
        sink.write([event(1)])
        place = sink.place()
        sink.write([event(2)])
        shifted(path)
        look = partial(other.missing, [event(2), event(3)], place)
        more = with_a_turn(at, partial(turn, path), lambda look=look: found.append(look()), SINK)
        sink.close()
        if not more:
            break
    assert at > 100
    assert found == [[event(3)]] * len(found)


def test_equal_records_of_a_flat_file_are_counted(tmp_path):
    sink = open_sink(f"file:{tmp_path}/genai.log?format=flat")
    place = sink.place()
    sink.write([event(1), event(1), event(2)])
    assert sink.missing([event(1)] * 3, place) == [event(1)]
    assert sink.missing([event(1)] * 3, sink.place()) == [event(1)] * 3


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_written_to_and_what_that_means_is_said(tmp_path, monkeypatch, caplog, number):
    def refused(fd, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refused)
    sink = open_sink(f"file:{tmp_path}/genai.log")
    for at in range(2):
        assert sink.write([event(at)]) == ()
    assert len(ids(tmp_path / "genai.log")) == 2
    word = errno.errorcode[number]
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        f"flywheel_log: the log's file system has no locks, so only one process may write to the log (OSError {word})"
    ]


def test_what_cannot_be_taken_back_without_a_lock_is_looked_for_before_it_is_written_again(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSYS, "no locks")))
    sink = open_sink(f"file:{tmp_path}/genai.log")
    lines = [event(at) for at in range(3)]
    write = os.write

    def short(fd, data):
        write(fd, data[: len(lines[0]) + 20])  # One line, and a piece of the next.
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as broken:
        broken.setattr(os, "write", short)
        with pytest.raises(OSError, match="broken"):
            sink.write(lines)
    assert sink.write(lines) == ()
    whole = [line for line in (tmp_path / "genai.log").read_bytes().split(b"\n") if line in lines]
    assert whole == lines
