"""DuckDB counts as the reader in Python does, or leaves it to that."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_log.event import to_document
from flywheel_log.loop import quick
from flywheel_log.loop.filter import Filter
from flywheel_log.loop.reading import progress
from flywheel_log.loop.reading.read import read
from flywheel_log.loop.stats import Row, Stats, summarise


def event(number: int, **fields: Any) -> dict[str, Any]:
    at = f"2026-01-{1 + number // 86400:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"
    return {"id": f"r-{number}", "timestamp": at, "kind": "llm", "status": "ok", **fields}


def varied(count: int) -> list[dict[str, Any]]:
    """Events with groups of few and of many calls, with nulls, booleans and what is missing."""
    dice = random.Random(5)
    kinds = ["llm"] * 8 + ["embedding", "step"]
    return [
        event(
            number * 60,
            kind=dice.choice(kinds),
            workload_id=dice.choice(["common"] * 9 + ["rare", 'quo"ted', "ünï\n", None]),
            model=dice.choice(["a", "b"]),
            status=dice.choice(["ok", "error", "incomplete", None]),
            input_tokens=dice.choice([dice.randrange(9999), None, 0]),
            output_tokens=dice.randrange(9),
            cost_usd=dice.choice([None, 0, dice.random()]),
            latency_ms=dice.choice([dice.lognormvariate(6, 2), 0, 5, None, -1.0]),
            prompt=dice.choice([{"version": 2}, {"version": "2"}, {"version": None}, {}, None]),
            request=dice.choice([{"messages": []}, None]),
            response={"choices": []},
            tags=["a"],
            sample_rate=dice.choice([None, 1.0, 0.5, 0.125, 0, -1]),
        )
        for number in range(count)
    ]


def written(path: Path, *events: Any) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in events))
    return path


def seen(stats: Stats | None) -> list[Any]:
    assert stats is not None
    return [stats.by, *map(figures, [*stats.rows, stats.total])]


def figures(row: Row) -> Any:
    counted = {name: value for name, value in vars(row).items() if name not in ("latency", "first_token", "cost_usd")}
    quantiles = [sketch.quantile(share) for sketch in (row.latency, row.first_token) for share in (0.01, 0.5, 0.95, 1)]
    return counted, quantiles, row.cost_usd and round(row.cost_usd, 9)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(
    "by", [["workload_id", "model"], [], ["prompt.version"], ["day", "hour"], ["kind"], ["user_id", "model", "status"]]
)
def test_the_figures_are_the_same(tmp_path: Path, by: list[str], scaled: bool):
    path = written(tmp_path / "genai.log", *varied(3000))
    assert seen(quick.summarise([path], by, scaled=scaled)) == seen(summarise(read(path), by, scaled=scaled))


def test_several_files_are_one_log(tmp_path: Path):
    events = varied(40)
    paths = [written(tmp_path / "a.log", *events[:9]), written(tmp_path / "b'.log", *events[9:])]
    assert seen(quick.summarise(paths, ["model"])) == seen(summarise(events, ["model"]))


SOUND = event(1, model="m", latency_ms=5.0)


@pytest.mark.parametrize(
    "odd",
    [
        "{torn",
        "[1]",
        "7",
        '{"timestamp": "2026-01-31T10:00:00Z"}',
        json.dumps(to_document(event(2, request={}, response={}, client_id="c", workload_id="w"))),  # type: ignore[arg-type]
        json.dumps({"timestamp": "2026-01-31T10:00:00Z", "prompt": "Why?", "response": "So."}),
        json.dumps(event(2, latency_ms=float("nan"))),
        json.dumps(event(2, latency_ms="7")),
        json.dumps(event(2, sample_rate="0.5")),
        json.dumps(event(2, input_tokens="7")),
        json.dumps(event(2, input_tokens=float("inf"))),
        json.dumps(event(2, model=7)),
        json.dumps(event(2, model=True)),
        json.dumps(event(2, model={"a": 1})),
        json.dumps(event(2, model=["a"])),
        json.dumps(event(2, model=-1.5e3)),
        json.dumps(event(2, id=1)),
        json.dumps(event(2, latency_ms=True)),
        json.dumps(event(2, request="no", response={})),
        json.dumps(event(2, request={}, response=[1])),
        json.dumps(event(2, error="no")),
        json.dumps(event(2, tags="no")),
        json.dumps(event(2, user_id=1.5)),
        json.dumps(event(2, user_id=["a", "b"])),
        json.dumps(event(2, kind=None)),
        json.dumps(event(2, model="\ud800")),
    ],
)
def test_a_log_with_any_other_line_is_left_to_the_reader(tmp_path: Path, odd: str):
    path = tmp_path / "genai.log"
    path.write_text(json.dumps(SOUND) + "\n" + odd + "\n")
    assert quick.summarise([path], ["model", "user_id"]) is None


def test_a_log_without_calls_has_no_rows(tmp_path: Path):
    path = written(tmp_path / "genai.log", event(1, kind="step"))
    assert seen(quick.summarise([path], ["model"])) == seen(summarise([], ["model"]))


def test_an_unknown_field_is_a_mistake(tmp_path: Path):
    with pytest.raises(ValueError, match="field 'modle' is unknown"):
        quick.summarise([written(tmp_path / "genai.log", SOUND)], ["modle"])


def test_it_is_installed_for_the_tests():
    assert quick.available()


def test_what_is_no_number_is_in_no_percentile(tmp_path: Path):
    events = [event(number, latency_ms=None if number % 3 else 50.0 + number) for number in range(2000)]
    path = written(tmp_path / "genai.log", *events)
    assert seen(quick.summarise([path], [])) == seen(summarise(read(path), []))


MOMENT = datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "chosen",
    [
        Filter(where={"workload_id": ("common", "rare")}),
        Filter(where={"workload_id": ("",), "model": ("a",)}),
        Filter(where={"workload_id": ('*"*', "\u00fc?\u00ef*")}),
        Filter(where={"prompt.version": ("2",)}),
        Filter(where={"day": ("2026-01-02",), "status": ("e*",)}),
        Filter(where={"response.model": ("",)}),
        Filter(since=MOMENT + timedelta(hours=7), until=MOMENT + timedelta(days=1)),
    ],
)
def test_what_is_chosen_is_the_same(tmp_path: Path, chosen: Filter):
    path = written(tmp_path / "genai.log", *varied(3000))
    quickly = seen(quick.summarise([path], ["model"], chosen=chosen))
    assert quickly == seen(summarise(chosen.select(read(path)), ["model"]))
    assert quickly[-1][0]["recorded"] > 0


@pytest.mark.parametrize(
    "chosen",
    [Filter(text="order"), Filter(feedback="bad"), Filter(where={"quality.label": ("late",)})],
    ids=["text", "feedback", "joined"],
)
def test_what_only_the_reader_can_tell_is_left_to_it(tmp_path: Path, chosen: Filter):
    assert quick.summarise([written(tmp_path / "genai.log", SOUND)], [], chosen=chosen) is None


TEXTS = st.sampled_from(
    ["a", "A", "ab", "a*b", "100%", "a_b", "\u00fc", "\\", '"', "[a]", "null", "true", "7", "", "a\nb"]
)
VALUES = TEXTS | st.sampled_from([None, 7, 0, -3, 2**53, True])
ODD = st.sampled_from([1.5, ["a"], {"b": 1}, 10**25, -0.0])
MOMENTS = st.integers(-5, 4500).map(lambda ms: MOMENT + timedelta(milliseconds=ms - 2000))
TIMES = MOMENTS.map(lambda time: time.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
LINES = st.fixed_dictionaries(
    {"timestamp": TIMES, "kind": st.sampled_from(["llm", "llm", "embedding", "step"]), "latency_ms": st.floats(0, 1e9)},
    optional={
        "model": TEXTS | st.none(),
        "user_id": VALUES | ODD,
        "metadata": st.none() | st.fixed_dictionaries({}, optional={"tenant": VALUES | ODD}),
        "request": st.none() | st.fixed_dictionaries({}, optional={"seed": VALUES}),
        "output_tokens": st.integers(0, 10**6) | st.none(),
        "sample_rate": st.sampled_from([None, 1, 0.5, 0.1]),
    },
)
OTHERS = st.sampled_from(
    [{"timestamp": "2026-01-01"}, {"kind": 7}, {"timestamp": "2026-02-31T00:00:00.000Z"}, {"request": "no"}, {"id": 1}]
)
PATTERNS = st.sampled_from(["*", "a*", "?", "*[a]*", "*%*", "*_*", "\\*", "True", "*u*", "*\n*", "9007199254740992"])
WANTED = st.lists(TEXTS | PATTERNS | st.just("-3"), min_size=1, max_size=3).map(tuple)
FIELDS = st.sampled_from(["model", "user_id", "metadata.tenant", "request.seed", "kind", "minute", "timestamp"])
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])
MICROSECONDS = st.integers(0, 999).map(lambda count: timedelta(microseconds=count))
LIMITS = st.none() | st.builds(lambda time, more, zone: (time + more).astimezone(zone), MOMENTS, MICROSECONDS, ZONES)
CHOSEN = st.builds(Filter, LIMITS, LIMITS, st.dictionaries(FIELDS, WANTED, max_size=2))


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, max_size=12), st.lists(OTHERS, max_size=1), CHOSEN, st.booleans())
def test_the_two_readers_agree_or_one_leaves_it_to_the_other(
    lines: list[Mapping[str, Any]], others: list[Mapping[str, Any]], chosen: Filter, scaled: bool
):
    """DuckDB never says anything else; where its values and times are those we write, it says something."""
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder, "genai.log"), *lines, *({**event(1), **other} for other in others))
        quickly = quick.summarise([path], ["model"], chosen=chosen, scaled=scaled)
        if quickly is not None:
            assert seen(quickly) == seen(summarise(chosen.select(read(path)), ["model"], scaled=scaled))
        elif not others:
            assert any(_is_odd(line) for line in lines)


def _is_odd(line: Mapping[str, Any]) -> bool:
    """Say whether a value is none of those in events, or a text that looks like one."""
    values = [line.get("user_id"), (line.get("metadata") or {}).get("tenant")]
    others = any(isinstance(value, (float, list, dict)) or (type(value) is int and value > 2**63) for value in values)
    return others or line.get("model") in ("true", "7", "[a]")


def test_of_a_large_log_a_sample_tells_whose_lines_they_are(tmp_path: Path):
    """What is in no figure is not read in every line; lines of another logger are many, and so are found."""
    ours, others = [event(number) for number in range(1000)], [event(number, tags="no") for number in range(200)]
    assert quick.summarise([written(tmp_path / "ours.log", *ours)], []) is not None
    assert quick.summarise([written(tmp_path / "both.log", *ours, *others)], []) is None


def test_ctrl_c_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Impatient:
        left = 0

        def begin(self, total: int, unit: str) -> None:
            self.left = 1  # before, lines are looked at, and afterwards Python would notice the signal

        def advance(self, count: int) -> None:
            if self.left:
                self.left = 0
                os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(progress, "_POLL_S", 0.05)
    path = written(tmp_path / "genai.log", *varied(3000) * 20)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with progress.told_to(Impatient()), pytest.raises(KeyboardInterrupt):
            quick.summarise([path] * 20, ["model"])
    finally:
        signal.signal(signal.SIGINT, before)
