"""What is decorated can be copied and pickled wherever the bare callable can, and comes back decorated."""

from __future__ import annotations

import asyncio
import copy
import functools
import gc
import pickle
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

import flywheel_log
from flywheel_log import testing


@flywheel_log.logged_llm
def answer(question: str) -> str:
    return f"to {question}"


def _named_otherwise(question: str) -> str:
    return f"to {question}"


other = flywheel_log.logged_llm(_named_otherwise)


class Agent:
    def __init__(self, name: str) -> None:
        self.name = name
        self.tools = [answer, self.method]

    @flywheel_log.logged_llm
    def method(self, question: str) -> str:
        return f"{self.name} to {question}"

    @classmethod
    @flywheel_log.logged_llm
    def of_class(cls, question: str) -> str:
        return f"{cls.__name__} to {question}"

    @staticmethod
    @flywheel_log.logged_llm
    def static(question: str) -> str:
        return f"to {question}"


WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),  # noqa: S301 - our own
    "old pickle": lambda value: pickle.loads(pickle.dumps(value, 0)),  # noqa: S301
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
CALLABLES: dict[str, tuple[Any, str]] = {
    "function": (answer, "to q"),
    "method": (Agent("a").method, "a to q"),
    "class method": (Agent.of_class, "Agent to q"),
    "static method": (Agent.static, "to q"),
    "partial of it": (functools.partial(answer, "q"), "to q"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", CALLABLES)
def test_a_copy_of_a_decorated_callable_is_recorded_too(kind: str, way: str) -> None:
    function, said = CALLABLES[kind]
    with testing.recording() as events:
        assert WAYS[way](function)(*[] if "partial" in kind else ["q"]) == said
    assert [event["response"]["choices"][0]["message"]["content"] for event in events] == [said]


def test_a_function_is_the_same_after_it() -> None:
    assert [WAYS[way](answer) is answer for way in WAYS] == [True] * len(WAYS)


def test_an_object_that_holds_one_is_copied_with_it() -> None:
    agent = copy.deepcopy(Agent("a"))
    agent.name = "b"
    assert [tool("q") for tool in agent.tools] == ["to q", "b to q"]


@pytest.mark.parametrize("kind", ["method", "class method"])
def test_a_method_can_be_held_weakly_as_signals_hold_it(kind: str) -> None:
    agent = Agent("a")
    method = agent.method if kind == "method" else Agent.of_class
    held = weakref.WeakMethod(method)
    with testing.recording() as events:
        assert held()("q") == method("q")
    assert (held() == method, len(events)) == (True, 2)


def test_what_is_no_method_has_no_function_inside() -> None:
    assert not any(hasattr(function, "__func__") for function in (answer, Agent.method, Agent.static))


@pytest.mark.parametrize("way", WAYS)
def test_what_has_no_name_of_its_own_goes_as_it_is(way: str) -> None:
    assert WAYS[way](other)("q") == "to q"
    assert WAYS[way](flywheel_log.logged_llm(functools.partial(answer, "q")))() == "to q"


def test_what_cannot_be_pickled_says_so_as_ever() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(flywheel_log.logged_llm(lambda: ""))


def test_a_pool_of_processes_takes_a_decorated_function() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(answer, ["a", "b"])) == ["to a", "to b"]


async def test_a_function_that_returns_a_task_is_recorded_when_the_task_is_done() -> None:
    async def work(fail: bool) -> str:
        await asyncio.sleep(0)
        if fail:
            raise RuntimeError("no")
        return "later"

    @flywheel_log.logged_llm
    def start(*, fail: bool) -> asyncio.Task[str]:
        return asyncio.get_running_loop().create_task(work(fail))

    with testing.recording() as events:
        tasks = [start(fail=False), start(fail=True)]
        assert (await asyncio.gather(*tasks, return_exceptions=True))[0] == "later"
        cancelled = start(fail=False)
        cancelled.cancel()
        await asyncio.wait([cancelled])
    assert [type(task) for task in tasks] == [asyncio.Task] * 2
    assert [event["status"] for event in events] == ["ok", "error", "incomplete"]
    assert events[0]["response"]["choices"][0]["message"]["content"] == "later"
    assert events[1]["error"] == {"type": "RuntimeError", "message": "no"}


async def test_an_error_that_nobody_retrieves_is_still_reported_by_asyncio() -> None:
    reported: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context["message"]))

    async def fail() -> None:
        raise RuntimeError("no")

    @flywheel_log.logged_llm
    def start() -> asyncio.Task[None]:
        return loop.create_task(fail())

    await asyncio.wait([start()])
    gc.collect()
    assert reported == ["Task exception was never retrieved"]


def test_a_future_of_a_thread_is_recorded_when_it_is_done() -> None:
    future: Future[str] = Future()
    with testing.recording() as events:
        assert flywheel_log.logged_llm(lambda: future)() is future
        assert events == []
        future.set_result("done")
    assert [event["response"]["choices"][0]["message"]["content"] for event in events] == ["done"]
