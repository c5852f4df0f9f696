"""Fail-open: every function of ours is made to raise, one at a time, and the caller notices nothing."""

from __future__ import annotations

import contextvars
import importlib
import inspect
import pkgutil
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

import flywheel_log
from flywheel_log import capture, instrumentation, recorder, scope, serialise
from flywheel_log.delivery import delivery, journal
from flywheel_log.event import Event
from flywheel_log.health import health
from flywheel_log.scope import frames
from flywheel_log.standin import Server, serve
from tests.capture.clients import HELLO, bare, recorded, seen

# What drives the caller's own call, or does nothing but guard, must run: there is nobody below it to go on.
DOORS = {
    *("client._request", "client._request_async", "client._attempt", "client._attempt_async"),
    *(
        "under_way.telling",
        "under_way.telling_async",
        "patches.bindable",
        "client._copy",
        "foreign._logged",
        "decorator.logged",
        "thread_pools._submit",
    ),
    *(
        "tape.Tape.take",
        "tap.Tap.iter_bytes",
        "tap.Tap.aiter_bytes",
        "tap.Tap._passed",
        "tap.Tap._apassed",
    ),
    *("tap.Tap.close", "tap.Tap.aclose"),
    *("sized.sized", "sized.asized", "sized._Cutter.__init__", "sized._Cutter.cut"),
    *("tap.Tap.__enter__", "tap.Tap.__del__"),
    "usage.Attempt.__enter__",
    # Proxies of a foreign stream, which hand on each method of it.
    *(
        f"stream_proxy.StreamProxy.{name}"
        for name in (
            *("__init__", "__iter__", "__aiter__", "__next__", "__anext__", "__enter__", "__exit__"),
            *("__aenter__", "__aexit__", "close"),
        )
    ),
    # Called when a program is set up, and free to raise there.
    *("scope.context.__init__", "scope.Block.__call__", "scope.suppress.__call__"),
    "instrumentation.logged_llm",
    # Guards of their own, without a decorator.
    *("client._begin", "under_way._arrived", "call.Call.answered"),
    # The only guard of a delivery, and the last rung of its ladder.
    *("delivery.Delivery.put", "serialise.dumps"),
    # Asked by the journal's own thread.
}
MODULES = [
    *(
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(capture.__path__, f"{capture.__name__}.")
        if not found.ispkg
    ),
    *(scope, frames, instrumentation, recorder, delivery, journal, serialise),
]


def plain(thing: Any) -> types.FunctionType | None:
    """The function at the bottom of *thing*: the one inside the guard, if there is a guard."""
    thing = getattr(thing, "fget", None) or getattr(thing, "__func__", thing)
    while hasattr(thing, "__wrapped__"):
        thing = thing.__wrapped__
    return thing if isinstance(thing, types.FunctionType) else None


def functions() -> dict[str, types.FunctionType]:
    found: dict[str, types.FunctionType] = {}
    for module in MODULES:
        short = module.__name__.rpartition(".")[2]
        own = [thing for thing in vars(module).values() if getattr(thing, "__module__", None) == module.__name__]
        for thing in own:
            inside = vars(thing).values() if isinstance(thing, type) else [thing]
            for function in filter(None, map(plain, inside)):
                if function.__module__ == module.__name__ and "<" not in function.__qualname__:
                    found[f"{short}.{function.__qualname__}"] = function
    return found


FUNCTIONS = functions()
WRITTEN_BY_DATACLASSES = ("__eq__", "__hash__", "__repr__", "__setattr__", "__delattr__")
TARGETS = sorted(name for name in set(FUNCTIONS) - DOORS if not name.endswith(WRITTEN_BY_DATACLASSES))
DELIVERY = ("delivery", "journal", "serialise")
DELIVERING = [name for name in TARGETS if name.startswith((*DELIVERY, "recorder"))]
CAPTURING = [name for name in TARGETS if not name.startswith(DELIVERY)]
DRIVING = [
    name
    for name in CAPTURING
    if name.startswith(("client.", "call.", "under_way.", "tap.", "tape.", "usage.", "scope.", "frames."))
]


@contextmanager
def raising(function: types.FunctionType) -> Iterator[None]:
    """Make *function*, under every name that it has, raise RuntimeError."""
    free = function.__code__.co_freevars
    lines = [f"  {name} = None" for name in free]
    kind = "async def" if inspect.iscoroutinefunction(function) else "def"
    source = "\n".join(
        [
            "def outer():",
            *lines,
            f"  {kind} broken(*args, **kwargs):",
            *[f"    {name}" for name in free],
            "    raise RuntimeError('injected')",
            *["    yield"] * inspect.isgeneratorfunction(function),
            "  return broken",
        ]
    )
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102 - a closure of the same size and kind, which Python wants for an exchange of code
    before, function.__code__ = function.__code__, namespace["outer"]().__code__
    try:
        yield
    finally:
        function.__code__ = before


def shown(value: Any) -> Any:
    return seen(value.model_copy(update={"id": ""}))


def calls(client: Any) -> Any:
    """What a program does in the course of the test, and what it sees."""
    create = client.chat.completions.create

    @flywheel_log.logged_llm
    def decorated() -> Any:
        return shown(create(**HELLO))

    @flywheel_log.logged_llm
    def generating() -> Any:
        yield "word"

    with flywheel_log.context(user_id="u"), pytest.raises(openai.BadRequestError):
        create(model="error-400", messages=[])
    return [
        shown(create(**HELLO)),
        [shown(one) for one in create(**HELLO, stream=True)],
        shown(client.with_options(timeout=9).chat.completions.create(**HELLO)),
        shown(client.chat.completions.with_raw_response.create(**HELLO).parse()),
        decorated(),
        list(generating()),
    ]


def apart(function: Callable[..., Any], *args: Any) -> Any:
    """Run *function* in a context of its own: what a broken `__exit__` leaves there is no matter of the next test."""
    return contextvars.copy_context().run(function, *args)


async def acalls(client: Any) -> Any:
    stream = await client.chat.completions.create(**HELLO, stream=True)
    return [shown(await client.chat.completions.create(**HELLO)), [shown(one) async for one in stream]]


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    with serve() as server:
        yield server


@pytest.fixture(scope="module")
def expected(service: Server) -> Any:
    with bare(service) as client, flywheel_log.suppress():  # What is decorated would be in a log of the checkout's.
        return calls(client)


def test_every_door_is_there() -> None:
    assert DOORS - set(FUNCTIONS) == set()


@pytest.mark.parametrize("name", CAPTURING)
def test_the_caller_notices_nothing_when_this_raises(
    name: str, service: Server, expected: Any, events: list[Event]
) -> None:
    with recorded(service) as client, raising(FUNCTIONS[name]):
        found = apart(calls, client)
    assert found == expected
    assert health.dropped() or [one for one in events if "request" not in one] == []
    assert health.dropped() or len(events) == len(expected) + 1


@pytest.mark.parametrize("name", DRIVING)
async def test_an_async_caller_notices_nothing_when_this_raises(
    name: str, service: Server, expected: Any, events: list[Event]
) -> None:
    async with recorded(service, openai.AsyncOpenAI) as client:
        with raising(FUNCTIONS[name]):
            found = await acalls(client)
    assert found == expected[:2]
    assert health.dropped() or [one["status"] for one in events] == ["ok", "ok"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_that_cannot_be_read_is_still_told_of_whom_and_of_what_it_was(
    stream: bool, service: Server, events: list[Event]
) -> None:
    with recorded(service) as client, raising(FUNCTIONS["call.Call._event"]):
        with flywheel_log.context(user_id="u", session_id="s"):
            answer = client.chat.completions.create(**HELLO, stream=stream)
        list(answer)
    (event,) = events
    assert (event["status"], event["training_unsafe"]) == ("incomplete", ["capture_failed"])
    assert [event[key] for key in ("client_id", "workload_id", "user_id", "session_id")] == ["acme", "tests", "u", "s"]
    assert (event["provider"], event["model"], event["streamed"]) == ("openai", HELLO["model"], stream)


@pytest.mark.parametrize("name", DELIVERING)
def test_the_caller_notices_nothing_when_the_journal_raises(name: str, service: Server, expected: Any) -> None:
    flywheel_log.configure(sinks=["file:genai.log"])
    with recorded(service) as client:
        with raising(FUNCTIONS[name]):
            found = apart(calls, client)
        assert found == expected
        counted = health.dropped()
        flywheel_log.shutdown(5)
    written = Path("genai.log").read_text(encoding="utf-8").splitlines() if Path("genai.log").exists() else []
    assert counted or len(written) == len(expected) + 1
