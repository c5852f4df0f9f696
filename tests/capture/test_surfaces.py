"""Golden transcripts: what the events of a stream amount to, in all the shapes that servers give them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_log import recorder
from flywheel_log.capture import derive, outcome
from flywheel_log.capture.call import Call
from flywheel_log.capture.surfaces import surface_for, surface_named
from flywheel_log.event import Event
from flywheel_log.health import health

CHAT = surface_named("chat.completions")
RESPONSES = surface_named("responses")


def message(*deltas: dict[str, Any]) -> dict[str, Any]:
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    (choice,) = CHAT.assemble(chunks)["choices"]
    found: dict[str, Any] = choice["message"]
    return found


def calling(*calls: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = message({"role": "assistant"}, *({"tool_calls": [call]} for call in calls))[
        "tool_calls"
    ]
    return found


def function(name: str | None = None, arguments: str | None = None, **more: Any) -> dict[str, Any]:
    said = {"name": name, "arguments": arguments}
    return {**more, "function": {key: value for key, value in said.items() if value is not None}}


def whole(id_: str | None, name: str, arguments: str) -> dict[str, Any]:
    return {
        "type": "function",
        **({"id": id_} if id_ else {}),
        "function": {"name": name, "arguments": arguments},
    }


TOOLS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "as OpenAI sends them": (
        [
            function("f", "", index=0, id="a", type="function"),
            function(None, '{"x"', index=0),
            function(None, ": 1}", index=0),
        ],
        [whole("a", "f", '{"x": 1}')],
    ),
    "in parallel, mixed": (
        [
            function("f", "", index=0, id="a", type="function"),
            function("g", "", index=1, id="b", type="function"),
            function(None, "1", index=0),
            function(None, "2", index=1),
            function(None, "3", index=0),
        ],
        [whole("a", "f", "13"), whole("b", "g", "2")],
    ),
    "index 0 for all, with new ids": (
        [
            function("f", "1", index=0, id="a"),
            function("g", "2", index=0, id="b"),
            function(None, "3", index=0, id="b"),
        ],
        [whole("a", "f", "1"), whole("b", "g", "23")],
    ),
    "no index": (
        [function("f", "1", id="a"), function(None, "2"), function("g", "3", id="b"), function(None, "4")],
        [whole("a", "f", "12"), whole("b", "g", "34")],
    ),
    "no id and no type": ([function("f", "1", index=0), function(None, "2", index=0)], [whole(None, "f", "12")]),
    "empty id and type on continuation": (
        [function("f", "1", index=0, id="a", type="function"), function("", "2", index=0, id="", type="")],
        [whole("a", "f", "12")],
    ),
    "a name in pieces": (
        [function("get_", "", index=0, id="a"), function("it", "1", index=0)],
        [whole("a", "get_it", "1")],
    ),
    "the name again and again": (
        [function("f", "1", index=0, id="a"), function("f", "2", index=0, id="a")],
        [whole("a", "f", "12")],
    ),
    "arguments null at first": (
        [{"index": 0, "id": "a", "function": {"name": "f", "arguments": None}}, function(None, "1", index=0)],
        [whole("a", "f", "1")],
    ),
    "a custom tool": (
        [
            {"index": 0, "id": "a", "type": "custom", "custom": {"name": "c", "input": "in"}},
            {"index": 0, "custom": {"input": "put"}},
        ],
        [{"type": "custom", "id": "a", "custom": {"name": "c", "input": "input"}}],
    ),
}


@pytest.mark.door("openai", "tools")
@pytest.mark.parametrize("shape", TOOLS)
def test_tool_calls_are_put_together(shape: str) -> None:
    deltas, expected = TOOLS[shape]
    assert calling(*deltas) == expected


MESSAGES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "text": ([{"role": "assistant", "content": ""}, {"content": "a"}, {"content": "b"}], {"content": "ab"}),
    "nothing": ([{"role": "assistant"}], {"content": None}),
    "the role again and again": ([{"role": "assistant", "content": "a"}, {"role": "assistant"}], {"content": "a"}),
    "a refusal": ([{"refusal": "I "}, {"refusal": "won't"}], {"content": None, "refusal": "I won't"}),
    "reasoning": (
        [{"reasoning_content": "th"}, {"reasoning_content": "ink"}, {"content": "a"}],
        {"content": "a", "reasoning_content": "think"},
    ),
    "audio": (
        [
            {"audio": {"id": "x", "transcript": "he"}},
            {"audio": {"transcript": "llo", "data": "AA"}},
            {"audio": {"data": "BB"}},
        ],
        {"content": None, "audio": {"id": "x", "transcript": "hello", "data": "AABB"}},
    ),
    "annotations": (
        [{"annotations": [{"type": "url_citation"}]}, {"annotations": [{"type": "other"}]}],
        {"content": None, "annotations": [{"type": "url_citation"}, {"type": "other"}]},
    ),
    "reasoning in parts, as OpenRouter tells it": (
        [
            {"reasoning_details": [{"type": "reasoning.text", "text": "th", "format": "x", "index": 0}]},
            {"reasoning_details": [{"type": "reasoning.text", "text": "ink", "format": "x", "index": 0}]},
            {"reasoning_details": [{"type": "reasoning.text", "text": "", "signature": "s", "index": 0}]},
            {"reasoning_details": [{"type": "reasoning.text", "text": "more", "index": 1}]},
            {"reasoning_details": [{"type": "reasoning.encrypted", "data": "e1"}]},
            {"reasoning_details": [{"type": "reasoning.encrypted", "data": "e2"}]},
        ],
        {
            "content": None,
            "reasoning_details": [
                {"type": "reasoning.text", "text": "think", "format": "x", "index": 0, "signature": "s"},
                {"type": "reasoning.text", "text": "more", "index": 1},
                {"type": "reasoning.encrypted", "data": "e1"},
                {"type": "reasoning.encrypted", "data": "e2"},
            ],
        },
    ),
    "a thought and an answer, as Mistral tells them": (
        [
            {"role": "assistant", "content": ""},
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "th"}]}]},
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "ink"}]}]},
            {"content": "an"},
            {"content": "swer"},
            {"content": ""},
        ],
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "think"}]},
                {"type": "text", "text": "answer"},
            ]
        },
    ),
    "an answer before its parts": (
        [{"content": "a"}, {"content": [{"type": "text", "text": "b"}, {"type": "image", "text": "c"}, "d"]}],
        {"content": [{"type": "text", "text": "ab"}, {"type": "image", "text": "c"}, "d"]},
    ),
    "a legacy function call": (
        [{"function_call": {"name": "f", "arguments": ""}}, {"function_call": {"arguments": "{}"}}],
        {"content": None, "function_call": {"name": "f", "arguments": "{}"}},
    ),
    "nulls between": ([{"content": "a", "refusal": None}, {"content": None}, {}], {"content": "a", "refusal": None}),
}


@pytest.mark.door("openai", "parts")
@pytest.mark.parametrize("shape", MESSAGES)
def test_a_message_grows_from_its_deltas(shape: str) -> None:
    deltas, expected = MESSAGES[shape]
    assert message(*deltas) == {"role": "assistant"} | expected


@pytest.mark.door("openai", "parts")
def test_log_probabilities_are_kept() -> None:
    chunks = [
        {
            "choices": [
                {"index": 0, "delta": {"content": text}, "logprobs": {"content": [{"token": text}], "refusal": None}}
            ]
        }
        for text in "ab"
    ]
    (choice,) = CHAT.assemble(chunks)["choices"]
    assert choice["logprobs"] == {"content": [{"token": "a"}, {"token": "b"}], "refusal": None}


@pytest.mark.door("openai", "unsafe")
@pytest.mark.parametrize(
    ("choice", "marks"),
    [
        ({"finish_reason": "stop", "message": {"content": "x"}}, []),
        ({"finish_reason": "length", "message": {"content": "x"}}, ["length"]),
        ({"finish_reason": "content_filter", "message": {}}, ["content_filter"]),
        ({"finish_reason": "stop", "message": {"refusal": "no"}}, ["refusal"]),
        ({"message": {"tool_calls": [whole("a", "f", "{}")]}}, []),
        ({"message": {"tool_calls": [whole("a", "f", '{"x":')]}}, ["invalid_tool_arguments"]),
        ({"message": {"function_call": {"arguments": "{"}}}, ["invalid_tool_arguments"]),
        ({"message": {"tool_calls": [whole("a", "f", '"{}"')]}}, ["invalid_tool_arguments"]),
        ({"message": {"tool_calls": [whole("a", "f", "5")]}}, ["invalid_tool_arguments"]),
        ({"message": None}, ["no_message"]),
        ({"finish_reason": "length", "message": {"refusal": "no"}}, ["length", "refusal"]),
        ({"message": {"content": "x", "annotations": [{"type": "url_citation"}]}}, ["hosted_tool"]),
        ({"message": {"content": "x", "annotations": [{"type": "file"}]}}, []),
        ({"message": {"content": "x", "annotations": {"a": "b"}}}, []),
    ],
)
def test_what_no_dataset_should_take_is_marked(choice: Any, marks: list[str]) -> None:
    assert CHAT.marks({"choices": [choice]}) == marks


@pytest.mark.door("openai", "unsafe")
@pytest.mark.parametrize(
    ("response", "marks"),
    [
        ({"status": "completed", "output": []}, []),
        ({"status": "queued", "output": []}, ["incomplete"]),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, ["length"]),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, ["content_filter"]),
        ({"output": [{"type": "message", "content": [{"type": "refusal"}]}]}, ["refusal"]),
        ({"output": [{"type": "function_call", "arguments": "{"}]}, ["invalid_tool_arguments"]),
        ({"output": [{"type": "function_call", "arguments": "[1]"}]}, ["invalid_tool_arguments"]),
        ({"output": [{"type": "custom_tool_call", "input": "{"}]}, []),
        ({"output": [{"type": "web_search_call"}, {"type": "message", "content": []}]}, ["hosted_tool"]),
    ],
)
def test_responses_are_marked_too(response: Any, marks: list[str]) -> None:
    assert RESPONSES.marks(response) == marks


@pytest.mark.parametrize(
    ("surface", "response", "marks"),
    [
        ("messages", {"content": [{"type": "server_tool_use"}, {"type": "text", "text": "x"}]}, ["hosted_tool"]),
        ("messages", {"content": [{"type": "tool_use", "input": {}}]}, []),
        ("generate_content", {"candidates": [{"groundingMetadata": {"webSearchQueries": ["x"]}}]}, ["hosted_tool"]),
        ("generate_content", {"candidates": [{"content": {"parts": [{"executableCode": {}}]}}]}, ["hosted_tool"]),
        ("generate_content", {"candidates": [{"content": None, "groundingMetadata": {}}]}, []),
    ],
)
def test_what_rests_on_a_tool_of_the_service_is_marked(surface: str, response: Any, marks: list[str]) -> None:
    assert surface_named(surface).marks(response) == marks


STARTED = {"type": "response.created", "response": {"id": "r", "status": "in_progress", "output": []}}
ITEM = {"type": "message", "role": "assistant", "content": []}


def test_a_response_is_the_one_its_stream_ends_with() -> None:
    final = {"id": "r", "status": "completed", "output": [1], "usage": {"input_tokens": 1}}
    assert RESPONSES.assemble([STARTED, {"type": "response.completed", "response": final}]) == final


def test_a_response_left_early_has_what_was_said_until_then() -> None:
    events = [
        STARTED,
        {"type": "response.output_item.added", "output_index": 0, "item": ITEM},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "He"},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "llo"},
        {"type": "response.output_item.added", "output_index": 1, "item": {"type": "function_call", "name": "f"}},
        {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": '{"a"'},
    ]
    response = RESPONSES.assemble(events)
    assert response["output"] == [
        ITEM | {"content": [{"text": "Hello", "type": "output_text"}]},
        {"type": "function_call", "name": "f", "arguments": '{"a"'},
    ]
    assert not RESPONSES.finished(response, {})


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("/chat/completions", "chat.completions"),
        ("/openai/deployments/d/chat/completions?api-version=1", "chat.completions"),
        ("/completions", "completions"),
        ("/responses", "responses"),
        ("/v1/messages?beta=true", "messages"),
        ("/v1/messages/count_tokens", None),
        ("/responses/r_1/cancel", None),
        ("/files", None),
        ("/images/generations", None),
    ],
)
def test_a_url_tells_the_surface(url: str, name: str | None) -> None:
    surface = surface_for(url)
    assert (surface.NAME if surface else None) == name


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "delta",
                    "index",
                    "message",
                    "usage",
                    "tool_calls",
                    "function",
                    "content",
                    "type",
                    "response",
                    "item",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from(["choices", "usage", "type", "index", "response"]), JUNK), max_size=3))
def test_no_answer_however_odd_is_lost(events: list[Any]) -> None:
    for name in ("chat.completions", "completions", "responses", "messages", "embeddings", "moderations"):
        surface = surface_named(name)
        response = outcome._assembled(surface, events)
        counts, marks = derive.token_counts(surface, response), derive.marks(surface, response)
        assert (isinstance(response, dict), isinstance(counts, dict), isinstance(marks, list)) == (True, True, True)


def test_a_stream_that_defeats_its_surface_is_counted_not_kept_in_pieces() -> None:
    events = [{"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}} for text in ("sk-", "1")]
    assert outcome._assembled(surface_named("messages"), events) == {"unassembled": 2}


WRITTEN: dict[bytes, Any] = {
    b'{"model": "m", oops}': {"body": '{"model": "m", oops}'},
    b'{"x": "a\nb"}': {"body": '{"x": "a\nb"}'},
    b'{"x": "\xff"}': {"body": '{"x": "\ufffd"}'},
    b'{"x": 1}': {"x": 1},
    b"": {},
}


@pytest.mark.parametrize("raw", WRITTEN)
def test_a_body_that_the_program_wrote_itself_need_not_be_json(raw: bytes, events: list[Event]) -> None:
    request = SimpleNamespace(content=raw, headers={})
    answer = SimpleNamespace(request=request, headers={}, is_closed=True, content=b'{"choices": []}')
    call = Call(surface_named("chat.completions"), "openai", {}, {}, recorder.record)
    call.came(answer, 0)
    call.answered(None)
    (event,) = events
    assert (event["request"], event["status"], health.dropped()) == (WRITTEN[raw], "ok", {})
