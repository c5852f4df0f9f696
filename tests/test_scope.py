"""Who calls, and for what: how fields nest, where they reach, and that no block leaks into another."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import itertools
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import flywheel_log
from flywheel_log import scope
from flywheel_log.scope import context, suppress
from flywheel_log.scope.fields import fields_of
from flywheel_log.shape import TYPES
from flywheel_log.testing import recording
from tests.capture.interrupted import Interruption

OF_ONE_EVENT = {"id", "timestamp", "kind", "name", "target", "request", "response", "duration_ms"}


class Task(Enum):
    TRANSLATE = "translate"


class Number(Enum):
    SEVEN = 7


def current() -> dict[str, Any]:
    return {name: value for name, value in scope.current().items() if not name.startswith("_")}


def test_blocks_nest():
    with context(workload_id="outer", user_id="u", tags=["a"], metadata={"x": 1, "y": 1}):
        with context(workload_id="inner", tags=["b", "a"], metadata={"y": 2}):
            assert current() == {
                "workload_id": "inner",
                "user_id": "u",
                "tags": ["a", "b"],
                "metadata": {"x": 1, "y": 2},
            }
        assert current() == {"workload_id": "outer", "user_id": "u", "tags": ["a"], "metadata": {"x": 1, "y": 1}}
    assert current() == {}


def test_one_block_serves_many_threads_at_once():
    block, inside, leave = context(user_id="u"), threading.Barrier(3), threading.Event()
    found: list[Any] = []

    def enter() -> None:
        with block:
            inside.wait(10)
            leave.wait(10)
            found.append(current())
        found.append(current())

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    leave.set()
    for thread in threads:
        thread.join()
    assert sorted(found, key=len) == [{}, {}, {"user_id": "u"}, {"user_id": "u"}]


def test_a_block_may_be_entered_inside_itself():
    block = context(user_id="u")
    with block:
        with block:
            assert current() == {"user_id": "u"}
        assert current() == {"user_id": "u"}
    assert current() == {}


def test_a_block_left_in_another_context_harms_nobody():
    block = context(user_id="u")
    contextvars.copy_context().run(block.__enter__)
    block.__exit__(None, None, None)
    assert current() == {}


def test_a_generator_that_leaves_its_block_late_does_not_leak():
    def holding() -> Any:
        with context(user_id="generator"):
            yield

    held = holding()
    next(held)
    with context(user_id="caller"):
        held.close()
    assert current() == {}


async def test_tasks_have_the_fields_of_where_they_were_made():
    async def task(name: str) -> Any:
        with context(session_id=name):
            await asyncio.sleep(0)
            return current()

    async with context(user_id="u"):
        found = await asyncio.gather(task("a"), task("b"), asyncio.to_thread(current))
    assert found == [{"user_id": "u", "session_id": "a"}, {"user_id": "u", "session_id": "b"}, {"user_id": "u"}]


async def test_it_decorates_functions_of_every_kind():
    decorate = context(user_id="u")

    @decorate
    def plain() -> Any:
        return current()

    @decorate
    async def coroutine() -> Any:
        await asyncio.sleep(0)
        return current()

    @decorate
    def generator() -> Any:
        yield current()
        yield current()

    @decorate
    async def async_generator() -> Any:
        yield current()

    between = []
    inside = []
    for found in generator():
        inside.append(found)
        between.append(current())
    assert [plain(), await coroutine(), *inside, *[one async for one in async_generator()]] == [{"user_id": "u"}] * 5
    assert between == [{}, {}]


async def test_what_a_decorated_function_returns_to_be_entered_or_awaited_has_the_fields_while_its_body_runs():
    inside: list[Any] = []

    @context(user_id="u")
    @contextlib.contextmanager
    def manager() -> Any:
        inside.append(current())
        yield
        inside.append(current())

    @context(user_id="u")
    @contextlib.asynccontextmanager
    async def async_manager() -> Any:
        inside.append(current())
        yield
        inside.append(current())

    class Later:
        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            inside.append(current())

    with manager():
        between = [current()]
    async with async_manager():
        between.append(current())
    await context(user_id="u")(Later)()
    between.append(current())
    assert (inside, between) == ([{"user_id": "u"}] * 5, [{}] * 3)


@pytest.mark.parametrize("decorate", [context(tags=["t"]), flywheel_log.step("outer"), flywheel_log.logged_llm])
async def test_the_blocks_of_a_decorated_generator_hold_whenever_its_body_runs(decorate: Any):
    @decorate
    def generator() -> Any:
        with context(user_id="u"), flywheel_log.step("inner"):
            yield current()["user_id"]
            with context(session_id="s"):
                yield current()["user_id"]
            yield current()["user_id"], "session_id" in current()
        yield "user_id" in current()

    @decorate
    async def async_generator() -> Any:
        async with context(user_id="u"), flywheel_log.step("inner"):
            yield current()["user_id"]
            await asyncio.sleep(0)
            yield current()["user_id"]

    with recording() as events, context(workload_id="consumer"):
        found = [(one, current()) for one in generator()]
        found += [(one, current()) async for one in async_generator()]
    outside = {"workload_id": "consumer"}
    assert found == [(one, outside) for one in ("u", "u", ("u", False), False, "u", "u")]
    assert [event["user_id"] for event in events if event.get("name") == "inner"] == ["u", "u"]


def test_a_body_goes_on_with_its_blocks_wherever_it_is_resumed():
    @context(tags=["t"])
    def generator() -> Any:
        with context(user_id="u"):
            yield contextvars.copy_context()
            yield current().get("user_id")

    made = generator()
    inside = next(made)
    assert (contextvars.copy_context().run(next, made), current()) == ("u", {})
    made = generator()
    next(made)
    assert (inside.run(next, made), inside.run(current)) == ("u", {"tags": ["t"], "user_id": "u"})


def test_suppress_is_for_its_block():
    with suppress():
        with suppress():
            assert scope.suppressed()
        assert scope.suppressed()
    assert not scope.suppressed()


def test_suppress_follows_into_thread_pools() -> None:
    @flywheel_log.logged_llm
    def ask(_: str) -> str:
        return "an answer"

    with recording() as events, ThreadPoolExecutor() as pool:
        with flywheel_log.suppress():
            pool.submit(ask, "in the block").result()
            list(pool.map(ask, ["in the block"]))
        pool.submit(ask, "behind it").result()
    assert [event["request"]["messages"][0]["content"] for event in events] == ["behind it"]


async def test_suppress_decorates_functions_of_every_kind():
    @suppress()
    def plain() -> int:
        return scope.suppressed()

    @suppress()
    async def coroutine() -> int:
        await asyncio.sleep(0)
        return scope.suppressed()

    @suppress()
    async def async_generator() -> AsyncIterator[int]:
        yield scope.suppressed()

    async with suppress():
        assert scope.suppressed()
    assert [plain(), await coroutine(), *[one async for one in async_generator()]] == [1, 1, 1]
    assert not scope.suppressed()


def test_a_decorated_function_that_raises_ends_its_own_block_alone():
    @suppress()
    @context(workload_id="inner")
    def fail():
        raise KeyError

    with suppress(), context(workload_id="outer"):
        with pytest.raises(KeyError):
            fail()
        assert (scope.suppressed(), scope.current()["workload_id"]) == (1, "outer")


@pytest.mark.parametrize("decorate", [context(workload_id="inner"), suppress(), flywheel_log.logged_llm])
@pytest.mark.parametrize("generates", [False, True])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Some of the moments are in finalisers.
def test_nothing_is_in_force_behind_a_run_that_is_interrupted_anywhere(decorate, generates):
    @decorate
    def pieces():
        yield 1
        yield 2

    @decorate
    def answer():
        return list(pieces()) if generates else 1

    with recording():
        for nth in itertools.count(1):
            with Interruption(nth) as interruption:
                answer()
            assert (nth, dict(scope.current()), scope.suppressed()) == (nth, {}, 0)
            if interruption.left > 0:
                break
    assert nth > 15


async def test_a_suppressed_coroutine_that_is_given_up_elsewhere_suppresses_nothing_there():
    @suppress()
    async def wait():
        await asyncio.sleep(60)

    def begin():
        with suppress():
            waiting = wait()
            waiting.send(None)
            return waiting

    waiting = contextvars.copy_context().run(begin)
    waiting.close()
    assert not scope.suppressed()


def test_suppress_may_end_in_another_context():
    block = suppress()
    contextvars.copy_context().run(block.__enter__)
    block.__exit__(None, None, None)
    assert not scope.suppressed()


def test_what_is_no_field_is_refused():
    with pytest.raises(TypeError, match=r"^workload is not a field of an event; did you mean workload_id\?$"):
        context(workload="translate")
    with pytest.raises(
        TypeError, match=r"^colour is not a field of an event; expected one of .*user_id.*, tags, metadata$"
    ):
        context(colour="red")
    with pytest.raises(TypeError, match=r"^tags is a list of strings; got the string 'beta'$"):
        context(tags="beta")
    with pytest.raises(TypeError, match=r"^metadata is a mapping; got list$"):
        context(metadata=["plan"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({"workload_id": 5, "user_id": UUID(int=7)}, {"workload_id": "5", "user_id": str(UUID(int=7))}),
        ({"workload_id": Task.TRANSLATE, "session_id": Number.SEVEN}, {"workload_id": "translate", "session_id": "7"}),
        ({"tags": ["beta", 3]}, {"tags": ["beta", "3"]}),
    ],
)
def test_names_and_ids_are_written_as_text(fields: dict[str, Any], written: dict[str, Any], tmp_path: Path):
    log = tmp_path / "genai.log"
    flywheel_log.configure(sinks=[f"file:{log}"])
    with context(**fields):
        flywheel_log.log_feedback("chatcmpl-1", thumbs="up")
    assert flywheel_log.flush() == 0
    (event,) = flywheel_log.read(log)
    assert {name: event[name] for name in written} == written  # type: ignore[literal-required]


def test_what_readers_would_skip_is_refused():
    with pytest.raises(TypeError, match=r"^prompt is a mapping; got str$"):
        context(prompt="support")
    with pytest.raises(TypeError, match=r"^retrieval_docs is a list; got str$"):
        context(retrieval_docs="doc7")
    with pytest.raises(TypeError, match=r"^cost_usd is a number; got str$"):
        context(cost_usd="0.1")


@pytest.mark.parametrize("name", sorted(TYPES.keys() - OF_ONE_EVENT - {"tags"}))
def test_readers_take_every_field_that_may_be_stamped(name: str):
    try:
        taken = fields_of(**{name: object()})[name]
    except TypeError:
        return
    assert isinstance(taken, str)
    assert TYPES[name] is str
