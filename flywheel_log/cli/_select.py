"""The options that say which records are meant, the same for every command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Annotated, Any, get_args

import typer

from flywheel_log.event import Status
from flywheel_log.loop.filter import OPINIONS, Filter, conditions
from flywheel_log.loop.values import full

from . import wrong
from ._amounts import time
from ._records import Records

_STATUSES: tuple[str, ...] = get_args(Status)


def one_of(**given: object) -> None:
    """Raise typer.BadParameter where more than one of the options *given*, by name, has a value: each is for itself."""
    several = [f"--{name.replace('_', '-')}" for name, value in given.items() if value]
    if len(several) > 1:
        raise typer.BadParameter(f"{' and '.join(several)} cannot be combined; leave one out")


def selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command*, which takes `records`, the sources in their place, and the options that choose among them.

    An option of the command's own stands in the place of one of the same name; `--where` still selects by that field.
    """
    own = inspect.signature(command, eval_str=True).parameters
    options = inspect.signature(_options, eval_str=True).parameters.values()
    added = [one for one in options if one.name not in own]
    taken = own["records"]
    sources = taken.replace(annotation=Annotated[list[str] | None, *taken.annotation.__metadata__], default=None)
    parameters = [*({**own, "records": sources}).values(), *added]

    def expanded(**given: Any) -> Any:
        selection = {one.name: given.pop(one.name) for one in added}
        with wrong():
            chosen = _options(**selection)
        return command(**given | {"records": Records(given["records"], chosen)})

    # Typer makes its options of these.
    vars(expanded)["__signature__"] = inspect.Signature(parameters)
    expanded.__annotations__ = {one.name: one.annotation for one in parameters}
    expanded.__doc__ = command.__doc__
    return expanded


def _options(
    *,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Calls from this time on: 15m, 2h, 3d ago, or 2026-01-31T10:00.")
    ] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Calls before this time.")] = "",
    client: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Client; * and ? are wildcards, as in the options below.")
    ] = None,
    workload: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Workload; repeat any of these options to match one of several."),
    ] = None,
    model: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Model.")] = None,
    status: Annotated[list[str] | None, typer.Option(metavar="STATUS", help="ok, error or incomplete.")] = None,
    user: Annotated[list[str] | None, typer.Option(metavar="ID", help="User.")] = None,
    session: Annotated[list[str] | None, typer.Option(metavar="ID", help="Session.")] = None,
    trace: Annotated[list[str] | None, typer.Option(metavar="ID", help="Trace.")] = None,
    prompt_version: Annotated[list[str] | None, typer.Option(metavar="VERSION", help="Version of the prompt.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=VALUE", help="Any field, e.g. metadata.tenant=acme.")
    ] = None,
    feedback: Annotated[str, typer.Option(metavar="|".join(OPINIONS), help="Feedback on the answer.")] = "",
    text: Annotated[
        str, typer.Option(metavar="REGEX", help="Regular expression that the conversation contains; case is ignored.")
    ] = "",
) -> Filter:
    named = {"client": client, "workload": workload, "model": model, "status": status, "user": user}
    named |= {"session": session, "trace": trace, "prompt.version": prompt_version}
    fields = {full(name): tuple(values) for name, values in named.items() if values}
    for pattern in status or ():
        if not any(fnmatchcase(one, pattern) for one in (*_STATUSES, "")):
            raise ValueError(f"status {pattern!r} is unknown; expected one of {', '.join(_STATUSES)}")
    with wrong("--where"):
        others = conditions(where or (), "metadata.tenant=acme")
    if twice := fields.keys() & others.keys():
        raise ValueError(
            f"{', '.join(sorted(twice))} is given by an option of its own and by --where; repeat one of them"
        )
    return Filter(
        since=time(since, "--since"),
        until=time(until, "--until"),
        where=fields | others,
        text=text,
        feedback=feedback or None,
    )
