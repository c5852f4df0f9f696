"""`flywheel-log demo`: six calls of a real client over real HTTP, and what became of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.loop.reading.read import read
from flywheel_log.wording import counted

from . import Problem, show, tail
from ._source import AsJson

if TYPE_CHECKING:
    from openai import OpenAI

Log = Annotated[Path, typer.Option(metavar="FILE", help="The file to write to.", readable=False)]
StandIn = Annotated[bool, typer.Option("--stand-in", help="Ask the stand-in even if OPENAI_API_KEY is set.")]

_REAL_MODEL = "gpt-4.1-mini"
_WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "examples": ["Ulm"]}},
            "required": ["city"],
        },
    },
}
_INTRODUCTION = """\
This is all a program needs:

    import flywheel_log
    client = flywheel_log.instrument(OpenAI())
"""
_NEXT = """\
Try next:

    {program} tail {log}
    {program} show {id} {log}
    {program} stats {log}
    {program} export {log}"""


def command(*, log: Log = Path("genai.log"), stand_in: StandIn = False, as_json: AsJson = False) -> None:
    """Make some calls and show their records.

    A real client talks over real HTTP: to OpenAI if OPENAI_API_KEY is set (which costs a fraction of a cent), else to
    a stand-in inside this program that needs neither key nor network. Sync, async, streamed, a tool call, an error.
    """
    _make(log)
    real = bool(os.environ.get("OPENAI_API_KEY")) and not stand_in
    if not as_json:
        typer.echo(_INTRODUCTION)
        typer.echo(f"Calling {_service() if real else 'the stand-in (no key, no network, no model)'} …\n")
    events = _recorded(log, real=real)
    tail.show(events, as_json=as_json)
    if not as_json:
        _explain(events, log)


def _make(log: Path) -> None:
    """Make *log*, if it is not there. Raises Problem where it cannot be written: nothing is left waiting for it."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
    except OSError as error:
        raise Problem(f"{log} cannot be written ({error.strerror}); name another file with --log") from None


def _recorded(log: Path, *, real: bool) -> list[Event]:
    """Make the calls, and read their records back from *log*."""
    session = f"demo-{secrets.token_hex(4)}"
    flywheel_log.configure(sinks=[f"file:{quote(str(log))}"], client_id="demo")
    try:
        with _client(real=real) as client, flywheel_log.context(session_id=session, user_id="you"):
            _call(flywheel_log.instrument(client), _REAL_MODEL if real else "stand-in")
    finally:
        left = flywheel_log.shutdown(timeout=3.0)
    if left:
        raise Problem(f"{counted(left, 'record')} left in the journal, because {log} cannot be written")
    return [event for event in read(log) if event.get("session_id") == session]


@contextlib.contextmanager
def _client(*, real: bool) -> Iterator[OpenAI]:
    from openai import OpenAI

    from flywheel_log import standin

    with contextlib.ExitStack() as held:
        if real:
            yield held.enter_context(OpenAI(max_retries=0))
            return
        server = held.enter_context(standin.serve(latency=0.04, gap=0.005))
        yield held.enter_context(OpenAI(base_url=server.url, api_key="stand-in", max_retries=0))


def _call(client: OpenAI, model: str) -> None:
    with flywheel_log.context(workload_id="greeting"):
        client.chat.completions.create(model=model, messages=_asking("Say hello in five words."))
    with flywheel_log.context(workload_id="story"):
        _stream(client, model)
    with flywheel_log.context(workload_id="weather"):
        client.chat.completions.create(model=model, messages=_asking("Is it raining in Ulm?"), tools=[_WEATHER])
    with flywheel_log.context(workload_id="translate"):
        asyncio.run(_call_together(client, model))
    with flywheel_log.context(workload_id="mistake"):
        _fail(client)


def _asking(question: str) -> Any:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]


async def _call_together(client: OpenAI, model: str) -> None:
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=client.base_url, api_key=client.api_key, max_retries=0) as together:
        flywheel_log.instrument(together)
        words = ("flywheel", "record")
        questions = [_asking(f"Translate to French: {word}") for word in words]
        calls = [together.chat.completions.create(model=model, messages=question) for question in questions]
        await asyncio.gather(*calls)


def _stream(client: OpenAI, model: str) -> None:
    chunks = client.chat.completions.create(
        model=model, messages=_asking("Tell a short story."), stream=True, stream_options={"include_usage": True}
    )
    for _ in chunks:
        pass


def _fail(client: OpenAI) -> None:
    import openai

    with contextlib.suppress(openai.APIStatusError):  # no service has such a model: that it fails is the point
        client.chat.completions.create(model="error-404", messages=_asking("Will this work?"))


def _service() -> str:
    return f"{os.environ.get('OPENAI_BASE_URL') or 'OpenAI'} with the model {_REAL_MODEL}"


def _explain(events: list[Event], log: Path) -> None:
    chosen = next((event for event in events if event.get("workload_id") == "weather"), events[0])
    typer.echo("\nOne of them in full:\n")
    show.show(chosen)
    typer.echo(f"\nThese are {len(events)} JSON lines in {log.resolve()}, readable only by you.\n")
    typer.echo(_NEXT.format(program=_program(), log=shlex.quote(str(log)), id=chosen.get("id", "last")))


def _program() -> str:
    """How this program is called: by its name where a shell finds it, else as it was called (`make demo`)."""
    if shutil.which("flywheel-log"):
        return "flywheel-log"
    if Path(sys.argv[0]).name == "flywheel-log":
        return shlex.quote(sys.argv[0])
    return f"{shlex.quote(sys.executable)} -m flywheel_log"
