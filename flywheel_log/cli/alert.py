"""`flywheel-log alert`: rules about the latest calls, for cron and CI."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flywheel_log.loop.alert import Outcome, Rule, check, earliest, parse
from flywheel_log.loop.feedback import Feedbacks

from . import Problem, failing, wrong
from ._amounts import time
from ._file_errors import explained
from ._records import Records
from ._screen import one_line, put_json, put_marked
from ._source import AsJson, Sources

if TYPE_CHECKING:
    from collections.abc import Sequence

Rules = Annotated[
    list[str] | None,
    typer.Option(metavar="RULE", help="A rule such as 'error_rate > 5% over 15m'; repeat it for several."),
]
RulesFile = Annotated[Path | None, typer.Option(metavar="FILE", help="A TOML file of rules.")]
At = Annotated[str, typer.Option(metavar="TIME", help="End of the period that is checked.")]
Webhook = Annotated[
    str, typer.Option(metavar="URL", envvar="ALERT_WEBHOOK_URL", help="Post what fires there, as JSON.")
]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="Seconds for the webhook to answer.")]
All = Annotated[bool, typer.Option("--all", help="Also show rules that did not fire.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 also if there is too little data to decide.")]

_FIRED, _FAILED = 1, 3
_MARKS = {
    "fired": ("✗ fired", "bold red"),
    "quiet": ("✓ quiet", "green"),
    "too_little_data": ("? unknown", "yellow"),
}


def command(
    sources: Sources = None,
    *,
    rule: Rules = None,
    rules: RulesFile = None,
    at: At = "",
    webhook: Webhook = "",
    timeout: Timeout = 10.0,
    tell_all: All = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Check alert rules against the latest calls.

    QUANTITY > NUMBER over TIME [against TIME] [where FIELD=VALUE] [min CALLS]. Exit codes: 0 nothing fired, 1 a rule
    fired, 2 wrong usage or a wrong rule, 3 could not be checked: no log, no server, or a webhook that failed.
    """
    until = time(at, "--at") or datetime.now(UTC)
    wanted = _rules(rule or [], rules)
    if webhook:
        _check(webhook)
    try:
        outcomes = _outcomes(Records(sources), wanted, until)
    except OSError as error:
        raise Problem(explained(error), code=_FAILED) from None
    for outcome in outcomes:
        _put(outcome, tell_all=tell_all, as_json=as_json)
    fired = [outcome for outcome in outcomes if outcome.state == "fired"]
    if fired and webhook:
        _post(webhook, fired, timeout)
    if fired or (strict and any(outcome.state == "too_little_data" for outcome in outcomes)):
        raise typer.Exit(_FIRED)


def _rules(lines: list[str], file: Path | None) -> list[Rule]:
    from flywheel_log.loop.alert.rules_file import load

    try:
        with wrong():
            found = [*map(parse, lines), *(load(file) if file else ())]
    except OSError as error:
        raise typer.BadParameter(explained(error), param_hint="--rules") from None
    if not found:
        raise typer.BadParameter("there is no rule to check; pass --rule 'error_rate > 5% over 15m', or --rules FILE")
    return found


def _check(webhook: str) -> None:
    from flywheel_log.loop.alert.webhook import checked

    with wrong("--webhook"):
        checked(webhook)


def _outcomes(records: Records, rules: list[Rule], until: datetime) -> list[Outcome]:
    since = earliest(rules, until)
    said = any(rule.quantity.needs_feedback for rule in rules)
    known = records.feedbacks(since) if said else Feedbacks(())
    with records.reading(since=since) as events:
        return check(rules, events, known, until)


def _put(outcome: Outcome, *, tell_all: bool, as_json: bool) -> None:
    from flywheel_log.loop.alert import words

    if as_json:
        put_json(words.as_json(outcome))
    elif tell_all or outcome.state == "fired":
        put_marked(*_MARKS[outcome.state], one_line(words.in_words(outcome)))


def _post(webhook: str, fired: Sequence[Outcome], timeout: float) -> None:
    from flywheel_log.loop.alert.webhook import WebhookFailed, post

    with failing(WebhookFailed, code=_FAILED):
        post(webhook, fired, timeout)
