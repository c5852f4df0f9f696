"""`@logged_llm`: record functions that call LLMs, whatever kind of callable they are and whoever they call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ... import scope
from ...around import Around, around
from ...event import JSON
from ...health import guarded
from ...scope.place import opened
from .. import thread_pools, wire
from ..call import Emit
from ..outcome import Outcome
from ..surfaces import surface_named, surface_of
from .gather import json_of, said
from .run import FunctionRun, arguments_of

Decorated = TypeVar("Decorated")

_PROMPTS = ("prompt", "question", "query", "message", "text", "input", "content")
_ANSWERS = ("choices", "output", "object")
_PARAMETERS = ("model", "temperature", "max_tokens", "top_p", "tools")


def logged(function: Decorated, emit: Emit, own: Mapping[str, Any]) -> Decorated:
    """Record each call of *function*: by the instrumented clients it calls, under its name, or else by itself.

    Args:
        function: any callable.
        emit: takes the event of a call that no instrumented client recorded.
        own: fields stamped on what is recorded inside; without `workload_id` the function's name is a default for it.
    """
    name, surface = _name(function), surface_named("chat.completions")
    thread_pools.install()

    @guarded("capture", default=lambda *_: Around())
    def begin(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Around:
        if scope.suppressed():
            return Around()
        implied = {} if "workload_id" in own else {"workload_id": name}
        fields = opened(scope.merge(scope.merge(implied, scope.current()), own))
        body = _snapshot(wrapped, args, kwargs) or {}
        return FunctionRun(surface, "function", body, fields, emit, read=_answer, tells_enclosing=False)

    return around(function, begin)


@guarded("capture", default=lambda _: "function")
def _name(function: Any) -> str:
    while not hasattr(function, "__name__"):
        inner = getattr(function, "func", None) or getattr(function, "__func__", None)
        if inner is None:
            return type(function).__name__
        function = inner
    return str(function.__name__)


def _answer(value: Any) -> Outcome:
    return Outcome(response_of(value))


def _is_whole(value: JSON) -> bool:
    surface = surface_of(value)
    return surface is not None and surface.finished(value, {})


def response_of(value: Any) -> JSON:
    """What a function returned, as a response: an SDK's object as it is, a string as the answer, else JSON."""
    value = wire.plain(value)
    if isinstance(value, dict) and (any(key in value for key in _ANSWERS) or _is_whole(value)):
        return value
    if isinstance(value, str) or value is None:
        return said(value)
    return said(json_of(value).decode())


@guarded("capture")
def _snapshot(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> JSON:
    """The request that the arguments amount to, as they are now: the function may change them."""
    arguments = arguments_of(function, args, kwargs)
    request: JSON = {key: arguments.pop(key) for key in _PARAMETERS if key in arguments}
    request["messages"] = _messages(arguments)
    if arguments:
        request["arguments"] = arguments
    return wire.copied(request)


def _messages(arguments: JSON) -> list[Any]:
    messages = arguments.pop("messages", None)
    if isinstance(messages, (list, tuple)):
        return [wire.plain(message, given=True) for message in messages]
    named = [key for key in _PROMPTS if isinstance(arguments.get(key), str)]
    key = next(iter([*named, *(key for key, value in arguments.items() if isinstance(value, str))]), None)
    if key is not None:
        return [{"role": "user", "content": arguments.pop(key)}]
    return [{"role": "user", "content": wire.written(arguments).decode()}]
