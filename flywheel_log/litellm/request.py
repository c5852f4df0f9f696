"""What LiteLLM passes to its callbacks about a call, read as a request in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litellm.constants import openai_compatible_providers

from ..capture.surfaces import Surface, surface_named
from ..event import JSON
from ..projection import chat, projected
from ..serialise import dumps, loads

_SURFACES = {
    "anthropic_messages": "chat.completions",
    "completion": "chat.completions",
    "text_completion": "completions",
    "embedding": "embeddings",
    "moderation": "moderations",
    "responses": "responses",
}
_ASKED = {"completions": "prompt", "embeddings": "input", "moderations": "input", "responses": "input"}
_BESIDE_THE_BODY = frozenset({"extra_body", "extra_headers", "extra_query", "timeout", "max_retries"})
_NAMES = ("workload_id", "user_id", "session_id")


def surface_of(kwargs: JSON) -> Surface | None:
    """How to read what *kwargs* is about; None for images, speech and whatever else is no call of a language model."""
    kind = str(kwargs.get("call_type") or "")
    name = _SURFACES.get(kind) or _SURFACES.get(kind.removeprefix("a"))
    return surface_named(name) if name else None


def is_uncounted(kwargs: JSON) -> bool:
    """Whether the answer comes without token counts, so that LiteLLM counts by itself: OpenAI's streams, unasked."""
    if not kwargs.get("stream") or kwargs.get("custom_llm_provider") not in (
        "azure",
        "openai",
        *openai_compatible_providers,
    ):
        return False
    options = (kwargs.get("optional_params") or {}).get("stream_options") or {}
    return not options.get("include_usage")


def body_of(surface: str, model: str, messages: Any, kwargs: JSON) -> JSON:
    """The request in OpenAI's shape, as it is now: the messages are the program's, which may change them."""
    given = kwargs.get("optional_params") or {}
    asked = {_ASKED.get(surface, "messages"): kwargs.get("input") if surface in _ASKED else messages}
    if surface == "completions" and not asked["prompt"]:
        asked = {"prompt": messages}
    more = given.get("extra_body") or {}
    body = {key: value for key, value in {**given, **more}.items() if key not in _BESIDE_THE_BODY and value is not None}
    snapshot: JSON = loads(dumps({"model": model, **asked, **body}))
    if kwargs.get("call_type") == "anthropic_messages":  # Answered to callbacks in OpenAI's words all the same.
        snapshot = projected({"surface": "messages", "request": snapshot})[0] or snapshot
    if isinstance(tools := snapshot.get("tools"), list):
        snapshot["tools"] = [_tool(tool) for tool in tools]
    return snapshot


def _tool(tool: Any) -> Any:
    """A tool in OpenAI's shape, which LiteLLM has put into that of another vendor by now."""
    if not isinstance(tool, Mapping) or "input_schema" not in tool:
        return tool
    return chat.tool(tool.get("name"), tool["input_schema"], description=tool.get("description"))


def metadata_of(kwargs: JSON) -> JSON:
    """The metadata of the call, wherever LiteLLM has put it."""
    params = kwargs.get("litellm_params") or {}
    return {**(params.get("litellm_metadata") or {}), **(params.get("metadata") or {})}


def named(kwargs: JSON) -> JSON:
    """What the call's own metadata says of who calls, and for what."""
    metadata = metadata_of(kwargs)
    fields: JSON = {key: metadata[key] for key in _NAMES if isinstance(metadata.get(key), str)}
    if isinstance(tags := metadata.get("tags"), list) and (words := [tag for tag in tags if isinstance(tag, str)]):
        fields["tags"] = words
    return fields
