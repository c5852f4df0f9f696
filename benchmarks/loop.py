"""What reading a large log back takes: `stats` beside the same aggregates by DuckDB alone, in one run on one file.

    python benchmarks/loop.py --records 1000000

Each contender is a process of its own, from its start to its end, and they take turns; the fastest round counts.
Bars: `stats` takes no more than 1.5 times what DuckDB takes, and less than 500 MB of memory.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

RATIO, MEMORY_MB = 1.5, 500
SIZE = 2000
WORDS = ("where", "when", "does", "the", "parcel", "order", "train", "leave", "tomorrow", "seven", "blue", "to", "of")

COLUMNS = {
    **dict.fromkeys(("workload_id", "model", "kind", "status", "timestamp"), "VARCHAR"),
    **dict.fromkeys(("input_tokens", "output_tokens", "cached_tokens"), "BIGINT"),
    **dict.fromkeys(("cost_usd", "latency_ms", "time_to_first_token_ms"), "DOUBLE"),
}
QUERY = """
    SELECT workload_id, model, count(*), count(*) FILTER (status = 'error'), count(*) FILTER (status = 'incomplete'),
        sum(input_tokens), sum(output_tokens), sum(cached_tokens), count(cost_usd), sum(cost_usd),
        approx_quantile(latency_ms, [0.5, 0.95]), approx_quantile(time_to_first_token_ms, [0.5, 0.95]),
        min(timestamp), max(timestamp)
    FROM read_json(?, format = 'newline_delimited', {columns})
    WHERE kind IN ('llm', 'embedding', 'moderation') GROUP BY ALL ORDER BY 3 DESC
"""
PROGRAM = "import duckdb, sys; print(duckdb.execute(sys.argv[1], [sys.argv[2]]).fetchall())"
TOLD = QUERY.format(columns=f"columns = {COLUMNS}")
DETECTED = QUERY.format(columns="auto_detect = true")


class Cost(NamedTuple):
    """What a process took."""

    seconds: float
    megabytes: float


def events(count: int) -> Iterator[dict[str, Any]]:
    """Calls of a few workloads and models, of two kilobytes each; a few fail, a few were rated."""
    dice = random.Random(1)
    for number in range(count):
        second = number // 20
        at = f"2026-01-{1 + second // 86400:02}T{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}.000Z"
        common = {"id": f"run-{number}", "timestamp": at, "client_id": "shop"}
        if number % 200 == 199:
            yield common | {"kind": "feedback", "target": f"run-{number - 100}", "quality": {"thumbs": "up"}}
            continue
        failed = dice.random() < 0.02
        text = " ".join(dice.choices(WORDS, k=SIZE // 7))
        call = common | {
            "kind": "llm",
            "workload_id": dice.choice(["support", "search", "translate", "summary"]),
            "surface": "chat.completions",
            "provider": "openai",
            "status": "error" if failed else "ok",
            "model": dice.choice(["gpt-4.1", "gpt-4.1-mini", "o4-mini"]),
            "input_tokens": dice.randrange(100, 2000),
            "output_tokens": dice.randrange(5, 500),
            "cached_tokens": 0,
            "cost_usd": round(dice.random() / 100, 6),
            "latency_ms": round(dice.lognormvariate(6.5, 0.6), 2),
            "time_to_first_token_ms": round(dice.lognormvariate(5, 0.5), 2),
            "request": {"model": "gpt-4.1", "messages": [{"role": "user", "content": text[: SIZE // 2]}]},
            "response": {"choices": [{"index": 0, "message": {"role": "assistant", "content": text[SIZE // 2 :]}}]},
        }
        yield call


def write(path: Path, count: int) -> None:
    with path.open("wb", buffering=1 << 20) as log:
        for event in events(count):
            log.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))


def run(*arguments: str) -> Cost:
    """Run Python with *arguments* and return its wall time and its largest resident size."""
    begin = time.perf_counter()
    silent = os.open(os.devnull, os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, silent, 1)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    child = os.posix_spawn(sys.executable, [sys.executable, *arguments], environment, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    os.close(silent)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{arguments[:3]} failed")
    return Cost(time.perf_counter() - begin, usage.ru_maxrss / 1024)


def put(name: str, cost: Cost, baseline: Cost) -> None:
    print(f"{name:<34} {cost.seconds:>8.2f} s {cost.seconds / baseline.seconds:>6.2f} x {cost.megabytes:>6.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "genai.log"
        write(path, given.records)
        size = path.stat().st_size
        print(f"{given.records:,} records, {size / 1e6:,.0f} MB, {size / given.records:,.0f} bytes each")
        log = str(path)
        ours: list[Cost] = []
        theirs: list[Cost] = []
        for _ in range(given.rounds):
            theirs.append(run("-c", PROGRAM, TOLD, log))
            ours.append(run("-m", "flywheel_log", "stats", "--json", log))
        duckdb, stats = min(theirs), min(ours)
        put("DuckDB, told the eleven columns", duckdb, duckdb)
        put("DuckDB, detecting the columns", run("-c", PROGRAM, DETECTED, log), duckdb)
        put("stats", stats, duckdb)
        put("stats --status ok", run("-m", "flywheel_log", "stats", "--status", "ok", log), duckdb)
        put("tail", run("-m", "flywheel_log", "tail", log), duckdb)
        peak = max(cost.megabytes for cost in ours)
        holds = stats.seconds <= RATIO * duckdb.seconds and peak < MEMORY_MB
        print(f"bars: ≤ {RATIO} x DuckDB, < {MEMORY_MB} MB: {'hold' if holds else 'MISSED'}")


if __name__ == "__main__":
    main()
