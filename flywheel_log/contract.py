"""What every sink promises, as tests: subclass `SinkContract` beside your own sink and run pytest."""
# ruff: noqa: S101 - these are tests, only shipped

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from .sinks import Sink

_PATIENCE = 100


class SinkContract(ABC):
    """The promises of `flywheel_log.sinks.Sink`, one test each.

    A subclass is named `Test…` and says how to make the sink and how to see what it stored:

        class TestMySink(SinkContract):
            exactly_once = True

            def make_sink(self, tmp_path):
                self.path = tmp_path / "log"
                return open_sink(f"mysink:{self.path}")

            def stored_ids(self):
                return [json.loads(line)["id"] for line in self.path.read_text().splitlines()]

    Attributes:
        exactly_once: whether `missing` recognises what is stored, so that nothing is there twice after a crash.
    """

    exactly_once = False

    @abstractmethod
    def make_sink(self, tmp_path: Path) -> Sink:
        """Open the sink; all sinks of one test write to the same place."""

    @abstractmethod
    def stored_ids(self) -> Sequence[str]:
        """Return the ids of the events that are stored, in the order they were stored."""

    def test_lines_are_stored_in_their_order(self, tmp_path: Path) -> None:
        """What is written is there, once each."""
        sink = self.make_sink(tmp_path)
        deliver(sink, [event(number) for number in range(5)])
        deliver(sink, [event(number) for number in range(5, 7)])
        sink.close()
        assert list(self.stored_ids()) == [f"a1b2-{number}" for number in range(7)]

    def test_nothing_is_stored_of_nothing(self, tmp_path: Path) -> None:
        """An empty batch is no error."""
        sink = self.make_sink(tmp_path)
        assert list(sink.write([])) == []
        assert list(sink.missing([])) == []
        sink.close()

    def test_any_text_and_a_megabyte_are_stored(self, tmp_path: Path) -> None:
        """Content does not matter."""
        sink = self.make_sink(tmp_path)
        deliver(sink, [event(1, "ü☃🎈\u2028\\\"'\t"), event(2, "x" * 1_000_000), event(3, "\n\0")])
        sink.close()
        assert list(self.stored_ids()) == ["a1b2-1", "a1b2-2", "a1b2-3"]

    def test_a_second_sink_goes_on_where_the_first_ended(self, tmp_path: Path) -> None:
        """Opening does not overwrite."""
        for number in range(2):
            sink = self.make_sink(tmp_path)
            deliver(sink, [event(number)])
            sink.close()
        assert list(self.stored_ids()) == ["a1b2-0", "a1b2-1"]

    def test_missing_returns_everything_when_nothing_is_stored(self, tmp_path: Path) -> None:
        """A new place misses all."""
        sink = self.make_sink(tmp_path)
        lines = [event(1), event(2)]
        assert list(sink.missing(lines)) == lines
        sink.close()

    def test_after_a_crash_nothing_is_lost(self, tmp_path: Path) -> None:
        """What a sink that died had stored or not is offered through `missing`, and all of it arrives."""
        dead = self.make_sink(tmp_path)
        deliver(dead, [event(1), event(2)])
        sink = self.make_sink(tmp_path)
        deliver(sink, sink.missing([event(number) for number in range(1, 5)]))
        sink.close()
        stored = list(self.stored_ids())
        assert sorted(set(stored)) == ["a1b2-1", "a1b2-2", "a1b2-3", "a1b2-4"]
        if self.exactly_once:
            assert stored == ["a1b2-1", "a1b2-2", "a1b2-3", "a1b2-4"]

    def test_stats_are_counters(self, tmp_path: Path) -> None:
        """Names and whole numbers."""
        sink = self.make_sink(tmp_path)
        deliver(sink, [event(1)])
        stats = sink.stats()
        sink.close()
        assert {name: type(count) for name, count in stats.items()} == dict.fromkeys(stats, int)


def event(number: int, text: str = "hi") -> bytes:
    """Return a small event as a line, as the journal hands it to sinks; its id is `a1b2-<number>`."""
    record = {
        "id": f"a1b2-{number}",
        "timestamp": f"2026-01-02T03:04:{number % 60:02d}.000Z",
        "kind": "llm",
        "client_id": "contract",
        "workload_id": "contract",
        "request": {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": text}]},
        "response": {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]},
        "status": "ok",
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def deliver(sink: Sink, lines: Sequence[bytes]) -> None:
    """Write *lines*, and again what the sink wants offered again, as the shipper does, a hundred times at most."""
    for _ in range(_PATIENCE):
        if not lines:
            return
        again = sink.write(lines)
        assert set(again) <= set(lines), "a sink wants lines again that it was not offered"
        lines = again
    raise AssertionError(f"the sink still wants {len(lines)} lines again after {_PATIENCE} attempts")
