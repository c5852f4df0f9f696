"""What recording costs the caller's thread: bare, instrumented and naive lines, interleaved in one run.

Every figure is processor time of the calling thread (`time.thread_time`), its median over rounds in which the three
variants take turns, over a transport that answers from memory: nothing but the SDK and the recording is measured. "naive"
is the `logging.info(json.dumps(...))` of the tutorials, applied to what it needs to log the same: request, answer, usage.

Run `python benchmarks/overhead.py [--rounds N] [--memory CALLS]`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

import openai

try:
    import httpx2 as http
except ImportError:  # openai 1 and 2
    import httpx as http  # type: ignore[no-redef]

WORDS = "the model answers with a sentence of plain words that reads like prose and says little".split()
Variant = Callable[[], Any]


def text(characters: int, seed: int) -> str:
    words = random.Random(seed).choices(WORDS, k=characters // 5)  # noqa: S311
    return " ".join(words)[:characters]


def completion(content: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_750_000_000,
        "model": "gpt-4.1-mini",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 20,
            "completion_tokens": 60,
            "total_tokens": 80,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_750_000_000,
        "model": "gpt-4.1-mini",
        "service_tier": "default",
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


SMALL = json.dumps(completion(text(300, 1))).encode()
CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    *(chunk({"content": f"{word} "}) for word in random.Random(2).choices(WORDS, k=197)),  # noqa: S311
    chunk({}, "stop"),
    b"data: [DONE]\n\n",
]


class Body(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc]
    """A stream of chunks, each one a read of the network."""

    def __iter__(self) -> Any:
        yield from CHUNKS

    async def __aiter__(self) -> Any:
        for piece in CHUNKS:
            yield piece


def answer(request: Any) -> Any:
    if b'"stream":true' in request.content.replace(b" ", b""):
        return http.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())
    return http.Response(200, headers={"content-type": "application/json"}, content=SMALL)


def sync_client() -> openai.OpenAI:
    return openai.OpenAI(api_key="sk-benchmark", http_client=http.Client(transport=http.MockTransport(answer)))


def async_client() -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="sk-benchmark", http_client=http.AsyncClient(transport=http.MockTransport(answer)))


TOOLS = [
    {
        "type": "function",
        "function": {
            "name": f"tool_{number}",
            "description": text(200, number),
            "parameters": {
                "type": "object",
                "properties": {f"p{field}": {"type": "string", "description": text(60, field)} for field in range(6)},
                "required": ["p0"],
            },
        },
    }
    for number in range(8)
]
HELLO: dict[str, Any] = {
    "model": "gpt-4.1-mini",
    "messages": [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": text(100, 3)}],
    "temperature": 0.2,
}
LONG: dict[str, Any] = {
    "model": "gpt-4.1-mini",
    "messages": [{"role": ("user", "assistant")[turn % 2], "content": text(2000, turn)} for turn in range(20)],
    "tools": TOOLS,
}

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
        parts = []
        for piece in client.chat.completions.create(**HELLO, stream=True):
            if piece.choices and piece.choices[0].delta.content:
                parts.append(piece.choices[0].delta.content)
        note(HELLO, "".join(parts), None, started)

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
    options.add_argument("--memory", type=int, default=0, metavar="CALLS", help="also watch peak memory over CALLS calls")
    arguments = options.parse_args()
    os.chdir(tempfile.mkdtemp(prefix="flywheel-log-benchmark-"))
    os.environ["FLYWHEEL_LOG_JOURNAL"] = os.path.join(os.getcwd(), "journal")
    naive_log.addHandler(logging.FileHandler("naive.log"))
    naive_log.setLevel(logging.INFO)
    naive_log.propagate = False

    import flywheel_log  # noqa: PLC0415 - after the environment is set

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
    added = compare("stream of 200 chunks", streamed, rounds, 3)
    print(f"{'':34}{added['recorded'] / 200:30.2f} a chunk")
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
        with open("/proc/self/statm", encoding="ascii") as file:
            print(int(file.read().split()[1]) * 4096 >> 20, end=" ", flush=True)
    print()


if __name__ == "__main__":
    main()
