"""`compare`: two versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import CHAT, Ran

Command = Callable[..., Ran]


@pytest.fixture
def versions(log: Path) -> Path:
    """Sixty calls of two versions in two hours; the second, later one is slower and fails every other time."""
    with log.open("w") as file:
        for number in range(60):
            version = number // 30 + 1
            event = {
                **CHAT,
                "id": f"r-{number}",
                "timestamp": f"2026-01-31T1{version}:{number % 30:02}:00.000Z",
                "prompt": {"name": "p", "version": str(version)},
                "latency_ms": 100.0 * version + number % 2,
                "status": "error" if version == 2 and number % 4 < 2 else "ok",
            }
            file.write(json.dumps(event) + "\n")
    return log


def rows(ran: Ran) -> list[str]:
    return [" ".join(line.split()) for line in ran.out.splitlines()]


def test_versions_stand_side_by_side(command: Command, versions: Path):
    shown = rows(command("compare", "1", "2", "--log", versions))
    assert (shown[0], shown[1], shown[-1]) == (
        "prompt.version 1 (30) 2 (30) change p",
        "error rate 0.0% [0.0%, 11.4%] 46.7% [30.2%, 63.9%] +46.7pp <0.001 *",
        "first token ms 310ms [310ms, 310ms] 310ms [310ms, 310ms] +0.0% 1.000",
    )


def test_the_only_two_values_need_no_names(command: Command, versions: Path):
    assert command("compare", "--log", versions) == command("compare", "1", "2", "--log", versions)


@pytest.mark.parametrize("more", [[], ["1", "2"], ["--over", "time"], ["--replay", "last"]])
def test_a_log_in_the_place_of_a_value_is_a_mistake(command: Command, versions: Path, more: list[str]):
    ran = command("compare", versions, *more)
    assert (ran.code, ran.out) == (2, "")
    assert f"{versions.name} is a file; name a log with --log" in " ".join(ran.err.split())


def test_a_value_may_be_called_as_a_file_is(command: Command, versions: Path):
    (versions.parent / "1").touch()
    assert command("compare", "1", "2", "--log", versions).code == 0


@pytest.mark.parametrize("other", [["--over", "time"], ["--replay", "last"]])
def test_no_values_are_named_where_others_are_compared(command: Command, versions: Path, other: list[str]):
    ran = command("compare", "1", "2", *other, "--log", versions)
    assert (ran.code, ran.out) == (2, "")
    assert "'1' is not compared with --over and --replay; leave it out" in ran.err


def test_calls_of_one_period_cannot_be_compared_over_time(command: Command, versions: Path):
    versions.write_text(versions.read_text().splitlines()[0])
    assert command("compare", "--over", "time", "--log", versions) == Ran(
        0, "", "flywheel-log: all calls are in one minute: nothing to compare\n"
    )


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--over", "time", "--by", "model"], "--by and --over"),
        (["--over", "time", "--replay", "last"], "--over and --replay"),
        (["--by", "model", "--replay", "last"], "--by and --replay"),
        (["--scale-up", "--replay", "last"], "--replay and --scale-up"),
    ],
)
def test_one_way_to_compare_is_named(command: Command, versions: Path, options: list[str], named: str):
    ran = command("compare", *options, "--log", versions)
    assert (ran.code, ran.out, f"{named} cannot be combined" in ran.err) == (2, "", True)


def test_a_narrow_terminal_gets_the_figures_whole_without_their_intervals(
    command: Command, versions: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "70")
    lines = command("compare", "--by", "prompt.version", "--log", versions).out.splitlines()
    assert [line for line in lines if "…" in line or "[" in line or len(line) > 70] == []
    assert lines[0].split() == ["prompt.version", "1", "(30)", "2", "(30)", "change", "p"]


def test_json_lines_have_values_intervals_and_chances(command: Command, versions: Path):
    first, *measures = map(json.loads, command("compare", "2", "1", "--json", "--log", versions).out.splitlines())
    assert first == {"a": "2", "b": "1", "calls_a": 30, "calls_b": 30}
    latency = next(one for one in measures if one["measure"] == "latency_ms")
    assert (latency["a"]["of"], latency["b"]["value"], latency["differs"]) == (16, 100.5, True)


def test_drift_compares_the_halves_of_the_time(command: Command, versions: Path):
    shown = rows(command("compare", "--over", "time", "--log", versions))
    assert shown[0] == "earlier (30) later (30) change p by 5 minutes"
    assert shown[1].endswith("0.0% 46.7% +46.7pp <0.001 * ▁▁▁▁▁▁ ▆▆██▆▆")
    lines = command("compare", "--over", "time", "--json", "--log", versions).out.splitlines()
    assert [json.loads(line)["period"] for line in lines[1:2]] == ["5 minutes"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["1"], "compare needs two values of prompt.version; the log has 1 (30), 2 (30)"),
        (["1", "3"], "no call has the prompt.version 3; the log has 1 (30), 2 (30)"),
        (["--by", "model"], "compare needs two values of model; the log has gpt-4.1-mini (60)"),
        (["--model", "x"], "none of the calls in LOG match model=x"),
        (["--over", "time", "--model", "x"], "none of the calls in LOG match model=x"),
    ],
)
def test_a_problem_names_what_there_is(command: Command, versions: Path, arguments: list[str], said: str):
    assert command("compare", *arguments, "--log", versions) == Ran(
        1, "", f"flywheel-log: {said.replace('LOG', str(versions))}\n"
    )


def test_an_unknown_field_is_two(command: Command, versions: Path):
    assert command("compare", "--by", "modle", "--log", versions).code == 2


def test_samples_are_scaled_up_where_one_asks_for_it(command: Command, versions: Path):
    kept = [json.loads(line) | {"sample_rate": 0.5} for line in versions.read_text().splitlines()]
    versions.write_text("".join(json.dumps(event) + "\n" for event in kept))
    code, out, err = command("compare", "1", "2", "--scale-up", "--json", "--log", versions)
    first, error, *_ = map(json.loads, out.splitlines())
    assert (code, first) == (0, {"a": "1", "b": "2", "calls_a": 60, "calls_b": 60})
    assert (error["b"]["value"], error["b"]["of"], error["b"]["effective"]) == (28 / 60, 60, 30)
    assert err == "flywheel-log: these are estimates: 60 recorded calls stand for 120, by their sample_rate\n"
    assert "is a sample" in command("compare", "--over", "time", "--log", versions).err
