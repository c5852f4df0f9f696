"""One run of a decorated function, recorded from its input and output unless a recorded client is inside."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Self

from ... import scope
from ...event import JSON
from ...health import guarded
from ...scope.place import place_of, stamped
from ...serialise import dumps
from .. import wire
from ..call import Emit
from ..enclosing import Enclosing, Within
from ..open_streams import unended
from ..outcome import Outcome, of_error
from ..recorded_run import RecordedRun
from ..surfaces import Surface, surface_for, surface_of
from .gather import Gathered
from .stream_proxy import StreamProxy

_STEPS = ("__next__", "__anext__")
_LOOPS = (*_STEPS, "__iter__", "__aiter__")


class FunctionRun(RecordedRun):
    """One run: of a function, or of a foreign client's method; a plain answer, a generator's, or a stream object's.

    Where a recorded client makes the call, its record is the one: it knows what went over the wire, and carries the
    fields that are in force here.

    Args:
        surface: the shape in which *body* is, and the answer will be.
        provider: OpenTelemetry's name for the service.
        body: the request that the arguments amount to.
        fields: in force for what is called inside, and stamped on the event.
        emit: takes the event, unless somebody inside makes it.
        read: what a plain answer amounts to.
        tells_enclosing: whether a decorated function around it leaves the recording to this run from its beginning on.
    """

    def __init__(
        self,
        surface: Surface,
        provider: str,
        body: JSON,
        fields: scope.Fields,
        emit: Emit,
        *,
        read: Callable[[Any], Outcome],
        tells_enclosing: bool,
    ) -> None:
        stamps = dict(stamped(fields))
        streamed = body.get("stream") is True
        super().__init__(surface, provider, body, stamps, emit, streamed=streamed, tells_enclosing=tells_enclosing)
        self._enclosing = Enclosing()
        self._within = Within(self._enclosing, fields)
        self._inside = fields
        self._gathered = Gathered(surface)
        self._in_pieces = False
        self._read = read

    @guarded("capture", default=lambda self: self)
    def __enter__(self) -> Self:
        self._within.__enter__()
        return super().__enter__()

    @guarded("capture")
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        super().__exit__(kind, error, trace)
        self._within.__exit__(kind, error, trace)

    @guarded("capture")
    def yielded(self, item: Any) -> None:
        """Keep *item*, a piece of the answer."""
        if not self._in_pieces:
            self._goes_on()
        self._call.streamed = True
        self._gathered.add(item)
        if self._silent:
            text = isinstance(item, (str, bytes))  # A message's text, piece by piece, or an object of whatever SDK.
            self._look(dumps({"text" if text else "_": item if text else wire.plain(item)}))

    @guarded("capture", default=lambda _, value: value)
    def returned(self, value: Any) -> Any:
        """Record what came back, or have it watched while somebody takes its pieces."""
        if self._enclosing.called:
            return value
        if not self._in_pieces and not _has_http(value) and self._is_stream(value):
            self._goes_on()
            return StreamProxy(value, self)
        self._record(value)
        return value

    @guarded("capture")
    def pending(self) -> None:
        """Be one record, too, where nobody asks for the answer."""
        unended.add(self)

    def entered(self, value: Any) -> Any:
        """Record what the block gets: it is the answer."""
        return self.returned(value)

    def left(self, error: BaseException | None) -> None:  # noqa: ARG002 - its block's, not the answer's
        """Record what there was until the end of the block."""
        self.raised(GeneratorExit())

    @guarded("capture")
    def raised(self, error: BaseException) -> None:
        """Record what there was until *error*."""
        self._within.__exit__(type(error), error, None)  # Again: a signal's handler may have raised at its ends.
        self.ended(error)

    @guarded("capture")
    def ended(self, error: BaseException | None) -> None:
        """Record what there was until *error*; or until recording ends, as it may while the body runs."""
        if self._is_mine():
            so_far = self._gathered.outcome(self._body, exhausted=False)
            self._conclude(Outcome(so_far.response, of_error(error or GeneratorExit()).error, whole=so_far.whole))

    @guarded("capture", default=lambda run, _: run.happened())
    def _record(self, value: Any) -> None:
        if not self._is_mine():
            return
        if self._streamed and isinstance(value, (list, tuple)):
            for item in value:
                self.yielded(item)
        if self._in_pieces:
            self._conclude(self._gathered.outcome(self._body, exhausted=True))
        elif _has_http(value):
            self._watch.start()  # From here on its reader tells when it waits.
            self._call.answered(value, surface_for(wire.http_response(value).url.path))
        else:
            self._conclude(self._read(value))

    def _goes_on(self) -> None:
        """From now on somebody takes the answer piece by piece."""
        self._in_pieces = True
        unended.add(self)

    def _conclude(self, found: Outcome) -> None:
        answer = found.response
        self._call.conclude(found, surface_of(answer) if isinstance(answer, dict) else None)

    def _is_stream(self, value: Any) -> bool:
        """Whether *value* gives its answer piece by piece: what was asked for as a stream need only be iterable."""
        if isinstance(value, (list, tuple, str, dict)):
            return False
        if self._streamed:
            return any(hasattr(type(value), name) for name in _LOOPS)
        return any(hasattr(type(value), name) for name in _STEPS) and not hasattr(value, "read")

    def _is_mine(self) -> bool:
        """Whether the event is this run's to make, now that it is over, and has not been made."""
        unended.discard(self)
        if self._enclosing.called:
            return False
        self._enclosing.tell()
        # What the callable itself has retrieved since it began is known only now.
        place = place_of(self._inside)
        if place is not None and place.documents and "retrieval_docs" not in self._inside:
            self._fields["retrieval_docs"] = list(place.documents)
        return True


def arguments_of(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> JSON:
    """What *function* is called with, by the names of its parameters; what a partial was given before, too."""
    while isinstance(function, functools.partial):
        args, kwargs = (*function.args, *args), {**function.keywords, **kwargs}
        function = function.func
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except (TypeError, ValueError):  # No signature, or a call that will fail by itself in a moment.
        return {**{str(place): value for place, value in enumerate(args)}, **kwargs}
    found: JSON = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        found |= value if kind is inspect.Parameter.VAR_KEYWORD else {name: value}
    return found


def _has_http(value: Any) -> bool:
    """Whether *value* is an SDK's object with the HTTP response it was made from."""
    return isinstance(getattr(wire.http_response(value), "is_closed", None), bool)
