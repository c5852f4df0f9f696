"""Instrument an SDK client in place, at `request`: the one method that every call of every surface goes through."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial, update_wrapper, wraps
from typing import Any, TypeVar

from .. import scope
from ..health import guarded, health
from ..process.locks import Lock
from . import foreign, usage
from .call import Call, Emit
from .identity_set import IdentitySet
from .patches import Patches, bindable
from .provider import provider_of
from .surfaces import surface_for
from .under_way import active, telling, telling_async

Client = TypeVar("Client")

_MARK = "_flywheel_log"
_OWN = "_flywheel_log_patches"
_lock = Lock()
_everyone: Binding | None = None
_marked = IdentitySet()
_patches = Patches()


@dataclass(frozen=True, slots=True)
class Binding:
    """What an instrumented client is bound to.

    Attributes:
        emit: takes each event.
        fields: stamped on each event unless the context says otherwise.
        usage: asks streams for token counts, or not.
    """

    emit: Emit
    fields: scope.Fields
    usage: usage.Asking


def instrument(client: Client, binding: Binding) -> Client:
    """Record every call of *client* by *binding*, in place, and return it; a second time only renews the binding.

    Raises:
        TypeError: *client* is not an LLM client: it has neither `request` nor `chat.completions.create` or the like.
    """
    with _lock:
        if not _is_stainless(type(client)):
            return foreign.instrument(client, binding.emit, binding.fields)
        _install(type(client))
        if "request" in vars(client):
            _install_in(client)
        vars(client)[_MARK] = binding
        _marked.add(client)
    return client


def instrument_classes(classes: list[type], binding: Binding) -> None:
    """Record every call of every client of *classes*, made before or after, by *binding*."""
    global _everyone  # noqa: PLW0603 - one switch for the process
    with _lock:
        for cls in classes:
            _install(cls)
        _everyone = binding


def everyone() -> Binding | None:
    """What every client of the process is bound to, unless it has a binding of its own."""
    return _everyone


def uninstrument(client: Any = None) -> None:
    """Undo `instrument` for *client*, or everything for None; the classes are as before when nobody is recorded."""
    global _everyone  # noqa: PLW0603 - one switch for the process
    with _lock:
        for known in [*_marked, *foreign.instrumented] if client is None else [client]:
            own = getattr(known, "__dict__", {})
            if not foreign.uninstrument(known) and isinstance(own, dict):
                own.pop(_MARK, None)
                own.pop(_OWN, Patches()).undo()
                _marked.discard(known)
        if client is None:
            _everyone = None
        if not _marked and _everyone is None:
            _patches.undo()


def _is_stainless(cls: type) -> bool:
    """Whether *cls* has the SDKs' `request`, if only below that of a subclass, or of another library."""
    methods = [request for base in cls.__mro__ if callable(request := vars(base).get("request"))]
    return any({"cast_to", "options"} <= set(inspect.signature(request).parameters) for request in methods)


def _install(cls: type) -> None:
    asynchronous = _is_asynchronous(cls)
    _patches.wrap(cls, "request", _request_async if asynchronous else _request)
    _patches.wrap(cls, "_process_response", telling_async if asynchronous else telling)
    _patches.wrap(cls, "copy", _copy)
    _patches.wrap(cls, "with_options", _copy)


def _install_in(client: Any) -> None:
    """Record what another library has put in the place of `request` for *client* alone: it may call the SDK's own."""

    def replace(theirs: Any) -> Any:
        around = _request_async if _is_asynchronous(type(client)) else _request
        return update_wrapper(partial(around(staticmethod(theirs)), client), theirs)

    vars(client).setdefault(_OWN, Patches()).wrap_own(client, "request", replace)


def _is_asynchronous(cls: type) -> bool:
    # `post` tells the two kinds apart even where another library has wrapped `request` in a plain function.
    return inspect.iscoroutinefunction(getattr(cls, "post", None))


# Each makes, of a method of the SDK's, the one that takes its place. `method` may be another library's wrapper, which
# has to be bound. They are plain functions because the processor finds neither wrapt's proxies nor ours in its caches.
# That a request is over is noted before any function is called, for a signal's handler may raise in each: what is made
# after a call that seems to be under way for ever would not be recorded.


def _request(method: Any) -> Any:
    binder = bindable(method)

    @wraps(method)
    def request(client: Any, *args: Any, **kwargs: Any) -> Any:
        wrapped = binder.__get__(client, type(client))
        sending = _begin(client, args, kwargs)
        if sending is None:
            return wrapped(*args, **kwargs)
        call, attempt = sending
        try:
            result = wrapped(*args, **kwargs) if attempt is None else _attempt(wrapped, call, attempt, args, kwargs)
        except BaseException as error:
            call.under_way = False
            call.failed(error)
            raise
        call.under_way = False
        call.answered(result)
        return result

    return request


def _request_async(method: Any) -> Any:
    binder = bindable(method)

    @wraps(method)
    async def request(client: Any, *args: Any, **kwargs: Any) -> Any:
        wrapped = binder.__get__(client, type(client))
        sending = _begin(client, args, kwargs)
        if sending is None:
            return await wrapped(*args, **kwargs)
        call, attempt = sending
        try:
            if attempt is None:
                result = await wrapped(*args, **kwargs)
            else:
                result = await _attempt_async(wrapped, call, attempt, args, kwargs)
        except BaseException as error:
            call.under_way = False
            call.failed(error)
            raise
        call.under_way = False
        call.answered(result)
        return result

    return request


def _copy(method: Any) -> Any:
    binder = bindable(method)

    @wraps(method)
    def copy(client: Any, *args: Any, **kwargs: Any) -> Any:
        derived = binder.__get__(client, type(client))(*args, **kwargs)
        _follow(client, derived)
        return derived

    return copy


def _attempt(wrapped: Any, call: Call, attempt: usage.Attempt, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with attempt:
        return wrapped(*attempt.args, **attempt.kwargs)
    call.asked_usage = False
    result = wrapped(*args, **kwargs)
    attempt.taken()
    return result


async def _attempt_async(
    wrapped: Any, call: Call, attempt: usage.Attempt, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    with attempt:
        return await wrapped(*attempt.args, **attempt.kwargs)
    call.asked_usage = False
    result = await wrapped(*args, **kwargs)
    attempt.taken()
    return result


@guarded("capture")
def _follow(client: Any, derived: Any) -> None:
    binding = vars(client).get(_MARK)
    if binding is not None:
        instrument(derived, binding)


def _begin(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Call, usage.Attempt | None] | None:
    """What to record of this request, entered, and how to ask for its token counts; None where nothing is recorded."""
    try:
        binding = vars(client).get(_MARK) or _everyone
        if binding is None or active() is not None or scope.suppressed():
            return None
        options = kwargs["options"] if "options" in kwargs else args[1]
        surface = surface_for(options.url) if options.method.lower() == "post" else None
        if surface is None:
            return None
        given, extra = options.json_data, options.extra_json
        if given is None:
            given = {}
        elif type(given) is not dict and not isinstance(given, Mapping):
            given, extra = {}, None  # The SDK sends it as it is, or refuses to put the two together.
        body = {**given, **extra} if extra else given
        streamed = bool(kwargs.get("stream"))
        fields = scope.at_call(binding.fields)
        call = Call(surface, provider_of(client), body, fields, binding.emit, streamed=streamed, client=client)
        attempt = usage.attempt(binding.usage, surface.NAME, client, args, kwargs) if streamed and body else None
        call.asked_usage = attempt is not None
        call.enter()
        return call, attempt
    except Exception as error:  # noqa: BLE001 - as in `under_way`
        health.drop("capture", error)
        return None
