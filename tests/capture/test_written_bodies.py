"""Bodies that a program hands to the SDK's `post` itself, past the arguments of its resources."""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Callable
from typing import Any

import openai
import pytest

from flywheel_log.event import Event
from flywheel_log.health import health
from flywheel_log.standin import Server
from tests.capture.clients import HELLO, bare, recorded, seen, sent

USER = {"user": "u1"}
RAW = json.dumps(HELLO | USER).encode()
CONTENT = "content" in inspect.signature(openai.OpenAI.post).parameters
TO_EVENTS: dict[str, Any] = {"stream": True, "stream_cls": openai.Stream[object]}
JSON_TYPE = {"headers": {"content-type": "application/json"}}


def post(client: Any, **given: Any) -> Any:
    return client.post("/chat/completions", cast_to=object, **given)


def outcome(client: Any, **given: Any) -> Any:
    try:
        result = post(client, **given)
        return seen([type(one) for one in result] if isinstance(result, openai.Stream) else type(result))
    except Exception as error:  # noqa: BLE001 - it is compared
        return seen(error)


@pytest.mark.parametrize("extra", [None, {"n": 2}])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("body", ["text", [1, 2], 3, []], ids=str)
def test_a_body_that_is_no_object_is_recorded_as_it_went_out(
    body: Any, stream: bool, extra: Any, start: Callable[..., Server], events: list[Event]
) -> None:
    alone, watched = start(), start()
    given = {"body": body, "options": {"extra_json": extra}, **(TO_EVENTS if stream else {})}
    with bare(alone) as one, recorded(watched) as other:
        assert outcome(other, **given) == outcome(one, **given)
    assert sent(watched) == sent(alone)
    (event,) = events
    assert (event["status"], event["workload_id"], event["streamed"]) == ("error", "tests", stream)
    assert [event["request"]] == ([{"body": json.loads(one.body)} for one in watched.requests] or [{}])
    assert health.dropped() == {}


def test_a_mapping_that_is_no_dict_is_a_body_like_any_other(client: openai.OpenAI, events: list[Event]) -> None:
    post(client, body=types.MappingProxyType(HELLO))
    (event,) = events
    assert (event["status"], event["model"], event["request"]) == ("ok", HELLO["model"], HELLO)


@pytest.mark.skipif(not CONTENT, reason="this version of the SDK takes no raw content")
@pytest.mark.parametrize("raw", [RAW, RAW.decode()], ids=type)
def test_the_model_and_the_user_of_a_body_in_bytes_are_told(
    raw: Any, client: openai.OpenAI, events: list[Event]
) -> None:
    post(client, content=raw, options=JSON_TYPE)
    (event,) = events
    assert (event["status"], event["model"], event["user_id"]) == ("ok", HELLO["model"], "u1")
    assert event["request"] == HELLO | USER


@pytest.mark.skipif(not CONTENT, reason="this version of the SDK takes no raw content")
def test_the_model_of_a_body_in_bytes_is_told_where_the_call_fails(client: openai.OpenAI, events: list[Event]) -> None:
    with pytest.raises(openai.BadRequestError):
        post(client, content=b'{"model": "error-400", "messages": []}', options=JSON_TYPE)
    assert [(event["status"], event["model"]) for event in events] == [("error", "error-400")]


@pytest.mark.skipif(not CONTENT, reason="this version of the SDK takes no raw content")
@pytest.mark.parametrize("given", [{}, TO_EVENTS], ids=["read by the SDK", "read by the caller"])
def test_a_stream_that_a_body_in_bytes_asks_for_is_one(
    given: dict[str, Any], client: openai.OpenAI, events: list[Event]
) -> None:
    answer = post(client, content=json.dumps(HELLO | {"stream": True}), options=JSON_TYPE, **given)
    said = list(answer)
    (event,) = events
    assert (bool(said), event["streamed"], event["status"], event["model"]) == (True, True, "ok", HELLO["model"])
    assert event["response"]["choices"][0]["finish_reason"] == "stop"
