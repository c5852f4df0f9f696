"""What a command prints about a sampled log, and the option to scale its figures up."""

from __future__ import annotations

from typing import Annotated

import typer

from flywheel_log.loop.tally import Tally

ScaleUp = Annotated[
    bool, typer.Option("--scale-up", help="Of a log that is a sample, estimate the figures of all calls.")
]


def say_if_sampled(*counted: Tally) -> None:
    """Tell apart what was recorded and what was called, where the log is a sample."""
    recorded, calls = sum(one.recorded for one in counted), round(sum(one.estimated for one in counted))
    if calls == recorded:
        return
    text = (
        f"these are estimates: {recorded:,} recorded calls stand for {calls:,}, by their sample_rate"
        if counted[0].scaled
        else f"this log is a sample: its {recorded:,} calls stand for {calls:,}; --scale-up estimates their figures"
    )
    typer.echo(f"flywheel-log: {text}", err=True)
