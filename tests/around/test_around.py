"""`around` a callable of any kind: it behaves, and looks, as if nothing were there."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import types
import typing
import warnings
from collections.abc import Callable
from typing import Any

import pydantic
import pytest

from flywheel_log.around import Around, around


class Seen(Around):
    def __init__(self, told: list[Any]) -> None:
        self.told = told

    def yielded(self, item: Any) -> None:
        self.told.append(("yielded", item))

    def returned(self, value: Any) -> Any:
        self.told.append(("returned", value))
        return value

    def raised(self, error: BaseException) -> None:
        self.told.append(("raised", type(error)))


def watched(function: Any) -> tuple[Any, list[Any]]:
    told: list[Any] = []
    return around(function, lambda *_: Seen(told)), told


def plain(a: int, *, b: int = 2) -> int:
    """Documented."""
    return a + b


async def coroutine(a: int) -> int:
    return a + 1


def generator(a: int) -> Any:
    try:
        got = yield a
        while got is not None:
            try:
                got = yield got * 2
            except KeyError as error:
                got = yield f"caught {error}"
    finally:
        pass
    return "end"


async def async_generator(a: int) -> Any:
    got = yield a
    while got is not None:
        try:
            got = yield got * 2
        except KeyError as error:
            got = yield f"caught {error}"


KINDS = {"plain": plain, "coroutine": coroutine, "generator": generator, "async_generator": async_generator}
PREDICATES = ("iscoroutinefunction", "isgeneratorfunction", "isasyncgenfunction", "isfunction", "isroutine")


@pytest.mark.filterwarnings("ignore:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning")  # since 3.14
@pytest.mark.parametrize("kind", KINDS)
def test_inspect_sees_the_function_itself(kind: str) -> None:
    function = KINDS[kind]
    decorated, _ = watched(function)
    for name in PREDICATES:
        assert (name, getattr(inspect, name)(decorated)) == (name, getattr(inspect, name)(function))
    assert asyncio.iscoroutinefunction(decorated) == asyncio.iscoroutinefunction(function)
    assert inspect.signature(decorated) == inspect.signature(function)
    names = ("__name__", "__qualname__", "__doc__", "__module__")
    assert [getattr(decorated, name) for name in names] == [getattr(function, name) for name in names]
    assert decorated.__annotations__ == function.__annotations__
    assert typing.get_type_hints(decorated) == typing.get_type_hints(function) != {}


def test_who_reads_the_hints_of_a_function_reads_those_of_a_decorated_one() -> None:
    decorated, told = watched(plain)
    assert pydantic.validate_call(decorated)("1", b="3") == 4
    assert told == [("returned", 4)]
    by_type = functools.singledispatch(repr)
    by_type.register(decorated)
    assert (by_type(1), by_type("1")) == (3, "'1'")


def test_who_wraps_a_decorated_function_finds_what_others_have_set_on_it() -> None:
    def view(request: str) -> str:
        return request

    view.csrf_exempt = True  # type: ignore[attr-defined]
    decorated, _ = watched(view)
    decorated.login_required = True

    @functools.wraps(decorated)
    def outer(request: str) -> Any:
        return decorated(request)

    assert vars(decorated) == {"csrf_exempt": True, "login_required": True}
    assert outer.__dict__ == {**vars(decorated), "__wrapped__": decorated}


def script(*steps: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    """Play *steps* on a generator and note what each gives or raises."""

    def play(made: Any) -> list[Any]:
        noted: list[Any] = []
        for step in steps:
            try:
                noted.append(step(made))
            except BaseException as error:  # noqa: BLE001 - errors are what is compared
                noted.append((type(error), error.args, type(error.__context__)))
        return noted

    return play


def stubborn(_: int) -> Any:
    while True:
        try:
            yield 1
        except GeneratorExit:
            yield 2


def failing_finally(_: int) -> Any:
    try:
        yield 1
    finally:
        raise ValueError("at the end")


def answering_close(_: int) -> Any:
    try:
        yield 1
    except GeneratorExit:
        return "last words"


PLAYS = {
    "to its end": (generator, script(next, lambda g: g.send(3), lambda g: g.send(None))),
    "throw, caught": (generator, script(next, lambda g: g.send(3), lambda g: g.throw(KeyError("k")), list)),
    "throw, not caught": (generator, script(next, lambda g: g.throw(ValueError("v")), list)),
    "throw a stop": (generator, script(next, lambda g: g.throw(StopIteration("s")))),
    "throw before the start": (generator, script(lambda g: g.throw(ValueError("v")))),
    "close": (generator, script(next, lambda g: g.close(), next)),
    "close before the start": (generator, script(lambda g: g.close(), next)),
    "send before the start": (generator, script(lambda g: g.send(3))),
    "ignored close": (stubborn, script(next, lambda g: g.close())),
    "failing at close": (failing_finally, script(next, lambda g: g.close())),
    "answer to close": (answering_close, script(next, lambda g: g.close())),
    "names": (generator, script(lambda g: (g.__name__, g.__qualname__, inspect.isgenerator(g)))),
}


@pytest.mark.parametrize("play", PLAYS)
def test_a_generator_plays_as_the_undecorated_one(play: str) -> None:
    function, steps = PLAYS[play]
    assert steps(watched(function)[0](1)) == steps(function(1))


async def aplay(made: Any, steps: list[Callable[[Any], Any]]) -> list[Any]:
    noted: list[Any] = []
    for step in steps:
        try:
            noted.append(await step(made))
        except BaseException as error:  # noqa: BLE001 - errors are what is compared
            noted.append((type(error), error.args))
    return noted


ASYNC_PLAYS = {
    "to its end": [anext, lambda g: g.asend(3), lambda g: g.asend(None)],
    "throw, caught": [anext, lambda g: g.asend(3), lambda g: g.athrow(KeyError("k")), anext],
    "throw, not caught": [anext, lambda g: g.athrow(ValueError("v")), anext],
    "close": [anext, lambda g: g.aclose(), anext],
}


@pytest.mark.parametrize("play", ASYNC_PLAYS)
async def test_an_async_generator_plays_as_the_undecorated_one(play: str) -> None:
    steps = ASYNC_PLAYS[play]
    assert await aplay(watched(async_generator)[0](1), steps) == await aplay(async_generator(1), steps)


@types.coroutine
def awaited_generator(a: int) -> Any:
    yield from asyncio.sleep(0).__await__()
    return a


async def test_a_generator_that_is_a_coroutine_can_be_awaited() -> None:
    decorated, told = watched(awaited_generator)
    assert (await decorated(1), told) == (1, [("returned", 1)])


GIVEN_UP = {"closed": lambda made: made.close(), "dropped": lambda made: None}


@pytest.mark.parametrize("how", GIVEN_UP)
def test_a_coroutine_that_is_given_up_warns_as_the_undecorated_one(how: str) -> None:
    def warned(function: Any) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            GIVEN_UP[how](function(1))
            gc.collect()
        return [str(one.message) for one in caught]

    assert warned(watched(coroutine)[0]) == warned(coroutine)


async def test_what_happens_is_told() -> None:
    decorated, told = watched(plain)
    assert (decorated(1), told) == (3, [("returned", 3)])
    decorated, told = watched(coroutine)
    assert (await decorated(1), told) == (2, [("returned", 2)])
    decorated, told = watched(generator)
    assert (list(decorated(1)), told) == ([1], [("yielded", 1), ("returned", "end")])
    decorated, told = watched(async_generator)
    assert ([one async for one in decorated(1)], told) == ([1], [("yielded", 1), ("returned", None)])


@pytest.mark.parametrize("function", [generator, failing_finally, stubborn])
def test_a_generator_left_early_is_told_once(function: Any) -> None:
    decorated, told = watched(function)
    made = decorated(1)
    next(made)
    script(lambda one: one.close())(made)
    del made
    gc.collect()
    assert told == [("yielded", 1), ("raised", GeneratorExit)]


def test_an_error_comes_through_as_it_is() -> None:
    broken = ValueError("v")

    def fail() -> None:
        raise broken

    decorated, told = watched(fail)
    with pytest.raises(ValueError, match="v") as raised:
        decorated()
    assert (raised.value is broken, broken.__context__, told) == (True, None, [("raised", ValueError)])


class Holder:
    base = 10

    def method(self, a: int) -> Any:
        return type(self).__name__, a

    @classmethod
    def of_class(cls, a: int) -> Any:
        return cls.__name__, a

    @staticmethod
    def static(a: int) -> Any:
        return a

    def __call__(self, a: int) -> Any:
        return a


CALLABLES = {
    "partial": functools.partial(plain, b=5),
    "object": Holder(),
    "bound method": Holder().method,
    "lambda": lambda a: a,
    "builtin": abs,
    "partial of a coroutine function": functools.partial(coroutine),
}


@pytest.mark.parametrize("kind", CALLABLES)
async def test_a_callable_of_any_kind_is_driven_by_what_it_returns(kind: str) -> None:
    function: Any = CALLABLES[kind]
    decorated, told = watched(function)
    found, expected = decorated(1), function(1)
    if inspect.iscoroutine(found):
        found, expected = await found, await expected
    assert (found, told) == (expected, [("returned", expected)])


def test_methods_of_every_kind_are_bound_as_ever() -> None:
    told: list[Any] = []

    def decorate(function: Any) -> Any:
        return around(function, lambda *_: Seen(told))

    class Decorated(Holder):
        method = decorate(Holder.__dict__["method"])
        of_class = decorate(Holder.__dict__["of_class"])
        static = decorate(Holder.__dict__["static"])

    one = Decorated()
    found = [one.method(1), Decorated.method(one, 1), one.of_class(2), Decorated.of_class(2), one.static(3)]
    assert found == [("Decorated", 1), ("Decorated", 1), ("Decorated", 2), ("Decorated", 2), 3]
    assert len(told) == 5
