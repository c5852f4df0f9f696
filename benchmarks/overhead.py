"""What recording costs the caller's thread: bare, recorded and naive calls, interleaved in one run.

Every figure is processor time of the calling thread (`time.thread_time`): the median over rounds in which the three
variants take turns, over a transport that answers from memory, so that nothing but the SDK and the recording is
measured. "naive" is the `logging.info(json.dumps(...))` of the tutorials, with request, answer, usage and latency.

Run `python benchmarks/overhead.py [--rounds N] [--memory CALLS]`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
from _scenarios import CHUNKS, HELLO, LONG, async_client, sync_client

Variant = Callable[[], Any]

naive_log = logging.getLogger("naive")


def note(request: dict[str, Any], output: str, usage: Any, started: float) -> None:
    record = {
        "request": request,
        "response": output,
        "input_tokens": usage.prompt_tokens if usage else None,
        "output_tokens": usage.completion_tokens if usage else None,
        "latency_ms": round((time.time() - started) * 1000, 2),
    }
    naive_log.info(json.dumps(record))


def plain(client: Any, request: dict[str, Any]) -> Variant:
    return lambda: client.chat.completions.create(**request)


def plain_naive(client: Any, request: dict[str, Any]) -> Variant:
    def call() -> None:
        started = time.time()
        response = client.chat.completions.create(**request)
        note(request, response.choices[0].message.content, response.usage, started)

    return call


def stream(client: Any) -> Variant:
    def call() -> None:
        for _ in client.chat.completions.create(**HELLO, stream=True):
            pass

    return call


def stream_naive(client: Any) -> Variant:
    def call() -> None:
        started = time.time()
        pieces = client.chat.completions.create(**HELLO, stream=True)
        deltas = [piece.choices[0].delta.content for piece in pieces if piece.choices]
        note(HELLO, "".join(filter(None, deltas)), None, started)

    return call


def asynchronous(client: Any, loop: asyncio.AbstractEventLoop) -> Variant:
    return lambda: loop.run_until_complete(client.chat.completions.create(**HELLO))


def asynchronous_naive(client: Any, loop: asyncio.AbstractEventLoop) -> Variant:
    async def call() -> None:
        started = time.time()
        response = await client.chat.completions.create(**HELLO)
        note(HELLO, response.choices[0].message.content, response.usage, started)

    return lambda: loop.run_until_complete(call())


def once(variant: Variant, calls: int) -> float:
    """Processor time of this thread for one call, in microseconds."""
    started = time.thread_time()
    for _ in range(calls):
        variant()
    return (time.thread_time() - started) / calls * 1e6


def in_threads(variant: Variant, calls: int) -> float:
    """The same in eight threads at once: the mean over the threads."""
    figures: list[float] = []
    threads = [threading.Thread(target=lambda: figures.append(once(variant, calls))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statistics.mean(figures)


def compare(name: str, variants: dict[str, Variant], rounds: int, calls: int, measure: Any = once) -> dict[str, float]:
    """Measure the variants in turn, *rounds* times, and print what each adds to the bare one."""
    for variant in variants.values():
        measure(variant, calls)
    figures: dict[str, list[float]] = {key: [] for key in variants}
    for _ in range(rounds):
        for key, variant in variants.items():
            figures[key].append(measure(variant, calls))
    bare = statistics.median(figures["bare"])
    added = {
        key: statistics.median(a - b for a, b in zip(figures[key], figures["bare"], strict=True))
        for key in ("recorded", "naive")
    }
    ratio = added["recorded"] / added["naive"]
    print(f"{name:34}{bare:10.0f}{added['naive']:10.1f}{added['recorded']:10.1f}{ratio:8.2f}")
    return added


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=40)
    options.add_argument("--memory", type=int, default=0, metavar="CALLS", help="watch the memory over CALLS calls")
    arguments = options.parse_args()
    os.chdir(tempfile.mkdtemp(prefix="flywheel-log-benchmark-"))
    os.environ["FLYWHEEL_LOG_JOURNAL"] = str(Path.cwd() / "journal")
    naive_log.addHandler(logging.FileHandler("naive.log"))
    naive_log.setLevel(logging.INFO)
    naive_log.propagate = False

    import flywheel_log

    bare, recorded = sync_client(), flywheel_log.instrument(sync_client(), workload_id="benchmark")
    loop = asyncio.new_event_loop()
    abare, arecorded = async_client(), flywheel_log.instrument(async_client(), workload_id="benchmark")
    rounds = arguments.rounds
    print(f"openai {openai.VERSION}; microseconds of the calling thread per call, median of {rounds} rounds")
    print(f"{'':34}{'bare':>10}{'+ naive':>10}{'+ ours':>10}{'ratio':>8}")
    small = {"bare": plain(bare, HELLO), "recorded": plain(recorded, HELLO), "naive": plain_naive(bare, HELLO)}
    compare("small call", small, rounds, 20)
    long = {"bare": plain(bare, LONG), "recorded": plain(recorded, LONG), "naive": plain_naive(bare, LONG)}
    compare("40 KB conversation, 8 tools", long, rounds, 5)
    streamed = {"bare": stream(bare), "recorded": stream(recorded), "naive": stream_naive(bare)}
    added = compare(f"stream of {len(CHUNKS)} chunks", streamed, rounds, 3)
    print(f"{'':34}{added['recorded'] / len(CHUNKS):30.2f} a chunk")
    awaited = {
        "bare": asynchronous(abare, loop),
        "recorded": asynchronous(arecorded, loop),
        "naive": asynchronous_naive(abare, loop),
    }
    compare("async call", awaited, rounds, 20)
    compare("8 threads, small call", small, max(rounds // 4, 3), 20, in_threads)
    if arguments.memory:
        watch_memory(small["recorded"], arguments.memory)
    print("waiting:", flywheel_log.flush(60), "dropped:", flywheel_log.stats()["dropped"])


def watch_memory(variant: Variant, calls: int) -> None:
    """Print the resident memory, in megabytes, at tenths of *calls* calls."""
    print("resident memory in MB:", end=" ", flush=True)
    for _ in range(10):
        for _ in range(calls // 10):
            variant()
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        print(pages * os.sysconf("SC_PAGE_SIZE") >> 20, end=" ", flush=True)
    print()


if __name__ == "__main__":
    main()
