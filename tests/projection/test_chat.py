"""Calls of other APIs in the shape of a chat completion: whole bodies, as literals, there and back."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_log import projection
from flywheel_log.event import from_document, to_document, to_flat
from flywheel_log.loop.blueprint.usable import dropped, fatal

AT = "2026-01-31T12:00:00.000Z"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Looks.", "parameters": SCHEMA}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


def called(identifier: str, city: str = "Ulm") -> dict[str, Any]:
    function = {"name": "weather", "arguments": f'{{"city":"{city}"}}'}
    return {"id": identifier, "type": "function", "function": function}


ANTHROPIC: dict[str, Any] = {
    "surface": "messages",
    "model": "claude-x",
    "request": {
        "model": "claude-x",
        "max_tokens": 99,
        "system": [
            {"type": "text", "text": "Be brief."},
            {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}},
        ],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "stop_sequences": ["END"],
        "tools": [
            {"name": "weather", "description": "Looks.", "input_schema": SCHEMA},
            {"type": "web_search_20250305", "name": "web_search"},
        ],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
                    {"type": "text", "text": "Rain here?"},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Ulm"}},
                    {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {"city": "Köln"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "dry"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_2",
                        "is_error": True,
                        "content": [{"type": "text", "text": "no idea"}],
                    },
                    {"type": "text", "text": "So?"},
                ],
            },
        ],
    },
    "response": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x-1",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "text", "text": "Dry in Ulm", "citations": [{"type": "char_location"}]},
            {"type": "text", "text": ", I say.", "citations": None},
        ],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 7},
    },
    "input_tokens": 15,
    "output_tokens": 7,
    "cached_tokens": 5,
}

ANTHROPIC_AS_CHAT: tuple[Any, Any] = (
    {
        "model": "claude-x",
        "max_tokens": 99,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "stop": ["END"],
        "messages": [
            {"role": "system", "content": "Be brief.\nBe kind."},
            {"role": "user", "content": [IMAGE, {"type": "text", "text": "Rain here?"}]},
            {
                "role": "assistant",
                "content": "I look.",
                "tool_calls": [called("toolu_1"), called("toolu_2", "Köln")],
            },
            {"role": "tool", "tool_call_id": "toolu_1", "content": "dry"},
            {"role": "tool", "tool_call_id": "toolu_2", "content": "no idea"},
            {"role": "user", "content": "So?"},
        ],
        "tools": [TOOL],
        "tool_choice": "required",
        "parallel_tool_calls": False,
    },
    {
        "id": "msg_1",
        "object": "chat.completion",
        "model": "claude-x-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Dry in Ulm, I say."},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 15,
            "completion_tokens": 7,
            "total_tokens": 22,
            "prompt_tokens_details": {"cached_tokens": 5},
        },
    },
)

RESPONSES: dict[str, Any] = {
    "surface": "responses",
    "model": "gpt-x",
    "request": {
        "model": "gpt-x",
        "instructions": "Be brief.",
        "max_output_tokens": 99,
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"format": {"type": "json_schema", "name": "Weather", "strict": True, "schema": SCHEMA}},
        "tools": [
            {"type": "function", "name": "weather", "description": "Looks.", "parameters": SCHEMA, "strict": None},
            {"type": "custom", "name": "shell"},
            {"type": "web_search"},
        ],
        "tool_choice": {"type": "function", "name": "weather"},
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_image", "image_url": IMAGE["image_url"]["url"], "detail": "auto"},
                    {"type": "input_text", "text": "Rain here?"},
                ],
            },
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Ulm"}'},
            {"type": "custom_tool_call", "call_id": "call_2", "name": "shell", "input": "ls"},
            {"type": "function_call_output", "call_id": "call_1", "output": "dry"},
            {"type": "custom_tool_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "a"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        ],
    },
    "response": {
        "id": "resp_1",
        "object": "response",
        "model": "gpt-x-1",
        "status": "completed",
        "error": None,
        "output": [
            {"type": "reasoning", "id": "rs_2", "summary": []},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Look:"}]},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {"type": "function_call", "call_id": "call_3", "name": "weather", "arguments": '{"city":"Ulm"}'},
        ],
    },
    "input_tokens": 15,
    "output_tokens": 7,
    "reasoning_tokens": 2,
}

RESPONSES_AS_CHAT: tuple[Any, Any] = (
    {
        "model": "gpt-x",
        "max_completion_tokens": 99,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [IMAGE, {"type": "text", "text": "Rain here?"}]},
            {
                "role": "assistant",
                "content": "I look.",
                "tool_calls": [
                    called("call_1"),
                    {"id": "call_2", "type": "custom", "custom": {"name": "shell", "input": "ls"}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "dry"},
            {"role": "tool", "tool_call_id": "call_2", "content": "a"},
            {"role": "assistant", "content": None, "refusal": "No."},
        ],
        "tools": [TOOL, {"type": "custom", "custom": {"name": "shell"}}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "Weather", "strict": True, "schema": SCHEMA},
        },
        "reasoning_effort": "low",
    },
    {
        "id": "resp_1",
        "object": "chat.completion",
        "model": "gpt-x-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Look:", "tool_calls": [called("call_3")]},
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 15,
            "completion_tokens": 7,
            "total_tokens": 22,
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
    },
)

GOOGLE: dict[str, Any] = {
    "surface": "generate_content",
    "model": "gemini-x",
    "request": {
        "systemInstruction": {"parts": [{"text": "Be brief."}], "role": "user"},
        "generationConfig": {
            "temperature": 0.5,
            "topP": 0.9,
            "maxOutputTokens": 99,
            "candidateCount": 2,
            "stopSequences": ["END"],
            "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
        },
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "weather",
                        "description": "Looks.",
                        "parameters": {
                            "type": "OBJECT",
                            "properties": {"city": {"type": "STRING"}},
                            "required": ["city"],
                        },
                    }
                ]
            },
            {"googleSearch": {}},
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "safetySettings": [{"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_NONE"}],
        "contents": [
            {
                "role": "user",
                "parts": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}}, {"text": "Rain here?"}],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "Hm.", "thought": True},
                    {"text": "I look."},
                    {"functionCall": {"name": "weather", "args": {"city": "Ulm"}}, "thoughtSignature": "c2ln"},
                    {"functionCall": {"id": "own", "name": "weather", "args": {"city": "Köln"}}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "weather", "response": {"result": "dry"}}},
                    {"functionResponse": {"id": "own", "name": "weather", "response": {"result": "wet"}}},
                ],
            },
            {"parts": [{"fileData": {"mimeType": "application/pdf", "fileUri": "gs://a/b"}}]},
        ],
    },
    "response": {
        "responseId": "r1",
        "modelVersion": "gemini-x-1",
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [{"text": "Hm.", "thought": True}, {"text": "Dry in Ulm"}, {"text": ", I say."}],
                },
                "finishReason": "STOP",
                "index": 0,
            },
            {
                "content": {
                    "role": "model",
                    "parts": [{"functionCall": {"name": "weather", "args": {"city": "Ulm"}}}],
                },
                "finishReason": "STOP",
                "index": 1,
            },
            {"finishReason": "SAFETY", "index": 2},
        ],
    },
    "input_tokens": 15,
    "output_tokens": 7,
}

GOOGLE_AS_CHAT: tuple[Any, Any] = (
    {
        "model": "gemini-x",
        "safetySettings": [{"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_NONE"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 99,
        "n": 2,
        "stop": ["END"],
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [IMAGE, {"type": "text", "text": "Rain here?"}]},
            {
                "role": "assistant",
                "content": "I look.",
                "tool_calls": [called("call_1_0"), called("own", "Köln")],
            },
            {"role": "tool", "tool_call_id": "call_1_0", "content": '{"result":"dry"}'},
            {"role": "tool", "tool_call_id": "own", "content": '{"result":"wet"}'},
            {"role": "user", "content": [{"type": "file", "file": {"file_data": "gs://a/b"}}]},
        ],
        "tools": [TOOL],
        "tool_choice": "required",
    },
    {
        "id": "r1",
        "object": "chat.completion",
        "model": "gemini-x-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Dry in Ulm, I say."},
                "finish_reason": "stop",
            },
            {
                "index": 1,
                "message": {"role": "assistant", "content": None, "tool_calls": [called("call_r1_1_0")]},
                "finish_reason": "tool_calls",
            },
            {"index": 2, "message": {"role": "assistant", "content": None}, "finish_reason": "content_filter"},
        ],
        "usage": {"prompt_tokens": 15, "completion_tokens": 7, "total_tokens": 22},
    },
)

CASES = {
    "anthropic": (ANTHROPIC, ANTHROPIC_AS_CHAT),
    "responses": (RESPONSES, RESPONSES_AS_CHAT),
    "google": (GOOGLE, GOOGLE_AS_CHAT),
}


def event(body: dict[str, Any], **changes: Any) -> Any:
    return {"id": "r-1", "timestamp": AT, "kind": "llm", "client_id": "c", "workload_id": "w", **body, **changes}


@pytest.mark.parametrize("case", CASES)
def test_a_call_of_another_api_reads_as_a_chat(case: str) -> None:
    given, expected = CASES[case]
    assert projection.as_chat(event(given)) == expected


@pytest.mark.parametrize("case", CASES)
def test_the_document_is_that_of_a_chat_and_keeps_the_original(case: str) -> None:
    given, (request, response) = CASES[case]
    one = event(given)
    before = copy.deepcopy(one)
    document = to_document(one)
    nested = document["response"].pop("flywheel_log")
    assert (document["request"], document["response"]) == (request, response)
    assert nested["original"] == {"request": given["request"], "response": given["response"]}
    assert one == before
    assert from_document(to_document(one)) == before


@pytest.mark.parametrize("case", CASES)
def test_the_blueprint_can_use_the_document(case: str) -> None:
    document = to_document(event(CASES[case][0]))
    assert (dropped(document), fatal(document)) == ([], [])


@pytest.mark.parametrize(
    ("case", "prompt", "answer"),
    [
        ("anthropic", "So?", "Dry in Ulm, I say."),
        ("responses", "Rain here?", "Look:"),
        ("google", None, "Dry in Ulm, I say."),
    ],
)
def test_the_flat_line_has_the_texts(case: str, prompt: str | None, answer: str) -> None:
    flat = to_flat(event(CASES[case][0]))
    assert (flat["prompt"], flat["response"]) == (prompt, answer)


@pytest.mark.parametrize("case", CASES)
def test_a_call_of_an_unnamed_surface_is_known_by_its_shape(case: str) -> None:
    given, expected = CASES[case]
    unnamed = {key: value for key, value in given.items() if key != "surface"}
    assert projection.as_chat(event(unnamed)) == expected


def test_a_failed_call_keeps_its_error() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    one = event(ANTHROPIC, response=error)
    assert projection.as_chat(one) == (ANTHROPIC_AS_CHAT[0], error)
    assert from_document(to_document(one)) == one


@pytest.mark.parametrize(
    ("surface", "answer", "finish"),
    [
        ("messages", {"content": [], "stop_reason": "max_tokens"}, "length"),
        ("messages", {"content": [], "stop_reason": "refusal"}, "content_filter"),
        ("messages", {"content": [], "stop_reason": "of_tomorrow"}, "of_tomorrow"),
        ("messages", {"content": [], "stop_reason": None}, None),
        ("responses", {"output": [], "status": "incomplete", "incomplete_details": None}, "length"),
        (
            "responses",
            {"output": [], "status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            "content_filter",
        ),
        ("responses", {"output": [], "status": "in_progress"}, None),
        ("generate_content", {"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]}, "malformed_function_call"),
        ("generate_content", {"candidates": [{}]}, None),
    ],
)
def test_the_reason_to_stop_has_its_name_in_a_chat(surface: str, answer: dict[str, Any], finish: str | None) -> None:
    assert projection.as_chat(event({}, surface=surface, response=answer))[1]["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": None}, "finish_reason": finish}
    ]


def test_a_tool_call_with_torn_arguments_keeps_them_torn() -> None:
    block = {"type": "tool_use", "id": "t", "name": "f", "input": '{"a":'}
    answer = projection.as_chat(event({}, surface="messages", response={"content": [block]}))[1]
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"a":'


def test_a_tool_of_google_in_json_schema_is_taken_as_it_is() -> None:
    declared = {"name": "weather", "description": "Looks.", "parametersJsonSchema": SCHEMA}
    request = {"contents": [], "tools": [{"functionDeclarations": [declared]}]}
    config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}}
    one = event({}, surface="generate_content", request=request | {"toolConfig": config}, response={})
    assert projection.as_chat(one)[0] == {
        "messages": [],
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
    }


@pytest.mark.parametrize("kind", ["embedding", "moderation", "step"])
def test_what_is_no_chat_is_left_alone(kind: str) -> None:
    one = event({}, kind=kind, request={"input": "a"}, response={"output": [1], "content": []})
    assert projection.as_chat(one) == ({"input": "a"}, {"output": [1], "content": []})


_NAMES = (
    *("content", "type", "text", "tool_use", "tool_result", "input", "source", "data", "name", "id", "role"),
    *("parts", "functionCall", "functionResponse", "args", "output", "call_id", "function_call", "message", "thought"),
    *("index", "finishReason", "stop_reason", "status", "functionDeclarations", "parameters", "input_schema"),
)
_TOP = (
    *("messages", "system", "tools", "tool_choice", "input", "instructions", "text", "reasoning", "output", "content"),
    *(
        "contents",
        "systemInstruction",
        "toolConfig",
        "generationConfig",
        "candidates",
        "choices",
        "responseId",
        "error",
    ),
)
_scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([*_NAMES, "assistant", "user", "image"])
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=15,
)
_bodies = st.dictionaries(st.sampled_from(_TOP), _values, max_size=5)


@given(
    st.fixed_dictionaries(
        {"timestamp": st.just(AT), "kind": st.sampled_from(["llm", "embedding"])},
        optional={
            "surface": st.sampled_from(["messages", "responses", "generate_content", "chat.completions", "else"]),
            "model": st.sampled_from(["m", ""]),
            "request": st.none() | _bodies,
            "response": st.none() | _bodies,
            "input_tokens": st.integers(0, 9),
            "output_tokens": st.integers(0, 9),
            "cached_tokens": st.integers(0, 9),
        },
    )
)
@settings(max_examples=500)
def test_no_body_however_odd_is_lost_or_changed(record: Any) -> None:
    before = copy.deepcopy(record)
    projection.as_chat(record)
    assert record == before
    try:
        document = to_document(record)
    except (TypeError, AttributeError):  # an odd answer of a chat: the sink stores it as a stub
        assert projection.as_chat(record) == (record.get("request") or {}, record.get("response") or {})
        return
    assert record == before
    assert from_document(document) == before
