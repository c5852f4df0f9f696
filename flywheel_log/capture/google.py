"""Google's door: record clients of google-genai at the four methods through which every one of its calls goes."""

from __future__ import annotations

import inspect
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self

from .. import scope
from ..around import Around, around
from ..event import JSON
from ..health import guarded
from ..process.locks import Lock
from . import wire
from .client import Binding, everyone
from .identity_set import IdentitySet
from .open_streams import unended
from .outcome import Outcome, of_error
from .patches import Patches
from .recorded_run import RecordedRun
from .streams.tape import KEEP_AT_MOST
from .surfaces import Surface, surface_named
from .under_way import Requesting, active, current

_MARK = "_flywheel_log"
_WAIST = ("request", "request_streamed", "async_request", "async_request_streamed")
_ATTEMPTS = ("_request_once", "_async_request_once")  # Once for each time that it really asks.
_SURFACES = {
    "generateContent": "generate_content",
    "streamGenerateContent": "generate_content",
    "embedContent": "embed_content",
    "batchEmbedContents": "embed_content",
}
_lock = Lock()
_marked = IdentitySet()
_patches = Patches()


def is_mine(client: Any) -> bool:
    """Whether *client* is one of google-genai: a `genai.Client`, or its `aio`, `models`, `chats` and so on."""
    return all(callable(getattr(type(_api_of(client)), name, None)) for name in _WAIST)


def instrument(client: Any, binding: Binding) -> None:
    """Record every call of *client*, sync and async, by *binding*; a second time only renews the binding."""
    with _lock:
        api = _api_of(client)
        _install(type(api))
        vars(api)[_MARK] = binding
        _marked.add(api)


def instrument_everyone() -> None:
    """Have every client heard, made before or after; nothing happens where the library is not loaded."""
    module = sys.modules.get("google.genai._api_client")
    if module is not None:
        with _lock:
            _install(module.BaseApiClient)


def uninstrument(client: Any = None) -> None:
    """Undo it for *client*, or everything for None; the classes are as before when nobody is recorded."""
    with _lock:
        for api in [*_marked] if client is None else [_api_of(client)]:
            vars(api).pop(_MARK, None)
            _marked.discard(api)
        if not _marked and (client is None or everyone() is None):
            _patches.undo()


def _api_of(client: Any) -> Any:
    return getattr(client, "_api_client", None)


def _install(cls: type) -> None:
    from wrapt import FunctionWrapper

    for name in _WAIST:
        _patches.wrap(cls, name, lambda method: around(method, _begin))
    for name in _ATTEMPTS:
        _patches.wrap(cls, name, lambda method: FunctionWrapper(method, _attempt))


def _attempt(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    run = active()
    if isinstance(run, _Run):
        run.attempts += 1
    return wrapped(*args, **kwargs)


@guarded("capture", default=lambda *_: Around())
def _begin(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Around:
    api = wrapped.__self__
    binding = vars(api).get(_MARK) or everyone()
    if binding is None or active() is not None or scope.suppressed():
        return Around()
    given = dict(zip(("http_method", "path", "request_dict"), args, strict=False)) | kwargs
    path, _, method = str(given["path"]).partition("?")[0].rpartition(":")
    body = given["request_dict"]
    name = "embed_content" if method == "predict" and _embeds(body) else _SURFACES.get(method)
    if name is None:
        return Around()
    surface, model, streamed = surface_named(name), path.rpartition("/")[2], method.startswith("stream")
    return _Run(binding, api, body, surface=surface, model=model, streamed=streamed)


def _embeds(body: JSON) -> bool:
    """Whether Vertex AI is asked for embeddings of texts; images are asked for at the same place."""
    instances = body.get("instances")
    return isinstance(instances, list) and any(isinstance(one, dict) and "content" in one for one in instances)


class _Run(RecordedRun):
    """One call at the waist; its clock stands still while the consumer of a stream does something else.

    Args:
        binding: what the client is bound to.
        api: the SDK's client.
        body: the SDK's own object, made for this call; it becomes what is sent when `extra_body` is put in.
        surface: how to read what comes back.
        model: stands in the path, so that the body does not say it.
        streamed: whether a stream was asked for.
    """

    _over = True  # Until it has begun.

    def __init__(self, binding: Binding, api: Any, body: JSON, *, surface: Surface, model: str, streamed: bool) -> None:
        fields = {**scope.at_call(binding.fields), "model": model}
        provider = "gcp.vertex_ai" if getattr(api, "vertexai", False) else "gcp.gemini"
        super().__init__(surface, provider, body, fields, binding.emit, streamed=streamed, client=api)
        self.came = self._call.came
        self.attempts = 0
        self._before: Requesting | None = None
        self._bodies: list[Any] = []
        self._room = KEEP_AT_MOST
        self._over = False

    def running(self) -> AbstractContextManager[Any]:
        return nullcontext() if self._over else self

    @guarded("capture", default=lambda self: self)
    def __enter__(self) -> Self:
        self._before = current.get()
        current.set(self)
        self.under_way = True
        return super().__enter__()

    @guarded("capture")
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.under_way = False
        super().__exit__(kind, error, trace)
        if current.get() is self:
            current.set(self._before)

    @guarded("capture")
    def yielded(self, item: Any) -> None:
        unended.add(self)
        body = _body_of(item)
        self._look(body)
        self._room -= len(body)
        if self._room >= 0:
            self._bodies.append(body)

    @guarded("capture", default=lambda _, value: value)
    def returned(self, value: Any) -> Any:
        if inspect.isasyncgen(value):
            unended.add(self)
            return around(lambda: value, lambda *_: self)()
        if self._streamed:
            self.ended(None)
        else:
            self._conclude(Outcome(wire.body(_body_of(value))))
        return value

    @guarded("capture")
    def raised(self, error: BaseException) -> None:
        self.ended(error)

    @guarded("capture", default=lambda run, _: run.happened())
    def ended(self, error: BaseException | None) -> None:
        """The stream (or the call) is over; *error* is what ended it early."""
        unended.discard(self)
        chunks = [chunk for body in self._bodies if (chunk := wire.event(body)) is not None]
        response = self._surface.assemble(chunks) if chunks else None
        reported = _outcome_of(error) if error is not None else Outcome(None)
        whole = response is not None and self._surface.finished(response, self._body) and self._room >= 0
        self._conclude(Outcome(response or reported.response, reported.error, whole=whole))

    def _conclude(self, found: Outcome) -> None:
        self._over = True
        for key in [key for key in self._body if key.startswith("_")]:  # The SDK's own, where it failed before it sent.
            self._body.pop(key)
        self._call.came(None, self.attempts - 1 if self.attempts else None)
        self._call.conclude(found)

    def __del__(self) -> None:
        # The stream of an asynchronous client has been asked for by now, also where nobody ever iterates it.
        if not self._over:
            self.raised(GeneratorExit())


def _body_of(answer: Any) -> bytes:
    """The JSON that came, which the SDK hands on as text."""
    return str(answer.body or "").encode()


def _outcome_of(error: BaseException) -> Outcome:
    """What the SDK raised, with the numbers and names that Google gives it: an HTTP status, and a word for it."""
    found = of_error(error)
    if found.error is None:
        return found
    if isinstance(code := getattr(error, "code", None), int):
        found.error["status_code"] = code
    if isinstance(status := getattr(error, "status", None), str):
        found.error["code"] = status
    if isinstance(message := getattr(error, "message", None), str):
        found.error["message"] = message
    details = getattr(error, "details", None)
    said = details.get("error") if isinstance(details, dict) else None
    return Outcome({"error": said or dict(found.error)}, found.error)
