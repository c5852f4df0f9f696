"""`flywheel-log dead-letters`: the events that Elasticsearch rejected; they are sent again once the reason is fixed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from flywheel_log.sinks.elasticsearch import ElasticsearchSink
from flywheel_log.sinks.elasticsearch.dead_letters import AGAIN, DeadLetter, letters, resend

from ._deliver import Into, Timeout, deliver, where
from ._screen import put
from ._source import AsJson

if TYPE_CHECKING:
    from flywheel_log.sinks.elasticsearch.target import Target

Again = Annotated[
    bool, typer.Option("--resend", help="Send them to Elasticsearch again; those it accepts are removed.")
]


def command(
    *, into: Into = "elasticsearch:", again: Again = False, timeout: Timeout = 60.0, as_json: AsJson = False
) -> None:
    """List the events that Elasticsearch rejected, or resend them.

    They are kept beside the journal, in one file for each index.
    """
    target = where(into)
    if again:
        resend(target.dead_letters, lambda refused: _refused_again(refused, target, timeout))
    left = list(letters(target.dead_letters))
    for letter in left:
        words = f"{letter.refused_at} {letter.id} {letter.reason}: {letter.detail[:100]}"
        put({**letter._asdict(), "line": letter.line.decode(), "id": letter.id}, words, as_json=as_json)
    if not as_json:
        typer.echo(f"{len(left)} dead letters in {target.dead_letters}" if left else "no dead letters")


def _refused_again(refused: list[DeadLetter], target: Target, timeout: float) -> list[DeadLetter]:
    """Offer the *refused* events once more; return those that are refused once more."""
    aside = target.dead_letters.with_suffix(AGAIN)
    aside.unlink(missing_ok=True)
    sink = ElasticsearchSink(replace(target, dead_letters=aside))
    deliver(sink, [letter.line for letter in refused], timeout)
    sink.close()
    kept = list(letters(aside))
    aside.unlink(missing_ok=True)
    return kept
