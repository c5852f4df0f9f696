"""A busy program that logs until it is killed, and writes the id of each event that was accepted to its stdout."""

import argparse
import os
import sys
import threading
from pathlib import Path

from flywheel_log.delivery import Delivery
from flywheel_log.delivery.tuning import Tuning
from flywheel_log.serialise import dumps


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("sink")
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--count", type=int, default=sys.maxsize)
    parser.add_argument("--hogs", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--adopt-s", type=float, default=0.05)
    parser.add_argument("--segment-bytes", type=int, default=1 << 20)
    parser.add_argument("--close", action="store_true")
    options = parser.parse_args()
    tuning = Tuning(adopt_s=options.adopt_s, linger_s=0.01, segment_bytes=options.segment_bytes)
    delivery = Delivery([options.sink], options.root, tuning=tuning)
    line = dumps({"kind": "step", "text": "x" * options.size})
    for _ in range(options.hogs):
        threading.Thread(target=hog, daemon=True).start()
    writers = [threading.Thread(target=log, args=(delivery, line, options.count)) for _ in range(options.threads)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    if options.close:
        delivery.close(5.0)


def hog() -> None:
    while True:
        sum(range(1000))


def log(delivery: Delivery, line: bytes, count: int) -> None:
    for _ in range(count):
        if identity := delivery.put(line):
            os.write(1, f"{identity}\n".encode())


if __name__ == "__main__":
    main()
