"""What other packages that record OpenAI's calls cost the caller's thread, beside flywheel_log and the naive lines.

    make peers ARGS="[--rounds N] [NAME …]"

Each peer has a process of its own, because most of them patch the SDK for all of it. There, the bare call, the naive
lines, flywheel_log and the peer take turns, in blocks of a few calls, between which the peer is switched on and off.
As in `overhead.py`, figures are processor time of the calling thread over a transport that answers from memory,
compared with the bare call of the same turn; what is done in other threads does not count. What a peer sends goes to a
server of this machine that takes everything; those that make spans of OpenTelemetry have its batch processor, whose
exporter drops them.

Each peer is set up as its documentation says, to record prompts and answers. flywheel_log is as installed: it redacts,
and a call that has returned is safe from a crash, which it is with none of the peers.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from importlib.metadata import version
from typing import Any, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, make_server

from _scenarios import CHUNKS, HELLO, LONG, sync_client
from openai import OpenAI
from openai.resources.chat.completions import Completions
from overhead import added, begin_naive, once, plain, plain_naive, stream, stream_naive

import flywheel_log

BLOCK = 5
Switch = Callable[[], AbstractContextManager[Any]]


class Peer(NamedTuple):
    """The distribution a peer comes in, and what makes a client that it records while its switch is on."""

    distribution: str
    prepare: Callable[[], tuple[Any, Switch]]


def processor() -> Any:
    """OpenTelemetry's own, as it is set up in production, with an exporter that costs nothing."""
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Dropping(SpanExporter):
        def export(self, _: Any) -> Any:
            return SpanExportResult.SUCCESS

    return BatchSpanProcessor(Dropping())


def patching(patch: Callable[[], object]) -> tuple[Any, Switch]:
    """A client as what *patch* makes of the SDK's methods; not all of them take back what they did to those."""
    methods = ((Completions, "create"), (OpenAI, "request"))

    def put(there: list[Any]) -> None:
        for (owner, name), method in zip(methods, there, strict=True):
            setattr(owner, name, method)

    bare = [getattr(owner, name) for owner, name in methods]
    patch()
    patched = [getattr(owner, name) for owner, name in methods]
    put(bare)

    @contextmanager
    def on() -> Iterator[None]:
        put(patched)
        yield
        put(bare)

    return sync_client(), on


def instrumentor(module: str) -> tuple[Any, Switch]:
    """One that patches the SDK's classes, in the manner of OpenTelemetry's contributors."""
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider()
    provider.add_span_processor(processor())
    made = importlib.import_module(module).OpenAIInstrumentor()
    return patching(partial(made.instrument, tracer_provider=provider))


def langfuse() -> tuple[Any, Switch]:
    return patching(partial(importlib.import_module, "langfuse.openai"))


def langsmith() -> tuple[Any, Switch]:
    from langsmith.wrappers import wrap_openai

    return wrap_openai(sync_client()), nullcontext


def opik() -> tuple[Any, Switch]:
    from opik.integrations.openai import track_openai

    return track_openai(sync_client()), nullcontext


def logfire() -> tuple[Any, Switch]:
    import logfire as it

    it.configure(send_to_logfire=False, console=False, additional_span_processors=[processor()])
    client = sync_client()
    it.instrument_openai(client)
    return client, nullcontext


PEERS = {
    "langfuse": Peer("langfuse", langfuse),
    "langsmith": Peer("langsmith", langsmith),
    "logfire": Peer("logfire", logfire),
    "openinference": Peer(
        "openinference-instrumentation-openai", partial(instrumentor, "openinference.instrumentation.openai")
    ),
    "openllmetry": Peer(
        "opentelemetry-instrumentation-openai", partial(instrumentor, "opentelemetry.instrumentation.openai")
    ),
    "opentelemetry": Peer(
        "opentelemetry-instrumentation-openai-v2", partial(instrumentor, "opentelemetry.instrumentation.openai_v2")
    ),
    "opik": Peer("opik", opik),
}


def settings(url: str, directory: str) -> dict[str, str]:
    """The environment of a peer that sends to *url*, and of flywheel_log and the naive lines in *directory*."""
    langfuse = {"LANGFUSE_PUBLIC_KEY": "pk-1", "LANGFUSE_SECRET_KEY": "sk-1", "LANGFUSE_HOST": url}
    langsmith = {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "key", "LANGSMITH_ENDPOINT": url}
    opik = {"OPIK_URL_OVERRIDE": url, "OPIK_API_KEY": "key", "OPIK_WORKSPACE": "default", "OPIK_SENTRY_ENABLE": "false"}
    content = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"}
    ours = {"FLYWHEEL_LOG_JOURNAL": f"{directory}/journal", "FLYWHEEL_LOG_SINKS": f"file:{directory}/genai.log"}
    return {**os.environ, **langfuse, **langsmith, **opik, **content, **ours}


def measure(peer: Peer, rounds: int) -> dict[str, dict[str, float]]:
    """What each way of recording adds to a call, in microseconds, by kind of call."""
    begin_naive()
    bare = sync_client()
    clients = {"flywheel_log": flywheel_log.instrument(sync_client())}
    clients["peer"], on = peer.prepare()
    kinds: dict[str, tuple[Callable[[Any], Any], Callable[[], Any], int]] = {
        "small call": (partial(plain, request=HELLO), plain_naive(bare, HELLO), rounds),
        "40 KB": (partial(plain, request=LONG[0]), plain_naive(bare, LONG[0]), rounds // 3),
        f"stream of {len(CHUNKS)}": (stream, stream_naive(bare), rounds // 5),
    }
    found = {}
    for kind, (variant, naive, some) in kinds.items():
        turns = {"bare": variant(bare), "naive": naive} | {name: variant(client) for name, client in clients.items()}
        found[kind] = added(take_turns(turns, on, some))
    return found


def take_turns(turns: dict[str, Callable[[], Any]], on: Switch, rounds: int) -> dict[str, list[float]]:
    """Call each variant a few times in turn, the peer switched on; the first call of a block does not count."""
    figures: dict[str, list[float]] = {name: [] for name in turns}
    for turn in range(max(rounds // BLOCK, 5)):
        for name, variant in turns.items() if turn % 2 else reversed(turns.items()):
            with on() if name == "peer" else nullcontext():
                figures[name] += [once(variant) for _ in range(BLOCK + 1)][1:]
    return figures


class Quiet(WSGIRequestHandler):
    """Says nothing of what it serves."""

    def log_message(self, *_: Any) -> None:
        """Do not."""


def taking(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """A server that takes whatever is sent."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b"{}"]


def compare(name: str, rounds: int, url: str) -> None:
    """Measure the peer *name* in a process of its own, and print what it adds, and how many times ours and naive."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, __file__, "--rounds", str(rounds), "--child", name]
        environment = settings(url, directory)
        done = subprocess.run(command, check=False, env=environment, cwd=directory, capture_output=True, text=True)  # noqa: S603 - itself
    if done.returncode:
        print(f"{name:15}{done.stderr.strip().splitlines()[-1]}")
        return
    found = json.loads(done.stdout.strip().splitlines()[-1])
    row = ""
    for more in found.values():
        ours, theirs, naive = more["flywheel_log"], more["peer"], more["naive"]
        row += f"{naive:9.0f}{ours:7.0f}{theirs:9.0f}{theirs / ours:7.1f}x"
    print(f"{name:15}{version(PEERS[name].distribution):10}{row}", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PEERS))
    options.add_argument("--rounds", type=int, default=500)
    options.add_argument("--child", choices=PEERS, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.child:
        print(json.dumps(measure(PEERS[given.child], given.rounds)), flush=True)
        os._exit(0)  # What some of them do at exit takes its time.
    server = make_server("127.0.0.1", 0, taking, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"openai {version('openai')}; microseconds that recording adds in the calling thread")
    print(f"{'':25}{'small call':^33}{'40 KB conversation':^33}{f'stream of {len(CHUNKS)} chunks':^33}")
    print(f"{'':25}" + f"{'naive':>9}{'ours':>7}{'peer':>9}{'':8}" * 3)
    for name in given.names or PEERS:
        compare(name, given.rounds, f"http://127.0.0.1:{server.server_port}")


if __name__ == "__main__":
    main()
