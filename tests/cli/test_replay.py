"""`replay`, by the real client against a real server, and `compare --replay`."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flywheel_log import standin
from flywheel_log.loop.reading.read import read
from flywheel_log.standin.errors import error

from .conftest import Ran

Command = Callable[..., Ran]
COUNT = 6
SYSTEM = "You are a helpful assistant."


def original(number: int) -> dict[str, Any]:
    question = {"role": "user", "content": f"Question {number}?"}
    answer = {"role": "assistant", "content": f"Answer {number}."}
    return {
        "id": f"r-{number}",
        "timestamp": f"2026-01-31T10:00:{number % 60:02}.000Z",
        "kind": "llm",
        "client_id": "shop",
        "workload_id": "support",
        "surface": "chat.completions",
        "provider": "openai",
        "status": "ok",
        "model": "old",
        "request": {"model": "old", "messages": [{"role": "system", "content": SYSTEM}, question]},
        "response": {"choices": [{"index": 0, "message": answer, "finish_reason": "stop"}]},
        "input_tokens": 20,
        "output_tokens": 4,
        "latency_ms": 900.0,
    }


def written(path: Path, events: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


@pytest.fixture
def genai(tmp_path: Path) -> Path:
    return written(tmp_path / "genai.log", [original(number) for number in range(COUNT)])


@pytest.fixture
def server(openai_environment: standin.Server, monkeypatch: pytest.MonkeyPatch) -> standin.Server:
    monkeypatch.setenv("FLYWHEEL_LOG_PRICES", '{"new": {"input": 1.0, "output": 10.0}}')
    return openai_environment


def lines(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.out.splitlines()]


@pytest.mark.usefixtures("genai")
def test_a_dry_run_says_what_and_for_how_much_and_sends_nothing(command: Command, server: standin.Server):
    before = Path("genai.log").read_bytes()
    (said,) = lines(command("replay", "--model", "new", "--dry-run", "--json"))
    assert said == {
        "run": said["run"],
        "server": f"{server.url}/",
        "dry_run": True,
        "calls": COUNT,
        "send": COUNT,
        "answered_before": 0,
        "refused_before": 0,
        "not_in_sample": 0,
        "left_out": {},
        "input_tokens": 20 * COUNT,
        "output_tokens": 4 * COUNT,
        "cost_usd": pytest.approx((20 * 1.0 + 4 * 10.0) * COUNT / 1e6),
        "priced": COUNT,
        "answers_of_unknown_length": 0,
    }
    assert (server.requests, Path("genai.log").read_bytes()) == ([], before)


@pytest.mark.usefixtures("server")
def test_the_forecast_of_failed_calls_says_what_is_not_in_it(command: Command, tmp_path: Path):
    failed = [original(number) | {"status": "error", "response": {"error": {}}} for number in range(2)]
    ran = command("replay", "--model", "new", "--dry-run", written(tmp_path / "genai.log", failed))
    assert "forecast: 40 tokens in, 0 out, $0.00004, without 2 answers of unknown length" in ran.out.splitlines()


def test_a_dry_run_needs_no_key(command: Command, genai: Path):
    ran = command("replay", "--model", "new", "--dry-run", genai)
    assert ran.code == 0
    assert f"{COUNT} of {COUNT} calls to https://api.openai.com/v1/" in ran.out
    ran = command("replay", "--model", "new", "--yes", genai)
    missing = "flywheel-log: there is no API key; set OPENAI_API_KEY, or see the plan with --dry-run\n"
    assert (ran.code, ran.out, ran.err) == (1, "", missing)


def test_where_there_is_nothing_to_send_no_key_is_missed(command: Command, genai: Path):
    assert command("replay", "--model", "new", "--workload", "x", genai).err == (
        f"flywheel-log: none of the calls in {genai} match workload_id=x\n"
    )
    Path("empty.log").touch()
    assert command("replay", "--model", "new", "empty.log").err == "flywheel-log: no calls in empty.log yet\n"


def test_nothing_is_sent_that_nobody_has_agreed_to(command: Command, genai: Path, server: standin.Server):
    said = "flywheel-log: there is no terminal to ask in, so nothing was sent; pass --yes to send\n"
    for options in ((), ("--json",)):
        ran = command("replay", "--model", "new", genai, *options)
        assert (ran.code, ran.err) == (1, said)
    assert command("replay", "--yes", genai).code == 2
    assert server.requests == []


def test_a_run_is_sent_once_recorded_and_compared(command: Command, genai: Path, server: standin.Server):
    ran = command("replay", "--model", "new", "--run", "try", "--yes", genai)
    assert ran == Ran(
        0,
        f"run try: {COUNT} of {COUNT} calls to {server.url}/\n"
        "forecast: 120 tokens in, 24 out, $0.00036\n"
        f"{COUNT} answered, 0 failed\n"
        f"compare old and new: flywheel-log compare --replay try --log {shlex.quote(str(genai))}\n",
        "",
    )
    news = [event for event in read(genai) if event["workload_id"] == "support.replay"]
    assert sorted(event["metadata"]["replay"]["of"] for event in news) == [f"r-{number}" for number in range(COUNT)]
    assert {(event["client_id"], event["model"], event["cost_usd"] > 0) for event in news} == {("shop", "new", True)}
    again = command("replay", "--model", "new", "--run", "try", "--yes", genai)
    assert again.out.splitlines()[1:-1] == [f"  {COUNT:>8}  answered in this run before", "forecast: nothing to send"]
    assert len(server.requests) == COUNT
    first, *measures = lines(command("compare", "--replay", "last", "--json", "--log", genai))
    assert first == {"a": "old", "b": "new", "calls_a": COUNT, "calls_b": COUNT}
    by_name = {one["measure"]: one for one in measures}
    assert (by_name["latency_ms"]["a"]["value"], by_name["exact_match"]["value"]) == (900.0, 0.0)


def test_the_comparison_of_a_run_is_a_table(command: Command, genai: Path, tmp_path: Path):
    faster = [original(number) | {"id": f"n-{number}", "latency_ms": 100.0} for number in range(COUNT)]
    new = [event | {"metadata": {"replay": {"of": f"r-{n}", "run": "try"}}} for n, event in enumerate(faster)]
    other = written(tmp_path / "new.log", new)
    ran = command("compare", "--replay", "try", "--log", genai, "--log", other)
    rows = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert rows[0] == "old (6) new (6) change p"
    assert "latency ms 900ms [900ms, 900ms] 100ms [100ms, 100ms] -88.9% 0.031 *" in rows
    assert rows[-3:] == [
        "exact match 100% [61%, 100%] of 6 pairs",
        "normalised match 100% [61%, 100%] of 6 pairs",
        "similarity 100% [100%, 100%] of 6 pairs",
    ]
    assert command("compare", "--replay", "try", "--log", other).err == (
        "flywheel-log: none of the 6 originals of try is in the log; name theirs with --log as well\n"
    )
    assert command("compare", "--replay", "tri", "--log", other).err == (
        "flywheel-log: no call belongs to the run tri; the log has try (6)\n"
    )
    assert command("compare", "--replay", "last", "--log", genai).err == f"flywheel-log: no replays in {genai} yet\n"


def test_a_new_prompt_is_sent_and_stamped(command: Command, genai: Path, server: standin.Server):
    Path("kind-2.txt").write_text("Be kind.\n")
    ran = command("replay", "--prompt", "kind-2.txt", "--yes", "--sample", "2", "--into", "file:new.log", genai)
    assert ran.code == 0
    assert f"  {COUNT - 2:>8}  not in the sample" in ran.out.splitlines()
    assert [received.json()["messages"][0] for received in server.requests] == [
        {"role": "system", "content": "Be kind."}
    ] * 2
    assert [event["prompt"]["version"] for event in read("new.log")] == ["kind-2"] * 2


def test_the_log_is_filtered_before_it_is_sent(command: Command, genai: Path, server: standin.Server):
    command("replay", "--model", "new", "--text", "question [12]", "--where", "model=old", "--yes", genai)
    asked = sorted(received.json()["messages"][1]["content"] for received in server.requests)
    assert asked == ["Question 1?", "Question 2?"]


def longest(received: standin.Received) -> standin.Reply | None:
    """Judge by length, as some do; the model `new` answers at length."""
    body = received.json()
    if body["model"] != "judge":
        return standin.say(received, "A long answer." if body["messages"][1]["content"] != "Question 1?" else "No.")
    first, second = re.findall(r"<(?:first|second)>\n(.*?)\n</", body["messages"][1]["content"], re.DOTALL)
    return standin.say(received, "FIRST" if len(first) > len(second) else "Second.")


def test_a_model_judges_without_knowing_which_is_new(command: Command, genai: Path, monkeypatch: pytest.MonkeyPatch):
    with standin.serve(longest) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "stand-in")
        options = ("replay", "--model", "new", "--run", "try", "--judge", "judge", "--yes", "--json", genai)
        said = lines(command(*options))
        again = lines(command(*options))
        assert len(server.requests) == 2 * COUNT
    assert [(one["run"], one.get("judge"), one.get("send"), one.get("answered")) for one in said] == [
        ("try", None, COUNT, None),
        ("try", None, None, COUNT),
        ("try", "judge", COUNT, None),
        ("try", "judge", None, COUNT),
    ]
    assert [one["answered_before"] for one in again] == [COUNT, COUNT]
    ran = command("compare", "--replay", "try", "--log", genai)
    assert f"judged better     new {COUNT - 1}, old 1, neither 0 (p 0.219)" in ran.out.splitlines()
    (judged,) = [one for one in lines(command("compare", "--replay", "try", "--json", "--log", genai)) if "tie" in one]
    assert judged == {"measure": "judged", "new": COUNT - 1, "old": 1, "tie": 0, "unreadable": 0, "p": 0.21875}


def test_skipped_lines_are_told_once(command: Command, genai: Path, monkeypatch: pytest.MonkeyPatch):
    genai.write_text("no record\n" + genai.read_text())
    once = ["flywheel-log: skipped 1 line that is not a record"]
    with standin.serve(longest) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "stand-in")
        options = ("--run", "try", "--judge", "judge", "--yes", genai)
        assert command("replay", "--model", "new", *options).err.splitlines() == once
    said = command("compare", "--replay", "try", "--log", genai).err.splitlines()
    assert [line for line in said if "similarity" not in line] == once


@pytest.mark.usefixtures("server")
def test_a_log_that_was_just_rotated_takes_the_answers(command: Command, genai: Path):
    assert command("rotate", genai).code == 0
    assert command("replay", "--model", "new", "--yes", genai).code == 0
    assert [event["model"] for event in read(genai)] == ["old"] * COUNT + ["new"] * COUNT


def test_skipped_lines_are_told_where_there_are_no_calls(command: Command, genai: Path):
    genai.write_text("no record\n")
    ran = command("replay", "--model", "new", genai)
    assert ran == Ran(
        1, "", f"flywheel-log: skipped 1 line that is not a record\nflywheel-log: no calls in {genai} yet\n"
    )


def test_standard_input_cannot_be_read_twice(command: Command, tmp_path: Path):
    ran = command("replay", "--model", "new", "--into", f"file:{tmp_path}/new.log", "--yes", "-")
    assert (ran.code, ran.out) == (2, "")
    assert "this is read more than once, and standard input but once; name a file" in " ".join(ran.err.split())


def failing(received: standin.Received) -> standin.Reply:
    """Answer the first two questions alone, ever; judge one of them by no word."""
    body = received.json()
    if body["model"] == "judge":
        return standin.say(received, "It depends." if "Question 0?" in body["messages"][1]["content"] else "TIE")
    asked = body["messages"][1]["content"]
    return standin.say(received, "Yes.") if asked in ("Question 0?", "Question 1?") else error(404)


def test_what_was_answered_before_is_judged_though_nothing_is_answered_now_and_once(
    command: Command, genai: Path, monkeypatch: pytest.MonkeyPatch
):
    with standin.serve(failing) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "stand-in")
        options = ("replay", "--model", "new", "--run", "try", "--yes", genai, "--concurrency", "1")
        command(*options)
        asked, codes = [], []
        for more in ((), (), ("--refused",)):
            before = len(server.requests)
            codes.append(command(*options, "--judge", "judge", *more).code)
            asked.append(Counter(received.json()["model"] for received in server.requests[before:]))
    assert (asked, codes) == ([{"new": 4, "judge": 2}, {"new": 4}, {"new": 4, "judge": 1}], [1, 1, 1])
    said = command("compare", "--replay", "try", "--log", genai).out.splitlines()
    assert "judged better     new 0, old 0, neither 1 (p 1.000); 1 verdict cannot be read" in said


def picky(received: standin.Received) -> standin.Reply:
    """Take the first two questions alone, and judge no answer."""
    body = received.json()
    if body["model"] == "judge":
        return error(422)
    asked = body["messages"][1]["content"]
    return standin.say(received, "Yes.") if asked in ("Question 0?", "Question 1?") else error(400)


def test_what_was_refused_is_asked_again_only_on_demand(command: Command, genai: Path, monkeypatch: pytest.MonkeyPatch):
    with standin.serve(picky) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "stand-in")
        options = ("replay", "--model", "new", "--run", "try", "--judge", "judge", "--concurrency", "1", "--yes", genai)
        asked, said = [], []
        for more in ((), (), ("--refused",)):
            before = len(server.requests)
            said += [command(*options, *more).out.splitlines()]
            asked.append(Counter(received.json()["model"] for received in server.requests[before:]))
    assert asked == [{"new": COUNT, "judge": 2}, {}, {"new": COUNT - 2, "judge": 2}]
    line = "refused in this run before; --refused sends them again"
    told = [[int(one.split()[0]) for one in some if one.endswith(line)] for some in said]
    assert told == [[], [COUNT - 2, 2], []]


def test_another_server_is_named(command: Command, genai: Path, server: standin.Server):
    with standin.serve() as other:
        assert command("replay", "--base-url", other.url, "--yes", genai).code == 0
        assert (len(other.requests), len(server.requests)) == (COUNT, 0)


def test_colours_in_a_pipe_bring_no_bar_there(
    command: Command, genai: Path, server: standin.Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert command("replay", "--model", "new", "--yes", genai).err == ""
    assert len(server.requests) == COUNT


def test_a_person_is_asked(genai: Path, server: standin.Server):
    """In a terminal the forecast is shown, and a no sends nothing."""
    pty = pytest.importorskip("pty")
    here, there = pty.openpty()
    program = [sys.executable, "-m", "flywheel_log", "replay", "--model", "new", str(genai)]
    with subprocess.Popen(program, stdin=there, stdout=there, stderr=there) as running:
        os.close(there)
        said = b""
        while b"Send them?" not in said:
            said += os.read(here, 1000)
        os.write(here, b"n\n")
        assert running.wait(60) == 130
    os.close(here)
    assert b"forecast: 120 tokens in" in said
    assert server.requests == []


@pytest.mark.usefixtures("genai")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--model", "new", "--workload", "x"], 1, "none of the calls in genai.log match workload_id=x"),
        (["--model", "new", "--template", "support"], 2, "name one with --prompt"),
        (["--model", "new", "--role", "user"], 2, "name one with --prompt"),
        (["--prompt", "bad.txt", "--template", "support"], 2, "bad.txt"),
        (["--prompt", "none.txt"], 1, "none.txt"),
        (["--model", "new", "--into", "stdout:"], 1, "stdout: cannot be read back, and a replay must read its answers"),
        (["--model", "new", "other.log"], 1, "name a log for them with --into file:replay.log"),
        (["--model", "new", "missing.log"], 1, "missing.log does not exist"),
    ],
)
def test_a_mistake_is_said_before_anything_is_sent(
    command: Command, server: standin.Server, arguments: list[str], code: int, said: str
):
    Path("bad.txt").write_text("{")
    Path("other.log").write_text("")
    ran = command("replay", "--yes", "genai.log", *arguments)
    assert (ran.code, said in ran.err) == (code, True)
    assert server.requests == []


def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What was answered is not sent again, but for the requests on their way when it was killed, two at most."""
    count, concurrency = 40, 2
    log = written(tmp_path / "genai.log", [original(number) for number in range(count)])
    held = threading.Event()

    def script(received: standin.Received) -> None:
        if received.number > 15:
            held.wait(60)

    with standin.serve(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "stand-in")
        program = [
            sys.executable,
            "-m",
            "flywheel_log",
            "replay",
            "--model",
            "new",
            "--yes",
            "--concurrency",
            "2",
            str(log),
        ]
        with subprocess.Popen(program, stdout=subprocess.DEVNULL) as running:
            server.wait_for(17, 60)
            running.send_signal(signal.SIGKILL)
        held.set()
        done = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True)
        asked = Counter(received.json()["messages"][1]["content"] for received in server.requests)
    assert set(asked) == {f"Question {number}?" for number in range(count)}
    assert 0 < sum(times - 1 for times in asked.values()) <= concurrency
    assert max(asked.values()) == 2
    assert "      15  answered in this run before" in done.stdout
    answered = Counter(event["metadata"]["replay"]["of"] for event in read(log) if "metadata" in event)
    assert answered == dict.fromkeys((f"r-{number}" for number in range(count)), 1)
