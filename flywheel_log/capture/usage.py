"""Ask a stream for its token counts where the caller did not, and only where that is known to be safe."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from ..event import JSON
from ..health import guarded
from .provider import host_of, service_at

_SURFACES = frozenset({"chat.completions", "completions"})
_SERVICES = frozenset({"openai", "azure.ai.openai", "azure.ai.inference"})
_REFUSALS = frozenset({400, 422})


@dataclass(slots=True)
class Asking:
    """Whether streams are asked for their token counts.

    Attributes:
        mode: "auto" asks OpenAI's and Azure's hosts, "always" every host, "never" none.
        refused: hosts that answered 400 or 422 to it; they are not asked again.
    """

    mode: Literal["auto", "always", "never"] = "auto"
    refused: set[str] = field(default_factory=set)

    def wanted(self, surface: str, body: JSON, host: str) -> bool:
        """Whether to ask *host* in a streamed call of *surface* with *body*: never where the caller said something."""
        if self.mode == "never" or surface not in _SURFACES or "stream_options" in body or host in self.refused:
            return False
        return self.mode == "always" or service_at(host) in _SERVICES


class Attempt:
    """The request that asks for token counts: inside the block, a 400 or 422 is swallowed, and `refused` says so.

    The caller then sends the request again as it was; if the host takes it (`taken`), it is not asked another time.

    Attributes:
        args, kwargs: what the SDK's `request` is called with.
    """

    def __init__(self, asking: Asking, host: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        options = copy.copy(_options(args, kwargs))
        options.json_data = {**(options.json_data or {}), "stream_options": {"include_usage": True}}
        given = "options" in kwargs
        self.args = args if given else (args[0], options, *args[2:])
        self.kwargs = {**kwargs, "options": options} if given else kwargs
        self.refused = False
        self._asking = asking
        self._host = host

    def __enter__(self) -> Self:
        return self

    @guarded("capture")
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self.refused = getattr(error, "status_code", None) in _REFUSALS
        return self.refused

    @guarded("capture")
    def taken(self) -> None:
        """The host answered the request as it was."""
        self._asking.refused.add(self._host)


def attempt(asking: Asking, surface: str, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Attempt | None:
    """How to ask for the counts of a streamed call of *surface* that *client* sends so; None where it is not asked."""
    if asking.mode == "never" or surface not in _SURFACES:
        return None
    options, host = _options(args, kwargs), host_of(client)
    body = {**(options.json_data or {}), **(options.extra_json or {})}
    # A body that the program wrote itself is sent as it is.
    return Attempt(asking, host, args, kwargs) if body and asking.wanted(surface, body, host) else None


def _options(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return kwargs["options"] if "options" in kwargs else args[1]
