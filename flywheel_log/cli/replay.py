"""`flywheel-log replay`: logged requests sent again, to another model, with another prompt or to another server."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

import typer

from flywheel_log.clock import timestamp
from flywheel_log.delivery.destination import public
from flywheel_log.event import JSON, Event
from flywheel_log.loop.filter import Filter
from flywheel_log.loop.read import read
from flywheel_log.loop.replay.change import Change, Text
from flywheel_log.loop.replay.fit import request_of
from flywheel_log.loop.replay.forecast import Estimate, estimate
from flywheel_log.loop.replay.origin import answered, run_name, stamp
from flywheel_log.loop.replay.plan import plan
from flywheel_log.loop.replay.send import send, speaks
from flywheel_log.pipeline.price import Prices

from . import Problem
from ._replayed import progress, put_plan, put_sent
from ._select import selecting
from ._source import EVERYTHING, AsJson, Sources, default, feedbacks, nothing, reading, settings
from ._target import logs, sinks, written

if TYPE_CHECKING:
    from openai import OpenAI

Model = Annotated[str, typer.Option("--model", help="The model to ask (--where model=… selects by the old one).")]
Prompt = Annotated[Path | None, typer.Option("--prompt", help="A file with the new system message.")]
BaseUrl = Annotated[
    str, typer.Option("--base-url", help="The server to ask.", show_default="OPENAI_BASE_URL, else OpenAI's")
]
Template = Annotated[
    str,
    typer.Option("--template", metavar="NAME", help="The file is the template of this Prompt: fill it in."),
]
Version = Annotated[
    str, typer.Option("--as", metavar="VERSION", help="The new prompt's version.", show_default="its file's name")
]
Role = Annotated[Literal["system", "user"], typer.Option("--role", help="Whose message the new prompt replaces.")]
Run = Annotated[str, typer.Option("--run", metavar="NAME", help="The run's name.", show_default="made of what is new")]
Sample = Annotated[int | None, typer.Option("--sample", min=1, help="Send so many at most.")]
Seed = Annotated[int, typer.Option("--seed", help="Draws the sample, always alike.")]
Concurrency = Annotated[int, typer.Option("--concurrency", min=1, max=256, help="How many are on their way at once.")]
Rate = Annotated[float | None, typer.Option("--rate", min=0.01, help="How many a minute, at most.")]
Redacted = Annotated[bool, typer.Option("--redacted", help="Send what redaction left, too.")]
Into = Annotated[
    str | None, typer.Option("--into", metavar="URL", help="A sink for the answers.", show_default="the log read")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Send nothing; say what would be sent, and for how much.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before sending.")]
_DELIVERY_SECONDS = 30.0


@selecting
def command(
    sources: Sources = None,
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
    into: Into = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
    chosen: Filter = EVERYTHING,
) -> None:
    """Send logged requests again: to another model, with another prompt, to another server.

    The answers are recorded as workloads of their own (`support.replay`), and `compare --replay RUN` shows them beside
    the old ones. The key comes from OPENAI_API_KEY. Tools are offered, not run. Nothing is sent before you have seen
    the forecast and said yes; the same command again sends only what has no answer yet.
    """
    change = _change(model, prompt, template, version, role)
    client = _client(base_url, dry_run=dry_run, named=bool(change or base_url))
    name, target = run or _run_name(change, base_url), sinks(sources, into)
    body = partial(request_of, change=change, surfaces=speaks(client), redacted=redacted, anywhere=bool(base_url))
    if not dry_run:
        _drain()
    done = answered(written(target), name)
    with reading(sources, chosen) as events:
        made = plan(events, body, _price(), done=done, sample=sample, seed=seed)
    if not made.calls:
        raise nothing("calls", chosen)
    put_plan(made, name, public(str(client.base_url)), dry_run=dry_run, as_json=as_json)
    if dry_run or not made.forecast.requests:
        return
    _confirm(yes=yes, as_json=as_json)
    again = chosen.select(read(sources or default()), feedbacks(sources) if chosen.feedback else None)
    with _recording(client, target), progress(made.forecast.requests) as show:
        sent = send(
            made.jobs(again, body),
            client,
            lambda event: stamp(event, name) | change.stamp(event),
            concurrency=concurrency,
            per_minute=rate,
            on_sent=show,
        )
    put_sent(sent, name, logs(sources, target), as_json=as_json)


def _change(model: str, path: Path | None, template: str, version: str, role: Literal["system", "user"]) -> Change:
    if path is None:
        if given := [name for name, value in (("--template", template), ("--as", version)) if value]:
            raise typer.BadParameter("it says something about a new prompt; name one by --prompt", param_hint=given[0])
        return Change(model or None)
    import flywheel_log

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


def _client(base_url: str, *, dry_run: bool, named: bool) -> OpenAI:
    """Return the client that asks; a dry run needs no key. Raises Problem if the environment lacks one."""
    if not named:
        raise typer.BadParameter("name what is new: --model, --prompt or --base-url")
    from openai import OpenAI, OpenAIError

    key = os.environ.get("OPENAI_API_KEY") or ("dry-run" if dry_run else None)
    try:
        return OpenAI(base_url=base_url or None, api_key=key)
    except OpenAIError as error:
        raise Problem(error) from None


def _drain() -> None:
    """Deliver what an earlier go recorded before it was killed: it waits in the journal."""
    from flywheel_log.delivery import drain
    from flywheel_log.recorder import enrichment

    known = settings()
    drain(known.journal, _DELIVERY_SECONDS, enrichment(known))


def _price() -> Callable[[Event, JSON], Estimate]:
    return partial(estimate, price=Prices(settings().prices), now=timestamp(time.time()))


def _confirm(*, yes: bool, as_json: bool) -> None:
    if yes:
        return
    if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Problem("nothing is sent without --yes where there is nobody to ask")
    typer.confirm("Send them?", abort=True)


@contextmanager
def _recording(client: OpenAI, target: tuple[str, ...]) -> Iterator[None]:
    """Record every call of *client* in the block. Raises Problem where records wait for their log afterwards."""
    import flywheel_log

    flywheel_log.configure(sinks=target, sample=1.0, disabled=False)
    flywheel_log.instrument(client)
    try:
        yield
    finally:
        left = flywheel_log.shutdown(_DELIVERY_SECONDS)
    if left:
        where = ", ".join(map(public, target))
        raise Problem(f"{left} answers wait in the journal; run `flywheel-log drain` when {where} takes them")
