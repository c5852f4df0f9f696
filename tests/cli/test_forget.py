"""`forget`: all that is known of a person goes, and what cannot is said."""

from __future__ import annotations

import bz2
import fcntl
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from flywheel_log.config import load
from flywheel_log.delivery import Delivery
from flywheel_log.delivery.tuning import Tuning
from flywheel_log.pipeline.redact import Redactor
from flywheel_log.process.disk import boot
from flywheel_log.sinks.elasticsearch.dead_letters import DeadLetter, bury, letters
from tests.delivery.dying import leave

from .conftest import Ran

Command = Callable[..., Ran]


def record(number: int, user: str | None = None, **fields: Any) -> dict[str, Any]:
    event = {"id": f"r-{number}", "timestamp": f"2026-01-31T10:00:{number:02}.000Z", "kind": "llm"}
    return event | ({"user_id": user} if user else {}) | fields


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(orjson.dumps(event) + b"\n" for event in events)


def left(*files: Path, key: str = "id") -> list[str]:
    events = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]
    return [event[key] for event in events if event["kind"] != "loss_report"]


def die(sink: Path, journal: Path, *events: dict[str, Any]) -> None:
    """Leave *events* in the journal, as a program does that is killed before it has delivered them."""
    without = [{key: value for key, value in event.items() if key != "id"} for event in events]
    leave(map(orjson.dumps, without), f"file:{sink}", journal)


def test_all_that_is_theirs_goes_from_the_log_and_its_rotated_files(command: Command, tmp_path: Path):
    log = tmp_path / "genai.log"
    Path(f"{log}.2.gz").write_bytes(gzip.compress(lines(record(1, "u42"), record(2, "u4"), record(3))))
    Path(f"{log}.1").write_bytes(
        lines(record(4, "u42", response={"id": "chatcmpl-4"}, trace_id="t1"), record(5, "u421"))
    )
    log.write_bytes(
        lines(
            record(6, kind="step", trace_id="t1"),
            record(7, "u5", trace_id="t1"),
            record(8, "u5", kind="feedback", target="chatcmpl-4"),
            record(9, "u42", kind="feedback", target="r-2"),
            record(10, kind="feedback", target="r-2"),
            record(11, kind="feedback", target="r-1"),
        )
    )
    dry = command("forget", "--user", "u42", "--dry-run")
    assert dry == Ran(
        0,
        f"the journal {tmp_path}/journal: 0 would go\n{log} and 2 rotated: 6 would go (3 feedback, 2 llm, 1 step)\n",
        "",
    )
    assert command("forget", "--user", "u42") == Ran(
        0,
        f"the journal {tmp_path}/journal: 0 removed\n"
        f"{log} and 2 rotated: 6 removed (3 feedback, 2 llm, 1 step)\n"
        "searched again: no record of u42 is left in these places\n",
        "",
    )
    assert gzip.decompress(Path(f"{log}.2.gz").read_bytes()) == lines(record(2, "u4"), record(3))
    assert left(Path(f"{log}.1"), log) == ["r-5", "r-7", "r-10"]
    again = command("forget", "--user", "u42", "genai.log").out
    assert f"{log} and 2 rotated: 0 removed\n" in again


@pytest.mark.parametrize(("suffix", "module"), [("xz", lzma), ("bz2", bz2)])
def test_whatever_logrotate_compresses_with_is_looked_through(
    command: Command, tmp_path: Path, suffix: str, module: type[lzma]
):
    packed = tmp_path / f"genai.log.1.{suffix}"
    packed.write_bytes(module.compress(lines(record(1, "u42"), record(2))))
    (tmp_path / "genai.log").write_bytes(lines(record(3, "u42")))
    assert command("forget", "--user", "u42").code == 0
    assert module.decompress(packed.read_bytes()) == lines(record(2))


def test_what_cannot_be_looked_through_is_not_said_to_be_free_of_them(command: Command, tmp_path: Path):
    (tmp_path / "genai.log.1.zst").write_bytes(b"who knows")
    (tmp_path / "genai.log").write_bytes(before := lines(record(1, "u42")))
    ran = command("forget", "--user", "u42")
    assert (ran.code, "genai.log.1.zst" in ran.err, (tmp_path / "genai.log").read_bytes()) == (1, True, before)


def test_what_was_forgotten_is_not_missing_and_what_was_lost_beside_it_still_is(command: Command, tmp_path: Path):
    log, whose = tmp_path / "genai.log", {2: "u42", 3: "u42", 5: "u7", 6: "u42"}
    log.write_bytes(lines(*(record(number, whose.get(number)) for number in (1, 2, 3, 5, 6, 7))))
    assert command("forget", "--user", "u42").code == 0
    *others, first, second = map(json.loads, log.read_bytes().splitlines())
    said = {"kind": "loss_report", "reason": "forgotten"}
    assert (first.pop("timestamp") == second.pop("timestamp"), [one["id"] for one in others]) == (
        True,
        ["r-1", "r-5", "r-7"],
    )
    assert first == said | {"count": 2, "first": "r-2", "last": "r-3"}
    assert second == said | {"count": 1, "first": "r-6", "last": "r-6"}
    missing = "flywheel-log: 1 of 6 events are missing\n"
    assert command("verify") == Ran(1, "missing 1: r-4\n", missing)
    log.write_bytes(log.read_bytes() + lines(record(4)))
    assert command("forget", "--user", "u7").code == 0
    assert command("verify") == Ran(0, "all there: 6 events of 1 process; 4 events forgotten\n", "")


def test_what_was_forgotten_in_the_journal_is_not_missing_in_the_log(command: Command, tmp_path: Path):
    log = tmp_path / "genai.log"
    die(log, tmp_path / "journal", *(record(number, "u1" if number == 1 else None) for number in range(3)))
    log.write_bytes(lines(record(1)))
    assert command("forget", "--user", "u1").code == 0
    command("drain")
    assert command("verify") == Ran(0, "all there: 5 events of 2 processes; 1 event forgotten\n", "")


def test_a_flat_log_and_torn_lines_are_looked_at_too(command: Command, tmp_path: Path):
    log = tmp_path / "flat.log"
    flat = {"timestamp": "2026-01-31T10:00:00Z", "prompt": "hi", "response": "ho", "model": "m"}
    other = orjson.dumps(flat | {"user_id": "u1"})
    log.write_bytes(orjson.dumps(flat | {"user_id": "ü42"}) + b"\n" + other + b'\n{"user_id": "\\u00fc42", "pro\n')
    ran = command("forget", "--user", "ü42", log, "--json")
    report = json.loads(ran.out)
    assert (ran.code, report["nothing_left"], report["places"][1]) == (
        0,
        True,
        {
            "place": str(log),
            "found": {"llm": 1, "torn": 1},
            "removed": 2,
            "left": 0,
            "why": "",
            "mentioned": 0,
            "masked": 0,
        },
    )
    assert log.read_bytes() == other + b"\n"


def test_what_waits_in_the_journal_of_a_dead_program_is_never_delivered(command: Command, tmp_path: Path):
    log, journal = tmp_path / "genai.log", tmp_path / "journal"
    die(log, journal, *(record(number, f"u{number % 2}") for number in range(6)))
    ran = command("forget", "--user", "u1")
    assert ran.out.splitlines() == [
        f"the journal {journal}: 3 removed (3 llm)",
        "! file:genai.log does not exist",
        "searched again: no record of u1 is left in these places",
    ]
    assert command("drain").code == 0
    assert left(log, key="user_id") == ["u0", "u0", "u0"]


def test_who_waits_for_what_was_removed_from_the_journal_is_told_in_its_place(command: Command, tmp_path: Path):
    log, journal = tmp_path / "genai.log", tmp_path / "journal"
    die(log, journal, *(record(number, f"u{number % 2}") for number in range(5)))
    assert command("forget", "--user", "u1").code == 0
    assert command("drain").code == 0
    assert command("verify") == Ran(0, "all there: 5 events of 1 process; 2 events forgotten\n", "")
    told = [json.loads(line) for line in log.read_bytes().splitlines()]
    run = told[0]["id"].partition("-")[0]
    assert [event["id"] for event in told] == [f"{run}-{number}" for number in range(1, 6)]
    assert told[1].pop("timestamp") >= "2026"
    assert told[1] == {
        "id": f"{run}-2",
        "kind": "loss_report",
        "reason": "forgotten",
        "count": 1,
        "first": f"{run}-2",
        "last": f"{run}-2",
    }


def test_a_journal_that_holds_nothing_else_that_anybody_waits_for_goes_with_its_segments(
    command: Command, tmp_path: Path
):
    die(tmp_path / "genai.log", tmp_path / "journal", record(1, "u1"))
    (segment,) = tmp_path.glob("journal/*/*.seg")
    segment.with_suffix(".pos").write_bytes(b"%020d %50s %36s\n" % (10**20 - 1, b"", boot()))
    assert command("forget", "--user", "u1").code == 0
    assert list((tmp_path / "journal").glob("*/*.seg")) == []


def test_what_of_a_journal_cannot_be_deleted_is_warned_of(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError

    die(tmp_path / "genai.log", tmp_path / "journal", record(1, "u1"))
    (segment,) = tmp_path.glob("journal/*/*.seg")
    segment.with_suffix(".pos").write_bytes(b"%020d %50s %36s\n" % (10**20 - 1, b"", boot()))
    monkeypatch.setattr(Path, "unlink", refuse)
    command("forget", "--user", "u1", "--wait", "0")
    assert caplog.messages == ["flywheel_log: a delivered journal file could not be deleted (PermissionError)"]


def test_what_a_sink_has_already_is_not_delivered_twice(command: Command, tmp_path: Path):
    log, journal = tmp_path / "genai.log", tmp_path / "journal"
    die(log, journal, *(record(number, f"u{number % 2}") for number in range(6)))
    (segment,) = journal.glob("*/*.seg")
    data = segment.read_bytes().rstrip(b"\0")
    lines = data.splitlines(keepends=True)
    first = b"".join(lines[:3])
    log.write_bytes(first)
    segment.with_suffix(".pos").write_bytes(b"%020d %50s %36s\n" % (len(first), b"", boot()))
    assert command("forget", "--user", "u1").code == 0
    (positions,) = journal.glob("*/*.pos")
    assert int(positions.read_bytes().split()[0]) == len(lines[0] + lines[2])
    command("drain")
    assert left(log, key="user_id") == ["u0", "u0", "u0"]


def test_what_a_running_program_has_yet_to_deliver_is_said(command: Command, tmp_path: Path):
    (tmp_path / "full.log").mkdir()
    delivery = Delivery([f"file:{tmp_path}/full.log"], tmp_path / "journal")
    try:
        delivery.put(b'{"timestamp":"2026-01-31T10:00:00Z","kind":"llm","user_id":"u42"}')
        ran = command("forget", "--user", "u42", "--wait", "0")
    finally:
        delivery.close(0.0)
    assert (ran.code, ran.err) == (1, "flywheel-log: some records are left; see above\n")
    assert "! 1 left: programs that run have yet to deliver them; run this again when they have, or have" in ran.out
    assert command("forget", "--user", "u42").code == 0


def test_a_running_program_lets_go_of_what_it_delivered_and_goes_on(command: Command, tmp_path: Path):
    log = tmp_path / "genai.log"
    delivery = Delivery([f"file:{log}"], tmp_path / "journal", tuning=Tuning(adopt_s=0.05))
    try:
        delivery.put(b'{"timestamp":"2026-01-31T10:00:00Z","kind":"llm","user_id":"u42"}')
        delivery.put(b'{"timestamp":"2026-01-31T10:00:01Z","kind":"llm","user_id":"u1"}')
        assert delivery.flush(10) == 0
        assert b"u42" in held(tmp_path)
        ran = command("forget", "--user", "u42")
        assert (ran.code, ran.out.splitlines()[:2]) == (
            0,
            [f"the journal {tmp_path}/journal: 1 removed (1 llm)", f"{log}: 1 removed (1 llm)"],
        )
        assert b"u42" not in held(tmp_path)
        delivery.put(b'{"timestamp":"2026-01-31T10:00:02Z","kind":"llm","user_id":"u2"}')
        assert delivery.flush(10) == 0
    finally:
        delivery.close(10)
    assert left(log, key="user_id") == ["u1", "u2"]


def held(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in (root / "journal").glob("*/*.seg"))


def test_dead_letters_go(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from flywheel_log.loop.retention.forget import forget
    from flywheel_log.loop.retention.person import Person
    from flywheel_log.loop.retention.places import DeadLetters

    path = tmp_path / "dead.jsonl"
    bury(path, [DeadLetter("2026-01-31T10:00:00Z", "why", "", orjson.dumps(record(n, f"u{n}"))) for n in range(3)])
    (one,) = forget(Person("u1"), [DeadLetters(path)])
    assert (one.removed, one.left, [letter.id for letter in letters(path)]) == (1, 0, ["r-0", "r-2"])


def test_a_letter_that_a_kill_cut_off_is_none_and_goes_with_the_next_one(tmp_path: Path):
    path = tmp_path / "dead.jsonl"
    made = [
        DeadLetter("2026-01-31T10:00:00Z", "why", "", orjson.dumps(record(n, long="x" * 200_000))) for n in range(2)
    ]
    bury(path, made[:1])
    whole = path.read_bytes()
    for torn in (whole[:20], whole[:-1]):
        path.write_bytes(whole + torn)
        assert [letter.id for letter in letters(path)] == ["r-0"]
        bury(path, made[1:])
        assert [json.loads(one["line"])["id"] for one in map(json.loads, path.read_bytes().splitlines())] == [
            "r-0",
            "r-1",
        ]
    path.write_bytes(whole[:-1])
    bury(path, made[1:])
    assert [letter.id for letter in letters(path)] == ["r-1"]


def test_what_killed_commands_left_half_made_is_gone_and_what_a_running_one_makes_is_not(
    command: Command, tmp_path: Path
):
    log, dead = tmp_path / "genai.log", tmp_path / "dead.jsonl"
    log.write_bytes(lines(record(1, "u43")))
    bury(dead, [DeadLetter("2026-01-31T10:00:00Z", "why", "", orjson.dumps(record(2, "u43")))])
    die(tmp_path / "sink", tmp_path / "journal", record(3, "u43"))
    (segment,) = (tmp_path / "journal").glob("*/*.seg")
    drafts = [
        tmp_path / ".genai.log.999999999.part",
        tmp_path / ".genai.log.1.999999999.part",
        dead.with_suffix(".part"),
        dead.with_suffix(".again"),
        segment.with_suffix(".part"),
    ]
    for draft in drafts:
        draft.write_bytes(lines(record(1, "u42")))
    with dead.open("ab") as torn:
        torn.write(b'{"refused_at":"2026-01-31T10:00:00Z","reason":"","line":"u42')
    alive = tmp_path / ".genai.log.3.999999998.part"
    places = [str(log), f"elasticsearch://127.0.0.1:9/i?dead_letters={dead}"]
    with alive.open("wb") as making:
        fcntl.flock(making, fcntl.LOCK_EX)
        assert command("forget", "--user", "u42", *places, "--wait", 0).code == 1  # no server is there
        assert [draft for draft in drafts if draft.exists()] == []
        assert alive.exists()
    assert command("forget", "--user", "u42", log, "--wait", 0).code == 0
    assert not alive.exists()
    assert b"u42" not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_a_pseudonym_is_found_under_its_key(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log = tmp_path / "genai.log"
    redactor = Redactor(("secrets", "pii"), replace_with="pseudonym", key="k")
    ada, eve = (redactor.event(record(n, user)) for n, user in enumerate(("ada@example.com", "eve@example.com")))
    log.write_bytes(lines(ada, eve, record(3, "[email]")))
    monkeypatch.setenv("FLYWHEEL_LOG_REDACT_WITH", "pseudonym")
    monkeypatch.setenv("FLYWHEEL_LOG_REDACT_KEY", "k")
    assert (load().redact_key is not None, load().redact) == (True, ("secrets",))
    ran = command("forget", "--user", "ada@example.com")
    assert ran.code == 0
    assert left(log) == ["r-1", "r-3"]
    assert ran.out.splitlines()[2:4] == [
        f"! also looked for under {ada['user_id']}",
        f"! 1 {DOUBTFUL}",
    ]
    monkeypatch.delenv("FLYWHEEL_LOG_REDACT_KEY")
    assert f"! 2 {DOUBTFUL}\n" in command("forget", "--user", "ada@example.com").out
    assert left(log) == ["r-1", "r-3"]


DOUBTFUL = "records have [email] as their user, or a pseudonym whose key is not known: nobody can tell whose they are"


def test_a_mask_cannot_be_told_from_others_and_is_only_said_where_it_may_be_one(command: Command, tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_bytes(lines(record(1, "[email]"), record(2, "[phone]"), record(3, "[email:0123456789ab]")))
    assert f"! 2 {DOUBTFUL}\n" in command("forget", "--user", "ada@example.com").out
    assert "nobody can tell" not in command("forget", "--user", "u42").out
    assert left(log) == ["r-1", "r-2", "r-3"]


def test_records_of_others_that_name_the_user_are_said(command: Command, tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_bytes(lines(record(1, "u1", metadata={"shared_with": "u42"}), record(2, "u42")))
    out = command("forget", "--user", "u42").out
    assert "! 1 records of others have 'u42' as a value (r-1); look at them with `show`\n" in out
    assert left(log) == ["r-1"]


def test_sinks_out_of_reach_are_said(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", "stdout:,file:genai.log")
    (tmp_path / "genai.log").touch()
    assert "! what went to stdout: is out of reach\n" in command("forget", "--user", "u42").out


def test_wrong_usage_and_unreachable_places_change_nothing(command: Command, tmp_path: Path):
    log = tmp_path / "genai.log"
    log.write_bytes(lines(record(1, "u42")))
    ran = command("forget", "--user", "")
    assert (ran.code, "the user is ''; pass the user id as the records have it" in " ".join(ran.err.split())) == (
        2,
        True,
    )
    assert command("forget").code == 2
    assert command("forget", "--user", "u42", "none.log").code == 1
    ran = command("forget", "--user", "u42", log, "elasticsearch://127.0.0.1:9/i")
    assert (ran.code, ran.err) == (
        1,
        "flywheel-log: Elasticsearch at http://127.0.0.1:9 does not answer: unreachable\n",
    )
    assert left(log) == ["r-1"]
