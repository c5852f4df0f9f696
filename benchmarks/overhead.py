"""What recording costs the caller's thread: bare, recorded and naive calls, interleaved in one run.

Every figure is processor time of the calling thread (`time.thread_time`) over a transport that answers from memory, so
that nothing but the SDK and the recording is measured. The variants take turns, call by call, and each call is compared
with the bare one of its turn, so that a machine that changes its speed changes both; the middle half of the differences
counts. "naive" is the `logging.info(json.dumps(...))` of the tutorials, with request, answer, usage and latency.
"tutorial" are the same lines as the tutorials set them up: `basicConfig(filename=..., level=INFO)` has the HTTP client
write a line of its own for each request. "recorded" is as installed, secrets redacted; "no redaction" has
`redact="off"`, as the naive lines have. The row of the trace is of a call with all context stamped on it, which the
naive lines do not write. What the threads behind the journal take is measured by itself, at a pace that a program has.

Run `python benchmarks/overhead.py [--rounds N] [--memory CALLS]`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import operator
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path
from typing import Any

import openai
from _scenarios import CHUNKS, HELLO, HELLOS, LONG, PICTURES, async_client, http, sync_client

import flywheel_log
from flywheel_log import config, recorder

Variant = Callable[[], Any]
RECORDERS: dict[str, recorder.Recorder] = {}
COLUMNS = ("naive", "tutorial", "recorded", "no redaction")

naive_log = logging.getLogger("naive")
http_log = logging.getLogger(http.__name__)


def note(request: dict[str, Any], output: str, usage: Any, started: float) -> None:
    record = {
        "request": request,
        "response": output,
        "input_tokens": usage.prompt_tokens if usage else None,
        "output_tokens": usage.completion_tokens if usage else None,
        "latency_ms": round((time.time() - started) * 1000, 2),
    }
    naive_log.info(json.dumps(record))


def begin_naive() -> None:
    """Have the naive lines written to `naive.log`, and nowhere else; the HTTP client's too while it is not disabled."""
    handler = logging.FileHandler("naive.log")
    for log in naive_log, http_log:
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
    http_log.disabled = True


def plain(client: Any, *requests: dict[str, Any]) -> Variant:
    turns = cycle(requests)
    return lambda: client.chat.completions.create(**next(turns))


def plain_naive(client: Any, *requests: dict[str, Any]) -> Variant:
    turns = cycle(requests)

    def call() -> None:
        request = next(turns)
        started = time.time()
        response = client.chat.completions.create(**request)
        note(request, response.choices[0].message.content, response.usage, started)

    return call


def each_way(bare: Any, recorded: Any, *requests: dict[str, Any]) -> dict[str, Variant]:
    return {
        "bare": plain(bare, *requests),
        "recorded": plain(recorded, *requests),
        "naive": plain_naive(bare, *requests),
    }


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
    turns = cycle(HELLOS)
    return lambda: loop.run_until_complete(client.chat.completions.create(**next(turns)))


def asynchronous_naive(client: Any, loop: asyncio.AbstractEventLoop) -> Variant:
    turns = cycle(HELLOS)

    async def call() -> None:
        request = next(turns)
        started = time.time()
        response = await client.chat.completions.create(**request)
        note(request, response.choices[0].message.content, response.usage, started)

    return lambda: loop.run_until_complete(call())


def asynchronous_stream(client: Any, loop: asyncio.AbstractEventLoop) -> Variant:
    async def call() -> None:
        async for _ in await client.chat.completions.create(**HELLO, stream=True):
            pass

    return lambda: loop.run_until_complete(call())


def asynchronous_stream_naive(client: Any, loop: asyncio.AbstractEventLoop) -> Variant:
    async def call() -> None:
        started = time.time()
        pieces = await client.chat.completions.create(**HELLO, stream=True)
        deltas = [piece.choices[0].delta.content async for piece in pieces if piece.choices]
        note(HELLO, "".join(filter(None, deltas)), None, started)

    return lambda: loop.run_until_complete(call())


def once(variant: Variant, calls: int = 1) -> float:
    """Processor time of this thread for one call, in microseconds."""
    started = time.thread_time()
    for _ in range(calls):
        variant()
    return (time.thread_time() - started) / calls * 1e6


def in_threads(variant: Variant) -> float:
    """The same in eight threads at once, twenty calls each: the mean over the threads."""
    figures: list[float] = []
    threads = [threading.Thread(target=lambda: figures.append(once(variant, 20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statistics.mean(figures)


def middle(figures: Iterable[float]) -> float:
    """The mean of the middle half, without the first figure."""
    ordered = sorted(list(figures)[1:])
    quarter = len(ordered) // 4
    return statistics.mean(ordered[quarter : len(ordered) - quarter])


def added(figures: dict[str, list[float]]) -> dict[str, float]:
    """What each variant takes longer than the bare call of the same turn."""
    return {key: middle(map(operator.sub, some, figures["bare"])) for key, some in figures.items()}


def compare(name: str, variants: dict[str, Variant], rounds: int, measure: Any = once) -> dict[str, float]:
    """Measure the variants in turn, *rounds* times, and print what each adds to the bare one."""
    turns = {**variants, "tutorial": variants["naive"], "no redaction": variants["recorded"]}
    figures: dict[str, list[float]] = {key: [] for key in turns}
    for turn in range(rounds + 1):
        for key, variant in turns.items() if turn % 2 else reversed(turns.items()):
            recorder.replace(RECORDERS.get(key))
            http_log.disabled = key != "tutorial"
            figures[key].append(measure(variant))
    more = added(figures)
    row = "".join(f"{more[key]:15.1f}" for key in COLUMNS)
    ratios = "".join(f"{more['no redaction'] / more[key]:10.2f}" for key in ("naive", "tutorial"))
    print(f"{name:30}{middle(figures['bare']):10.0f}{row}{ratios}", flush=True)
    return more


def compare_streams(variants: dict[str, Variant], rounds: int, kind: str = "") -> None:
    """The same for streams, and what a chunk costs."""
    more = compare(f"{kind}stream of {len(CHUNKS)} chunks", variants, 2 * rounds)
    print(f"{'  a chunk':30}{'':40}{more['recorded'] / len(CHUNKS):15.2f}{more['no redaction'] / len(CHUNKS):15.2f}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=100)
    options.add_argument("--memory", type=int, default=0, metavar="CALLS", help="watch the memory over CALLS calls")
    arguments = options.parse_args()
    os.chdir(tempfile.mkdtemp(prefix="flywheel-log-benchmark-"))
    os.environ["FLYWHEEL_LOG_JOURNAL"] = str(Path.cwd() / "journal")
    begin_naive()

    RECORDERS["recorded"] = recorder.Recorder(config.load())
    RECORDERS["no redaction"] = recorder.Recorder(config.load(redact="off"))
    bare, recorded = sync_client(), flywheel_log.instrument(sync_client(), workload_id="benchmark")
    loop = asyncio.new_event_loop()
    abare, arecorded = async_client(), flywheel_log.instrument(async_client(), workload_id="benchmark")
    rounds = arguments.rounds
    print(f"openai {openai.VERSION}; microseconds of the calling thread per call")
    titles = "".join(f"{'+ ' + title:>15}" for title in COLUMNS)
    print(f"{'':30}{'bare':>10}{titles}   : naive  : tutorial")
    small = each_way(bare, recorded, *HELLOS)
    compare("small call", small, 10 * rounds)
    with flywheel_log.trace("benchmark", user_id="u17", session_id="s4711", tags=["eu"], metadata={"plan": "pro"}):
        compare("small call, trace and context", small, 10 * rounds)
    compare("40 KB conversation, 8 tools", each_way(bare, recorded, *LONG), 3 * rounds)
    compare("picture of 100 KB", each_way(bare, recorded, *PICTURES), rounds)
    compare_streams({"bare": stream(bare), "recorded": stream(recorded), "naive": stream_naive(bare)}, rounds)
    awaited = {
        "bare": asynchronous(abare, loop),
        "recorded": asynchronous(arecorded, loop),
        "naive": asynchronous_naive(abare, loop),
    }
    compare("async call", awaited, 10 * rounds)
    streamed = {
        "bare": asynchronous_stream(abare, loop),
        "recorded": asynchronous_stream(arecorded, loop),
        "naive": asynchronous_stream_naive(abare, loop),
    }
    compare_streams(streamed, rounds, "async ")
    loop.run_until_complete(loop.shutdown_asyncgens())  # The SDK leaves a generator behind its `[DONE]`.
    loop.close()
    compare("8 threads, small call", small, max(rounds // 4, 5), in_threads)
    recorder.replace(RECORDERS["recorded"])
    watch_background(small["recorded"], 5 * rounds)
    if arguments.memory:
        watch_memory(small["recorded"], arguments.memory)
    print("waiting:", [one.flush(60) for one in RECORDERS.values()], "dropped:", flywheel_log.stats()["dropped"])
    for one in RECORDERS.values():
        one.close(5)


def watch_background(variant: Variant, calls: int, rate: int = 200) -> None:
    """Print what our own threads take for each of *calls* calls, of which *rate* a second are made."""
    flywheel_log.flush(60)
    begun, used, own = time.monotonic(), time.process_time(), time.thread_time()
    for number in range(calls):
        variant()
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
    caller = time.thread_time() - own
    flywheel_log.flush(60)
    behind = time.process_time() - used - (time.thread_time() - own)
    share = f"{behind / calls * 1e6:.0f} µs a call, {behind / caller:.1%} of what the call takes"
    print(f"background threads at {rate} calls a second: {share}")


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
