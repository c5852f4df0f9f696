"""The clock of a call that stands still while its consumer works."""

from __future__ import annotations

from flywheel_log.capture.stopwatch import Stopwatch


def test_it_counts_between_start_and_stop_only() -> None:
    now = [100.0]
    watch = Stopwatch(lambda: now[0])
    read = [watch()]
    for step, seconds in ((watch.start, 2.0), (watch.start, 1.0), (watch.stop, 40.0), (watch.start, 0.5)):
        step()
        now[0] += seconds
        read.append(watch())
    assert read == [0.0, 2.0, 3.0, 3.0, 3.5]
