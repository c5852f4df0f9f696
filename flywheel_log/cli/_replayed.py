"""What a replay will do and what it did, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from flywheel_log.loop.replay.fit import REASONS
from flywheel_log.loop.replay.forecast import Forecast
from flywheel_log.loop.replay.plan import Plan
from flywheel_log.loop.replay.send import Sent
from flywheel_log.wording import counted

from . import Problem
from ._screen import money, number, one_line, put_json


def put_plan(made: Plan, named: dict[str, str], server: str, *, dry_run: bool, as_json: bool) -> None:
    """Print how many requests go where, why others do not, and the expected cost."""
    sums = made.forecast
    if as_json:
        put_json({**named, "server": server, "dry_run": dry_run, "calls": made.calls, **_numbers(made)})
        return
    typer.echo(one_line(f"{_title(named)}: {sums.requests:,} of {counted(made.calls, 'call')} to {server}"))
    for count, what in _others(made):
        typer.echo(f"  {count:>8,}  {what}")
    typer.echo(f"forecast: {_forecast(sums)}")
    if dry_run:
        typer.echo("nothing was sent")


def put_sent(sent: Sent, named: dict[str, str], *, as_json: bool) -> Problem | None:
    """Print how it went. Returns what is wrong where nothing was answered, or where not all was sent."""
    failed = sent.failed.total()
    if as_json:
        put_json({**named, "answered": sent.answered, "failed": sent.failed, "stopped": sent.stopped or None})
    else:
        kinds = f" ({', '.join(f'{count} {kind}' for kind, count in sent.failed.most_common())})" if failed else ""
        typer.echo(f"{sent.answered} answered, {failed} failed{kinds}")
    if sent.stopped or (failed and not sent.answered):
        why = sent.stopped or "nothing was answered"
        return Problem(one_line(f"{why}; run the same command to continue. {sent.last_error}".strip()))
    return None


def failed(sent: Sent) -> str:
    """Return in words how many requests failed; empty if none did."""
    count = sent.failed.total()
    return f"{count} failed" if count else ""


def _title(named: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in named.items())


def _numbers(made: Plan) -> dict[str, object]:
    sums = made.forecast
    return {
        "send": sums.requests,
        "answered_before": made.done,
        "refused_before": made.refused,
        "not_in_sample": _not_drawn(made),
        "left_out": made.left_out,
        "input_tokens": sums.input_tokens,
        "output_tokens": sums.output_tokens,
        "cost_usd": sums.cost_usd if sums.priced else None,
        "priced": sums.priced,
        "answers_of_unknown_length": sums.unknown,
    }


def _others(made: Plan) -> Iterator[tuple[int, str]]:
    if made.done:
        yield made.done, "answered in this run before"
    if made.refused:
        yield made.refused, "refused in this run before; --refused sends them again"
    if rest := _not_drawn(made):
        yield rest, "not in the sample"
    for reason, count in made.left_out.most_common():
        yield count, f"left out: {REASONS[reason]}"


def _not_drawn(made: Plan) -> int:
    return made.fit - made.done - made.refused - made.forecast.requests


def _forecast(sums: Forecast) -> str:
    tokens = f"{number(sums.input_tokens)} tokens in, {number(sums.output_tokens)} out"
    if not sums.requests:
        return "nothing to send"
    open_ended = f", without {counted(sums.unknown, 'answer')} of unknown length" if sums.unknown else ""
    if not sums.priced:
        return f"{tokens}{open_ended}; the price is not known (see the setting prices, or install flywheel-log[prices])"
    known = "" if sums.priced == sums.requests else f" for the {sums.priced:,} whose price is known"
    return f"{tokens}, {money(sums.cost_usd)}{known}{open_ended}"
