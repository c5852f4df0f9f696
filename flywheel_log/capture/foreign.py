"""The small door: clients and fakes that have `chat.completions.create` but no `request`, method by method."""

from __future__ import annotations

from typing import Any, TypeVar

from .. import scope
from ..around import Around, around
from ..event import JSON
from ..health import guarded
from ..serialise import dumps, loads
from . import wire
from .call import Emit
from .gather import Gathered
from .known import Known
from .outcome import Outcome, of_error, of_result
from .surfaces import Surface, surface_named
from .timed import Timed
from .under_way import active

Client = TypeVar("Client")

METHODS = {
    "chat.completions": ("create", "parse"),
    "responses": ("create",),
    "completions": ("create",),
    "embeddings": ("create",),
    "moderations": ("create",),
    "messages": ("create",),
}
_MARK = "_flywheel_log_methods"
_STREAMS = frozenset({"__iter__", "__aiter__", "__next__", "__anext__"})
instrumented = Known()


def instrument(client: Client, emit: Emit, fields: scope.Fields) -> Client:
    """Record the calls of *client*'s own methods, in place, and return it.

    Raises:
        TypeError: *client* has none of the methods, or does not let them be replaced.
    """
    uninstrument(client)
    found = [
        (resource, method, surface_named(name))
        for name, methods in METHODS.items()
        if (resource := _resource(client, name)) is not None
        for method in methods
        if callable(getattr(resource, method, None))
    ]
    if not found:
        wanted = ", ".join(f"{name}.create" for name in METHODS)
        raise TypeError(
            f"{type(client).__name__} is no LLM client: it has neither `request(cast_to, options)` nor one of {wanted}"
        )
    replaced = []
    for resource, method, surface in found:
        before = vars(resource).get(method)
        setattr(resource, method, _logged(getattr(resource, method), surface, emit, fields))
        replaced.append((resource, method, before))
    vars(client)[_MARK] = replaced
    instrumented.add(client)
    return client


def uninstrument(client: Any) -> bool:
    """Put *client*'s own methods back; whether there was anything to do."""
    own = getattr(client, "__dict__", None)
    replaced = own.pop(_MARK, None) if isinstance(own, dict) else None
    instrumented.discard(client)
    for resource, method, before in replaced or ():
        if before is None:
            vars(resource).pop(method, None)
        else:
            setattr(resource, method, before)
    return replaced is not None


def _resource(client: Any, name: str) -> Any:
    for part in name.split("."):
        client = getattr(client, part, None)
    return client


def _logged(method: Any, surface: Surface, emit: Emit, fields: scope.Fields) -> Any:
    @guarded("capture", default=lambda *_: Around())
    def begin(_: Any, __: tuple[Any, ...], kwargs: dict[str, Any]) -> Around:
        if active() is not None or scope.suppressed():
            return Around()
        return _Run(surface, emit, kwargs, scope.at_call(fields))

    return around(method, begin)


class _Run(Timed):
    """One call of a foreign method: a plain answer, a coroutine's, a generator's, or a stream object's."""

    def __init__(self, surface: Surface, emit: Emit, body: dict[str, Any], fields: scope.Fields) -> None:
        # Serialised now: the caller may change its messages while a stream is read.
        asked: JSON = loads(dumps({key: wire.plain(value) for key, value in body.items()}))
        super().__init__(surface, "unknown", asked, dict(fields), emit, streamed=body.get("stream") is True)
        self._gathered = Gathered(surface)

    @guarded("capture")
    def yielded(self, item: Any) -> None:
        self._gathered.add(item)
        if self._silent:
            text = isinstance(item, str)  # A message's text, piece by piece, or an object of whatever SDK.
            self._look(dumps({"text" if text else "_": item if text else wire.plain(item)}))

    @guarded("capture", default=lambda _, value: value)
    def returned(self, value: Any) -> Any:
        if self._streamed and _STREAMS & set(dir(type(value))) and not isinstance(value, (list, tuple, str, dict)):
            from .watched import Watched

            return Watched(value, self)
        for item in value if self._streamed and isinstance(value, (list, tuple)) else ():
            self._gathered.add(item)
        self._conclude(None) if self._streamed else self._call.conclude(of_result(value))
        return value

    @guarded("capture")
    def raised(self, error: BaseException) -> None:
        self._conclude(None if isinstance(error, (StopIteration, StopAsyncIteration)) else error)

    def _conclude(self, error: BaseException | None) -> None:
        found = self._gathered.outcome(self._body, exhausted=error is None)
        ended = found if error is None else Outcome(found.response, of_error(error).error, whole=found.whole)
        self._call.conclude(ended)
