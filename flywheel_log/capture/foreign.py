"""Foreign clients and fakes that have `chat.completions.create` but no `request`, recorded method by method."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from .. import scope
from ..around import Around, around
from ..health import guarded
from ..scope.place import opened
from . import wire
from .call import Emit
from .functions.run import FunctionRun, arguments_of
from .identity_set import IdentitySet
from .outcome import of_result
from .surfaces import Surface, surface_named
from .under_way import active

Client = TypeVar("Client")

METHODS = {
    "chat_completion": "chat.completions",  # Hugging Face's, whose `chat.completions.create` is another name for it.
    "chat.completions.create": "chat.completions",
    "chat.completions.parse": "chat.completions",
    "chat.complete": "chat.completions",  # Mistral's, and the three below.
    "chat.complete_async": "chat.completions",
    "chat.stream": "chat.completions",
    "chat.stream_async": "chat.completions",
    "responses.create": "responses",
    "completions.create": "completions",
    "embeddings.create": "embeddings",
    "moderations.create": "moderations",
    "messages.create": "messages",
}
"""Where a client may have a method that calls a model, and what API it speaks."""

_MARK = "_flywheel_log_methods"
instrumented = IdentitySet()


class _Replaced(NamedTuple):
    """A method that is ours at present."""

    resource: Any
    name: str
    before: Any
    ours: Any


def instrument(client: Client, emit: Emit, fields: scope.Fields) -> Client:
    """Record the calls of *client*'s own methods, in place, and return it.

    Raises:
        TypeError: *client* has none of the methods, or does not let them be replaced.
    """
    uninstrument(client)
    replaced: list[_Replaced] = []
    try:
        found = [path for path in METHODS if _replace(client, path, emit, fields, replaced)]
        if found:
            vars(client)[_MARK] = replaced
    except (AttributeError, TypeError) as error:
        _put_back(replaced)
        raise TypeError(f"{type(client).__name__} does not let its methods be replaced: {error}; {_INSTEAD}") from error
    if not found:
        wanted = ", ".join(path for path in METHODS if path.endswith(".create"))
        name = client.__name__ if isinstance(client, ModuleType) else type(client).__name__
        raise TypeError(
            f"{name} is not an LLM client: it has neither `request(cast_to, options)` nor one of {wanted}; "
            f"record the clients below it by instrument() without any, or {_INSTEAD}"
        )
    instrumented.add(client)
    return client


_INSTEAD = "decorate the function that calls it, with logged_llm"


def uninstrument(client: Any) -> bool:
    """Put *client*'s own methods back; whether there was anything to do."""
    own = getattr(client, "__dict__", None)
    replaced = own.pop(_MARK, None) if isinstance(own, dict) else None
    instrumented.discard(client)
    _put_back(replaced or [])
    return replaced is not None


def _put_back(replaced: list[_Replaced]) -> None:
    for resource, name, before, _ in reversed(replaced):
        if before is not None:
            setattr(resource, name, before)
        elif isinstance(resource, type):
            delattr(resource, name)
        else:
            vars(resource).pop(name, None)  # A mock takes delattr for more than that.


def _replace(client: Any, path: str, emit: Emit, fields: scope.Fields, replaced: list[_Replaced]) -> bool:
    """Replace the method at *path* of *client*, if it has one, and note that in *replaced*.

    Raises:
        AttributeError, TypeError: it cannot be replaced.
    """
    find: Callable[[Any], Any] = attrgetter(path)
    try:
        method = find(client)
    except AttributeError:
        return False
    if not callable(method) or any(method is one.ours for one in replaced):
        return False
    above, _, name = path.rpartition(".")
    resource = attrgetter(above)(client) if above else client
    ours = _logged(method, surface_named(METHODS[path]), emit, fields)
    before = vars(resource).get(name)
    setattr(resource, name, staticmethod(ours) if isinstance(resource, type) else ours)
    replaced.append(_Replaced(resource, name, before, ours))
    if find(client) is not ours:
        raise TypeError(f"it makes another `{above}` each time")
    return True


def _logged(method: Any, surface: Surface, emit: Emit, fields: scope.Fields) -> Any:
    @guarded("capture", default=lambda *_: Around())
    def begin(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Around:
        if active() is not None or scope.suppressed():
            return Around()
        given = arguments_of(wrapped, args, kwargs) if args else kwargs
        # Serialised now: the caller may change its messages while a stream is read.
        body = wire.copied({key: wire.plain(value, given=True) for key, value in given.items()})
        inside = opened(scope.merge(fields, scope.current()))
        return FunctionRun(surface, "unknown", body, inside, emit, read=of_result, tells_enclosing=True)

    return around(method, begin)
