"""What had to be dropped, remembered until a `loss_report` event can say so in the log."""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import timestamp
from ..health import health
from ..serialise import dumps


@dataclass
class Loss:
    """Events dropped for one reason: how many, and the first and the last id."""

    reason: str
    count: int
    first: str
    last: str


@dataclass(frozen=True)
class Report:
    """A `loss_report` event as a line, and the state of the loss it tells."""

    line: bytes
    reason: str
    count: int


class Losses(dict[str, Loss]):
    """Losses not reported yet, by reason."""

    def add(self, reason: str, identity: str) -> None:
        """Count the event *identity* as dropped for *reason*, here and in `health`, which is to say so."""
        health.count(reason)
        health.note(reason, counted=True)
        loss = self.setdefault(reason, Loss(reason, 0, identity, identity))
        loss.count += 1
        loss.last = identity

    def reports(self, now: float) -> list[Report]:
        """Return one event for each reason, stamped *now* (seconds since the epoch)."""
        return [
            Report(dumps({"kind": "loss_report", "timestamp": timestamp(now), **vars(loss)}), loss.reason, loss.count)
            for loss in self.values()
        ]

    def settle(self, report: Report) -> None:
        """Forget what *report* told."""
        self.pop(report.reason, None)
