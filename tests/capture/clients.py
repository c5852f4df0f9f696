"""Clients of a stand-in, bare or recorded, and what of a call the caller and the server see, to compare the two."""

from __future__ import annotations

import re
from typing import Any

import openai

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.standin import Reply, Server

KEY = "sk-standin-0123456789abcdef"
MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]
HELLO: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": MESSAGES}
SAID = "This is the stand-in, not a model. You said: hi"
_OF_THE_CONNECTION = {"host", "idempotency-key", "x-stainless-read-timeout", "x-stainless-timeout"}


def bare(server: Server, cls: type[Any] = openai.OpenAI, **options: Any) -> Any:
    http = openai.DefaultAsyncHttpxClient if "Async" in cls.__name__ else openai.DefaultHttpxClient
    # Certificates, which take longer to load than most tests, are of no use on the loopback.
    return cls(base_url=server.url, api_key=KEY, http_client=http(verify=False), **{"max_retries": 0, **options})


def recorded(server: Server, cls: type[Any] = openai.OpenAI, **options: Any) -> Any:
    return flywheel_log.instrument(bare(server, cls, **options))


def chat(client: Any) -> Any:
    """Where `parse` and `stream` are: openai 1 had them in beta."""
    plain = client.chat.completions
    return plain if hasattr(plain, "parse") else client.beta.chat.completions


def seen(value: Any) -> Any:
    """*value*, a result of the SDK, as plain values that can be compared."""
    if hasattr(value, "model_dump"):
        return type(value).__name__, value.model_dump(warnings=False), sorted(value.model_fields_set)
    if isinstance(value, (list, tuple)):
        return [seen(item) for item in value]
    if isinstance(value, BaseException):
        told = [error and (type(error), _portless(error)) for error in (value.__cause__, value.__context__)]
        return type(value), _portless(value), getattr(value, "body", None), getattr(value, "status_code", None), told
    return value


def _portless(error: BaseException) -> str:
    return re.sub(r":\d+/", "/", str(error.args))


def content(event: Event) -> Any:
    """The text of the first answer."""
    return event["response"]["choices"][0]["message"]["content"]


def sent(server: Server) -> list[Any]:
    """The requests that *server* received, without what differs from connection to connection."""
    return [
        (
            one.method,
            one.path,
            {name: value for name, value in one.headers.items() if name not in _OF_THE_CONNECTION},
            one.body,
        )
        for one in server.requests
    ]


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    """A chunk of a chat stream."""
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def streaming(*items: Any, done: bool = True) -> Any:
    """A script that answers every request with an event stream of *items*."""
    return lambda _: Reply.events([*items, *(["[DONE]"] if done else [])])
