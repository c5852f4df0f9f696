"""Attach the recorder to clients and to functions of any kind."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from .health import guarded
from .recorder import current, record
from .scope.fields import fields_of

if TYPE_CHECKING:
    from .capture.client import Binding

Client = TypeVar("Client")
Decorated = TypeVar("Decorated")

_NEIGHBOURS = ("anthropic", "groq")
# What every one of the SDKs calls its clients besides; the class's own name is what tests put a mock in the place of.
_CLIENTS = ("Client", "AsyncClient")
_GOOGLE = "google.genai._api_client"
_awaited: set[str] = set()


@overload
def instrument(client: Client, **defaults: Any) -> Client: ...
@overload
def instrument(client: None = None, **defaults: Any) -> None: ...
def instrument(client: Client | None = None, **defaults: Any) -> Client | None:
    """Record every call of *client*, and return the same object; without *client*, record every client of this process.

    Clients derived from it with `with_options()` or `copy()` are recorded too. Instrumenting again changes only the
    defaults.

    Args:
        client: an OpenAI, AsyncOpenAI or Azure client, one of an SDK made the same way (Anthropic, Groq …), Google's
            `genai.Client()`, or any object with `chat.completions.create`. None means every OpenAI client of this
            process, created before or after, including the module-level one, and those of Anthropic, Groq and Google,
            whenever their library is imported.
        **defaults: what `context` takes; stamped on every call unless the context says otherwise.

    Raises:
        TypeError: *client* is not an LLM client, or is the class or module of one.
        ValueError: the settings (environment) are wrong.
    """
    from .capture import client as clients
    from .capture import google, thread_pools

    _check(client)
    recorder = current()
    binding = clients.Binding(record, fields_of(**defaults), recorder.asking)
    if client is None:
        _instrument_everyone(binding)
        _wait_for_the_others()
    elif google.is_mine(client):
        google.instrument(client, binding)
    else:
        clients.instrument(client, binding)
    thread_pools.install()
    return client


def _check(client: Any) -> None:
    """Tell a client from what clients are made of, which have the same methods."""
    what = "class" if isinstance(client, type) else "module"
    if what == "class" or (client is not None and client is sys.modules.get("openai")):
        raise TypeError(
            f"{client.__name__} is a {what}; instrument a client, or all of them by instrument() without any"
        )


def uninstrument(client: Any = None) -> None:
    """Undo `instrument` for *client*, or for every client if none is given."""
    from .capture import client as clients
    from .capture import google, thread_pools

    if client is None or google.is_mine(client):
        google.uninstrument(client)
    if client is None or not google.is_mine(client):
        clients.uninstrument(client)
    if client is None:
        thread_pools.uninstall()


@overload
def logged_llm(function: Decorated, /) -> Decorated: ...
@overload
def logged_llm(**fields: Any) -> Callable[[Decorated], Decorated]: ...
def logged_llm(function: Any = None, /, **fields: Any) -> Any:
    """Record the LLM calls of a function: `@logged_llm` or `@logged_llm(workload_id="summary", tags=["beta"])`.

    It takes any callable: functions, coroutines, (asynchronous) generators, methods of every kind, partials, callable
    objects. The callable behaves and looks as before. If it calls an instrumented client, that client's record carries
    the function's name as its workload. Otherwise the record is made from its arguments and its result: an SDK's object
    as it is, strings as the assistant's message, anything else as JSON.

    Args:
        function: what to decorate, when used without parentheses.
        **fields: what `context` takes.

    Raises:
        TypeError: *function* is not callable, or a field does not exist.
    """
    from .capture.functions import decorator as functions

    own = fields_of(**fields)
    if function is not None:
        if not callable(function) and not isinstance(function, classmethod):
            raise TypeError(f"logged_llm decorates functions; got {function!r}; name it by logged_llm(workload_id=…)")
        return functions.logged(function, record, own)
    return lambda decorated: functions.logged(decorated, record, own)


def _instrument_everyone(binding: Binding) -> None:
    import openai  # noqa: F401 - the program may not have done so yet

    from .capture import client as clients
    from .capture import google

    clients.instrument_classes(_loaded_classes(), binding)
    google.instrument_everyone()


def _wait_for_the_others() -> None:
    """Have the neighbours that the program has not imported yet recorded as soon as it does."""
    from wrapt import register_post_import_hook

    for name in {*_NEIGHBOURS, _GOOGLE} - _awaited - set(sys.modules):
        _awaited.add(name)
        register_post_import_hook(_imported, name)


@guarded("capture")
def _imported(_: object) -> None:
    from .capture import client as clients

    if (binding := clients.everyone()) is not None:
        _instrument_everyone(binding)


def _loaded_classes() -> list[type]:
    """The clients of the SDKs that the program has imported."""
    modules = [sys.modules.get(name) for name in ("openai", *_NEIGHBOURS)]
    # One that is just being imported by another thread may have none yet; its turn comes.
    found = [getattr(module, name, None) for module in modules for name in _CLIENTS]
    return [cls for cls in found if isinstance(cls, type)]
