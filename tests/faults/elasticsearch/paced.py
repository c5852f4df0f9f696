"""A program that makes so many recorded calls a second, and tells for each part of its run what they cost and took."""

import argparse
import statistics
import sys
import threading
import time

import flywheel_log
from tests.faults.elasticsearch.outage import own_memory, say

PROMPT = "word " * 200
MEMORY_EVERY_S = 1.0


@flywheel_log.logged_llm
def ask(prompt: str) -> str:
    return "an answer to " + prompt


class Part:
    """What was seen since the last line on standard input: the seconds each call took, and the memory now and then."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self.memory = [own_memory()]

    def told(self, name: str) -> dict[str, object]:
        percentiles = statistics.quantiles(self.took, n=100)
        return {
            "part": name,
            "calls": len(self.took),
            "p50_us": round(percentiles[49] * 1e6),
            "p99_us": round(percentiles[98] * 1e6),
            "first_mb": round(self.memory[0] / 1e6, 1),
            "most_mb": round(max(self.memory) / 1e6, 1),
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sink")
    parser.add_argument("--rate", type=int, default=200)
    options = parser.parse_args()
    flywheel_log.configure(sinks=[options.sink])
    ended: list[str] = []
    reader = threading.Thread(target=lambda: ended.extend(line.strip() for line in iter(read, "")), daemon=True)
    reader.start()
    number = run(options.rate, ended, reader)
    left = flywheel_log.flush(None)
    say({"calls": number, "left": left, "stats": flywheel_log.stats()["sinks"]})


def read() -> str:
    return sys.stdin.readline()


def run(rate: int, ended: list[str], reader: threading.Thread) -> int:
    """Call *rate* times a second until standard input ends; a line there ends a part. Returns the calls."""
    part, told, number, begun = Part(), 0, 0, time.monotonic()
    while reader.is_alive() or told < len(ended):
        before = time.perf_counter()
        ask(f"{number} {PROMPT}")
        part.took.append(time.perf_counter() - before)
        number += 1
        if number % (rate * MEMORY_EVERY_S) == 0:
            part.memory.append(own_memory())
        if told < len(ended):
            say(part.told(ended[told]))
            part, told = Part(), told + 1
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
    return number


if __name__ == "__main__":
    main()
