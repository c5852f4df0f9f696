"""Requests that a command sends: planned, shown with a forecast, confirmed, and recorded to be read back."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

import flywheel_log
from flywheel_log.clock import timestamp
from flywheel_log.event import Event
from flywheel_log.loop.reading.read import read
from flywheel_log.loop.replay.forecast import Estimate
from flywheel_log.loop.replay.origin import Settled
from flywheel_log.loop.replay.plan import Body, Plan, plan
from flywheel_log.loop.replay.send import INTERRUPTED, Fields, send
from flywheel_log.pipeline.price import Prices
from flywheel_log.sinks import public

from . import Problem
from ._progress import sends_shown
from ._records import Records
from ._replayed import failed, put_plan, put_sent
from ._source import settings

if TYPE_CHECKING:
    from openai import OpenAI

_DELIVERY_SECONDS = 30.0
_NO_KEY = "none"


@dataclass(frozen=True)
class Sending:
    """How requests made of *records* are sent by *client*, and recorded in *target*.

    Attributes:
        limits: `concurrency` and `per_minute`, as `send` takes them.
        dry_run: only show what would be sent.
        yes: do not ask.
    """

    records: Records
    client: OpenAI
    target: tuple[str, ...]
    limits: dict[str, Any]
    dry_run: bool
    yes: bool
    as_json: bool

    def calls(self) -> Iterator[Event]:
        """Read the calls once more, and say nothing of lines that are skipped: that was said when they were read."""
        return self.records.select(read(self.records.sources, since=self.records.chosen.since))

    def plan(
        self, events: Iterable[Event], body: Body, cost: Callable[..., Estimate], before: Settled, **which: Any
    ) -> Plan:
        """Settle which of *events* are sent, as `plan` does. Raises Problem where there are no calls among them."""
        priced = partial(cost, price=Prices(settings().prices), now=timestamp(time.time()))
        made = plan(events, body, priced, before, **which)
        if not made.calls:
            raise self.records.nothing("calls")
        return made

    def carry_out(self, made: Plan, named: dict[str, str], body: Body, fields: Fields) -> Problem | None:
        """Show the plan under the names of what is done, ask, send and say how it went.

        Returns what is wrong where nothing was answered, or where so much failed that not all was sent.

        Raises:
            Problem: there is no key, nobody has agreed, or it was interrupted.
        """
        sends = bool(made.forecast.requests) and not self.dry_run
        if sends and self.client.api_key == _NO_KEY:
            raise Problem("there is no API key; set OPENAI_API_KEY, or see the plan with --dry-run")
        put_plan(made, named, public(str(self.client.base_url)), dry_run=self.dry_run, as_json=self.as_json)
        if not sends:
            return None
        self._confirm()
        jobs = made.jobs(self.calls(), body)
        with _recording(self.client, self.target), sends_shown(made.forecast.requests) as tell:
            sent = send(jobs, self.client, fields, on_sent=lambda sent: tell(failed(sent)), **self.limits)
        problem = put_sent(sent, named, as_json=self.as_json)
        if problem and sent.stopped == INTERRUPTED:
            raise problem
        return problem

    def _confirm(self) -> None:
        if self.yes:
            return
        if self.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise Problem("there is no terminal to ask in, so nothing was sent; pass --yes to send")
        typer.confirm("Send them?", abort=True)


def client_for(base_url: str) -> OpenAI:
    """Return the client that asks. Where the environment has no key, it can be planned with, but not sent."""
    from openai import OpenAI

    return OpenAI(base_url=base_url or None, api_key=os.environ.get("OPENAI_API_KEY") or _NO_KEY)


def deliver_what_was_left(target: tuple[str, ...]) -> None:
    """Deliver what an earlier go recorded for *target* before it was killed: it waits in the journal."""
    from flywheel_log.delivery import drain
    from flywheel_log.enrichment import Enrichment

    known = settings()
    drain(known.journal, _DELIVERY_SECONDS, Enrichment(known), only=target)


@contextmanager
def _recording(client: OpenAI, target: tuple[str, ...]) -> Iterator[None]:
    """Record every call of *client* in the block. Raises Problem where records wait for their log afterwards."""
    flywheel_log.configure(sinks=target, sample=1.0, disabled=False)
    flywheel_log.instrument(client)
    try:
        yield
    finally:
        left = flywheel_log.shutdown(_DELIVERY_SECONDS)
    if left:
        where = ", ".join(map(public, target))
        raise Problem(f"{left} answers wait in the journal; run `flywheel-log drain` when {where} takes them")
