"""`@logged_llm`: record functions that call LLMs, whatever kind of callable they are and whoever they call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from .. import scope
from ..around import Around, around
from ..event import JSON
from ..health import guarded
from ..place import opened, place_of, stamped
from ..serialise import dumps, loads
from . import threads, wire
from .call import Call, Emit
from .gather import Gathered, said
from .outcome import Outcome, of_error
from .outer import Outer, Within
from .surfaces import surface_for, surface_named

Decorated = TypeVar("Decorated")

_PROMPTS = ("prompt", "question", "query", "message", "text", "input", "content")
_PARAMETERS = ("model", "temperature", "max_tokens", "top_p", "tools")


def logged(function: Decorated, emit: Emit, own: Mapping[str, Any]) -> Decorated:
    """Record each call of *function*: by the instrumented clients it calls, under its name, or else by itself.

    Args:
        function: any callable.
        emit: takes the event of a call that no instrumented client recorded.
        own: fields stamped on what is recorded inside; without `workload_id` the function's name is a default for it.
    """
    name = _name(function)
    threads.install()

    @guarded("capture", default=lambda *_: Around())
    def begin(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Around:
        if scope.suppressed():
            return Around()
        implied = {} if "workload_id" in own else {"workload_id": name}
        fields = opened(scope.merge(scope.merge(implied, scope.current()), own))
        return _Run(wrapped, args, kwargs, emit, fields)

    return around(function, begin)


@guarded("capture", default=lambda _: "function")
def _name(function: Any) -> str:
    while not hasattr(function, "__name__"):
        inner = getattr(function, "func", None) or getattr(function, "__func__", None)
        if inner is None:
            return type(function).__name__
        function = inner
    return str(function.__name__)


class _Run(Around):
    """One run of a decorated function; `outer` learns whether somebody inside has recorded a call."""

    def __init__(
        self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], emit: Emit, fields: scope.Fields
    ) -> None:
        self._outer = Outer()
        self._within = Within(self._outer, fields)
        self._body = _snapshot(function, args, kwargs) or {}
        self._fields = fields
        self._stamps: JSON = dict(stamped(fields))
        surface = surface_named("chat.completions")
        self._call = Call(surface, "function", self._body, self._stamps, emit, counted=False)
        self._gathered = Gathered(surface)
        self._generated = False

    @guarded("capture", default=lambda _: nullcontext())
    def running(self) -> AbstractContextManager[Any]:
        return self._within

    @guarded("capture")
    def yielded(self, item: Any) -> None:
        self._generated = True
        self._gathered.add(item)

    @guarded("capture", default=lambda _, value: value)
    def returned(self, value: Any) -> Any:
        self._record(value)
        return value

    @guarded("capture", default=lambda run, _: run.happened())
    def _record(self, value: Any) -> None:
        if self._outer.called:
            return
        self._outer.tell()
        self._stamp_documents()
        http = wire.http_response(value)
        if self._generated:
            self._call.conclude(self._gathered.outcome(self._body, exhausted=True))
        elif isinstance(getattr(http, "is_closed", None), bool):
            self._call.answered(value, surface_for(http.url.path))
        else:
            self._call.conclude(Outcome(response_of(value)))

    @guarded("capture")
    def raised(self, error: BaseException) -> None:
        if self._outer.called:
            return
        self._outer.tell()
        self._stamp_documents()
        so_far = self._gathered.outcome(self._body, exhausted=False)
        self._call.conclude(Outcome(so_far.response, of_error(error).error, whole=False))

    def _stamp_documents(self) -> None:
        """What the function itself has retrieved since it began is known only now."""
        place = place_of(self._fields)
        if place is not None and place.documents and "retrieval_docs" not in self._fields:
            self._stamps["retrieval_docs"] = list(place.documents)

    def happened(self) -> None:
        """Record at least that there was a call."""
        self._call.happened()


def response_of(value: Any) -> JSON:
    """What a function returned, as a response: an SDK's object as it is, a string as the answer, else JSON."""
    value = wire.plain(value)
    if isinstance(value, dict) and ("choices" in value or "output" in value or "object" in value):
        return value
    if isinstance(value, str) or value is None:
        return said(value)
    return said(dumps({"_": value})[5:-1].decode())


@guarded("capture")
def _snapshot(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> JSON:
    """The request that the arguments amount to, as they are now: the function may change them."""
    arguments = _arguments(function, args, kwargs)
    request: JSON = {key: arguments.pop(key) for key in _PARAMETERS if key in arguments}
    request["messages"] = _messages(arguments)
    if arguments:
        request["arguments"] = arguments
    snapshot: JSON = loads(dumps(request))
    return snapshot


def _messages(arguments: JSON) -> list[Any]:
    messages = arguments.pop("messages", None)
    if isinstance(messages, (list, tuple)):
        return [wire.plain(message) for message in messages]
    named = [key for key in _PROMPTS if isinstance(arguments.get(key), str)]
    key = next(iter([*named, *(key for key, value in arguments.items() if isinstance(value, str))]), None)
    if key is not None:
        return [{"role": "user", "content": arguments.pop(key)}]
    return [{"role": "user", "content": dumps(arguments).decode()}]


def _arguments(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> JSON:
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except (TypeError, ValueError):  # No signature, or a call that will fail by itself in a moment.
        return {**{str(place): value for place, value in enumerate(args)}, **kwargs}
    found: JSON = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        found |= value if kind is inspect.Parameter.VAR_KEYWORD else {name: value}
    return found
