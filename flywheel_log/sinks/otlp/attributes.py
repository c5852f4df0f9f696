"""An event as the attributes of a span: OpenTelemetry's names where it has any, else ours under `flywheel_log.`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from flywheel_log.event import JSON
from flywheel_log.health import guarded
from flywheel_log.meter import CALLS
from flywheel_log.projection import as_chat
from flywheel_log.semconv import operation_of

from . import messages

_GOOGLES = frozenset({"embed_content", "generate_content"})
_OWN = "flywheel_log."
_FIELDS = {
    "id": f"{_OWN}event.id",
    "kind": f"{_OWN}event.kind",
    "client_id": f"{_OWN}client.id",
    "workload_id": f"{_OWN}workload.id",
    "session_id": "gen_ai.conversation.id",
    "user_id": "user.id",
    "tags": f"{_OWN}tags",
    "status": f"{_OWN}status",
    "cost_usd": f"{_OWN}cost_usd",
    "retries": f"{_OWN}retries",
    "sample_rate": f"{_OWN}sample_rate",
    "training_unsafe": f"{_OWN}training_unsafe",
    "hallucination_flag": f"{_OWN}hallucination",
    "target": f"{_OWN}target",
}
_OF_CALLS = {
    "provider": "gen_ai.provider.name",
    "model": "gen_ai.request.model",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cached_tokens": "gen_ai.usage.cache_read.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}
_REQUEST = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "previous_response_id": "gen_ai.request.previous_response.id",
    "reasoning_effort": "gen_ai.request.reasoning.level",
    "dimensions": "gen_ai.embeddings.dimension.count",
}
_DOUBLES = frozenset({"temperature", "top_p", "frequency_penalty", "presence_penalty"})
_API_TYPES = {"chat.completions": "chat_completions", "responses": "responses"}
_OUTPUT_TYPES = {"text": "text", "json_object": "json", "json_schema": "json"}
_OPENAI = frozenset({"openai", "azure.ai.openai"})


def name_of(event: JSON) -> str:
    """The span's name: what was done and with which model, or the step's own."""
    kind = str(event.get("kind") or "event")
    if kind in CALLS:
        return f"{operation_of(str(event.get('surface') or ''))} {event.get('model') or ''}".strip()
    return str(event.get("name") or kind)


@guarded("otlp", default=lambda event, _: {_FIELDS["id"]: event.get("id")})
def attributes(event: JSON, content: str) -> JSON:
    """The attributes of *event*; *content* says how prompts and answers are told: "structured", "json" or "off"."""
    event = _in_known_words(event)
    found = {ours: event[key] for key, ours in _FIELDS.items() if event.get(key) is not None}
    found |= dict(_metadata(event.get("metadata") or {}))
    if isinstance(error := event.get("error"), dict):
        found["error.type"] = str(error.get("code") or error.get("type") or "_OTHER")
    if isinstance(prompt := event.get("prompt"), dict):
        found |= {f"gen_ai.prompt.{key}": str(prompt[key]) for key in ("name", "version") if key in prompt}
    if event.get("kind") in CALLS:
        found |= _call(event)
    elif event.get("kind") == "retrieval":
        found["gen_ai.operation.name"] = "retrieval"
    if content != "off":
        found |= _content(event, as_json=content == "json")
    return found


def _in_known_words(event: JSON) -> JSON:
    """*event* with Google's words for a call put into OpenAI's, which are known here as Anthropic's are."""
    if event.get("surface") not in _GOOGLES:
        return event
    request, response = as_chat(event)
    return {**event, "request": request, "response": response}


def _metadata(metadata: JSON) -> Iterator[tuple[str, Any]]:
    """What the program says in the conventions' own names is told under them."""
    for key, value in metadata.items():
        yield (key if key.startswith("gen_ai.") else f"{_OWN}metadata.{key}"), value


def _call(event: JSON) -> JSON:
    request, response = event.get("request") or {}, event.get("response") or {}
    found = {ours: event[key] for key, ours in _OF_CALLS.items() if event.get(key) is not None}
    found["gen_ai.operation.name"] = operation_of(str(event.get("surface") or ""))
    if event.get("streamed"):
        found["gen_ai.request.stream"] = True
    if (first := event.get("time_to_first_token_ms")) is not None:
        found["gen_ai.response.time_to_first_chunk"] = first / 1000
    for key, ours in (("id", "gen_ai.response.id"), ("model", "gen_ai.response.model")):
        if isinstance(response.get(key), str):
            found[ours] = response[key]
    if event.get("provider") in _OPENAI:
        found |= _openai(event, request, response)
    return found | dict(_asked(request)) | dict(_finished(event, response))


def _asked(request: JSON) -> Iterator[tuple[str, Any]]:
    for key, ours in _REQUEST.items():
        if (value := request.get(key)) is not None:
            yield ours, float(value) if key in _DOUBLES else value
    if (count := request.get("n")) not in (None, 1):
        yield "gen_ai.request.choice.count", count
    if stop := request.get("stop") or request.get("stop_sequences"):
        yield "gen_ai.request.stop_sequences", [stop] if isinstance(stop, str) else stop
    if isinstance(reasoning := request.get("reasoning"), dict) and reasoning.get("effort"):
        yield "gen_ai.request.reasoning.level", reasoning["effort"]
    if request.get("encoding_format"):
        yield "gen_ai.request.encoding_formats", [request["encoding_format"]]
    wanted = request.get("response_format") or (request.get("text") or {}).get("format")
    if isinstance(wanted, dict) and (kind := _OUTPUT_TYPES.get(str(wanted.get("type")))):
        yield "gen_ai.output.type", kind


def _finished(event: JSON, response: JSON) -> Iterator[tuple[str, Any]]:
    choices = messages.answered(response) if event.get("kind") == "llm" else []
    if choices:
        yield "gen_ai.response.finish_reasons", [said["finish_reason"] for said in choices]


def _openai(event: JSON, request: JSON, response: JSON) -> JSON:
    found = {
        "openai.api.type": _API_TYPES.get(str(event.get("surface"))),
        "openai.request.service_tier": request.get("service_tier"),
        "openai.response.service_tier": response.get("service_tier"),
        "openai.response.system_fingerprint": response.get("system_fingerprint"),
    }
    return {key: value for key, value in found.items() if value is not None}


@guarded("otlp", default=lambda _: {})
def _content(event: JSON, *, as_json: bool) -> JSON:
    """What was said, which is sensitive: the conventions ask for it to be left out at will."""
    request, response = event.get("request") or {}, event.get("response") or {}
    found: JSON = {}
    if event.get("kind") == "llm":
        found["gen_ai.input.messages"] = messages.asked(request)
        found["gen_ai.output.messages"] = messages.answered(response)
        found["gen_ai.system_instructions"] = messages.instructions(request)
        found["gen_ai.tool.definitions"] = [_tool(tool) for tool in request.get("tools") or ()]
    if event.get("kind") == "retrieval":
        found["gen_ai.retrieval.query.text"] = request.get("query")
    found["gen_ai.retrieval.documents"] = event.get("retrieval_docs")
    variables = (event.get("prompt") or {}).get("variables") or {}
    told = {key: value for key, value in found.items() if value}
    if as_json:
        told = {key: value if isinstance(value, str) else orjson.dumps(value).decode() for key, value in told.items()}
    return told | {f"gen_ai.prompt.variable.{key}": str(value) for key, value in variables.items()}


def _tool(tool: Any) -> Any:
    """A tool in the conventions' flat shape, which is the Responses API's."""
    if isinstance(tool, dict) and isinstance(function := tool.get("function"), dict):
        return {"type": tool.get("type") or "function", **function}
    if isinstance(tool, dict) and "input_schema" in tool:
        return {"type": "function", "name": tool.get("name"), "description": tool.get("description")} | {
            "parameters": tool["input_schema"]
        }
    return tool
