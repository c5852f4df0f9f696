"""`flywheel-log replay`: logged requests sent again, to another model, with another prompt or to another server."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import typer

import flywheel_log
from flywheel_log.loop.replay import judge as judging
from flywheel_log.loop.replay.change import Change, Text
from flywheel_log.loop.replay.fit import request_of
from flywheel_log.loop.replay.forecast import estimate
from flywheel_log.loop.replay.origin import of_run, run_name, settled, stamp
from flywheel_log.loop.replay.pairs import replays
from flywheel_log.loop.replay.send import speaks

from . import Problem
from ._records import ALL, Given
from ._select import selecting
from ._sending import Sending, client_for, deliver_what_was_left
from ._source import AsJson
from ._target import logs, sinks, written

Model = Annotated[str, typer.Option(metavar="MODEL", help="The model to ask (--where model=… selects by the old one).")]
Prompt = Annotated[Path | None, typer.Option(metavar="FILE", help="A file with the new system message.")]
BaseUrl = Annotated[
    str, typer.Option(metavar="URL", help="The server to ask.", show_default="OPENAI_BASE_URL, else OpenAI's")
]
Template = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="The file is a new template of the Prompt of this name; its variables are filled in."
    ),
]
Version = Annotated[
    str, typer.Option("--as", metavar="VERSION", help="The new prompt's version.", show_default="its file's name")
]
Role = Annotated[
    Literal["system", "user"], typer.Option(metavar="system|user", help="Whose message the new prompt replaces.")
]
Run = Annotated[str, typer.Option(metavar="NAME", help="The run's name.", show_default="made of what is new")]
Sample = Annotated[int | None, typer.Option(metavar="NUMBER", min=1, help="Send at most this many requests.")]
Seed = Annotated[
    int, typer.Option(metavar="NUMBER", help="Random seed of the sample; the same seed draws the same requests.")
]
Concurrency = Annotated[
    int, typer.Option(metavar="NUMBER", min=1, max=256, help="Number of requests in flight at once.")
]
Rate = Annotated[float | None, typer.Option(metavar="NUMBER", min=0.01, help="Maximum number of requests a minute.")]
Redacted = Annotated[bool, typer.Option("--redacted", help="Also send requests in which something was redacted.")]
Refused = Annotated[bool, typer.Option("--refused", help="Also send again what the server refused in this run.")]
Into = Annotated[str | None, typer.Option(metavar="URL", help="A sink for the answers.", show_default="the log read")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Send nothing; show what would be sent, and its cost.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before sending.")]
Judge = Annotated[str, typer.Option(metavar="MODEL", help="Model that judges afterwards which answer is better.")]


@selecting
def command(
    records: Given = ALL,
    *,
    model: Model = "",
    prompt: Prompt = None,
    base_url: BaseUrl = "",
    template: Template = "",
    version: Version = "",
    role: Role = "system",
    run: Run = "",
    sample: Sample = None,
    seed: Seed = 0,
    concurrency: Concurrency = 4,
    rate: Rate = None,
    redacted: Redacted = False,
    refused: Refused = False,
    into: Into = None,
    judge: Judge = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Resend logged requests to another model, prompt or server.

    The answers are recorded as workloads of their own (`support.replay`), and `compare --replay RUN` shows them beside
    the old ones. The key comes from OPENAI_API_KEY. Tools are offered, not run. Nothing is sent before you have seen
    and confirmed the forecast; the same command again sends only requests that have no answer yet, and were not refused
    as invalid. A judge is a model on the same server, asked which of two answers is better; it is not told which one is
    new.
    """
    change = _change(model, prompt, template, version, role)
    if not (change or base_url):
        raise typer.BadParameter("say what to change: --model, --prompt or --base-url")
    records.rereadable()
    name, client, target = run or _run_name(change, base_url), client_for(base_url), sinks(records.given, into)
    limits = {"concurrency": concurrency, "per_minute": rate}
    sending = Sending(records, client, target, limits, dry_run=dry_run, yes=yes, as_json=as_json)
    if not dry_run:
        deliver_what_was_left(target)
    body = partial(request_of, change=change, surfaces=speaks(client), redacted=redacted, anywhere=bool(base_url))
    before = settled(of_run(written(target), name))
    with records.reading() as events:
        made = sending.plan(events, body, estimate, before, again=refused, sample=sample, seed=seed)
    problem = sending.carry_out(made, {"run": name}, body, lambda event: stamp(event, name) | change.stamp(event))
    if judge and not dry_run:  # of earlier answers, too, so whatever came of these
        problem = _judge(sending, judge, name, again=refused) or problem
    if not (as_json or dry_run or problem):
        typer.echo(f"compare old and new: flywheel-log compare --replay {name}{logs(records.given, target)}")
    if problem:
        raise problem


def _judge(sending: Sending, model: str, run: str, *, again: bool) -> Problem | None:
    """Let *model* judge the pairs that have not been judged yet."""
    ours = [*of_run(written(sending.target), run)]
    body = partial(judging.question, news=replays(ours), model=model)
    made = sending.plan(sending.calls(), body, judging.cost, judging.judged(ours), again=again)
    return sending.carry_out(made, {"run": run, "judge": model}, body, partial(judging.stamp, run=run))


def _change(model: str, path: Path | None, template: str, version: str, role: Literal["system", "user"]) -> Change:
    if path is None:
        if given := [
            name for name, value in (("--template", template), ("--as", version), ("--role", role != "system")) if value
        ]:
            raise typer.BadParameter("it applies to a new prompt; name one with --prompt", param_hint=given[0])
        return Change(model or None)
    try:
        text = path.read_text(encoding="utf-8").removesuffix("\n")
        called = version or path.stem
        new = flywheel_log.Prompt(template, called, text) if template else Text(text, called)
    except ValueError as error:
        raise typer.BadParameter(f"{path}: {error}", param_hint="--prompt") from None
    return Change(model or None, new, role)


def _run_name(change: Change, base_url: str) -> str:
    prompt = change.prompt
    text = prompt.text if isinstance(prompt, Text) else prompt.template if prompt else None
    name = None if prompt is None or isinstance(prompt, Text) else prompt.name
    content = [change.model, text, change.role, base_url]
    version = prompt.version if prompt else None
    return run_name(change.model, name, version, urlsplit(base_url).hostname, content=content)
