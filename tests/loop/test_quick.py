"""DuckDB counts as the reader in Python does, or leaves it to that."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from flywheel_log.event import to_document
from flywheel_log.loop import quick
from flywheel_log.loop.read import read
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
        json.dumps(event(2, input_tokens=1.5)),
        json.dumps(event(2, model=7)),
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
