"""A program that logs while its Elasticsearch is away, says what memory that took, and waits until all is delivered."""

import argparse
import json
import sys
from pathlib import Path

from flywheel_log.delivery import Delivery
from flywheel_log.serialise import dumps
from tests.elasticsearch.server import wait_until


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("sink")
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    delivery = Delivery([options.sink], options.root)
    line = dumps({"kind": "llm", "timestamp": "2026-01-31T12:00:00.000Z", "text": "x" * 2000})
    early = put(delivery, line, options.count // 10)
    wait_until(lambda: delivery.stats()["sinks"][options.sink]["last_error"], 60, "the outage is noticed")
    before = own_memory()
    late = put(delivery, line, options.count - options.count // 10)
    grown = own_memory() - before
    say({"grown": grown, "waiting": delivery.stats()["sinks"][options.sink]["waiting"]})
    sys.stdin.readline()
    delivery.flush(None)
    say({"grown": own_memory() - before, "ids": early + late})
    delivery.close(2.0)


def put(delivery: Delivery, line: bytes, count: int) -> list[str | None]:
    return [delivery.put(line) for _ in range(count)]


def own_memory() -> int:
    """Bytes of memory that are the program's own: the journal's mapped pages belong to the disk."""
    status = Path("/proc/self/status").read_text().split("RssAnon:")[1]
    return int(status.split()[0]) * 1024


def say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
