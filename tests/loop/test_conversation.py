"""Who said what, in the shapes of every API."""

from __future__ import annotations

import pytest

from flywheel_log.loop.conversation import Conversation, ToolCall, Turn, conversation

ARGUMENTS = '{"city":"Ulm"}'
CASES = {
    "chat": (
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "a"}, "b", {"type": "image_url"}]},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"type": "function", "function": {"name": "f", "arguments": ARGUMENTS}},
                        {"type": "custom", "custom": {"name": "c", "input": "free"}},
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "dry"},
            ]
        },
        {
            "choices": [
                {"message": {"content": "yes"}, "finish_reason": "stop"},
                {"message": {"content": None, "refusal": "no"}},
                {"message": {"content": None, "function_call": {"name": "old", "arguments": "{}"}}},
            ]
        },
        [
            Turn("user", "a\nb\n[image_url]"),
            Turn("assistant", calls=(ToolCall("f", ARGUMENTS), ToolCall("c", "free"))),
            Turn("tool", "dry", note="call_1"),
        ],
        [
            Turn("assistant", "yes", note="stop"),
            Turn("assistant", "no"),
            Turn("assistant", calls=(ToolCall("old", "{}"),)),
        ],
    ),
    "responses": (
        {
            "instructions": "Be brief.",
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
                {"type": "function_call", "name": "f", "arguments": ARGUMENTS},
                {"type": "function_call_output", "call_id": "call_1", "output": "dry"},
            ],
        },
        {
            "status": "completed",
            "output": [
                {"type": "reasoning", "summary": []},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "yes"}]},
                {"type": "function_call", "name": "f", "arguments": "{}"},
            ],
        },
        [
            Turn("system", "Be brief."),
            Turn("user", "a"),
            Turn("assistant", calls=(ToolCall("f", ARGUMENTS),)),
            Turn("tool", "dry", note="call_1"),
        ],
        [Turn("assistant", "yes", (ToolCall("f", "{}"),), "tool_calls")],
    ),
    "anthropic": (
        {
            "system": [{"type": "text", "text": "Be brief."}],
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "dry"}]}]},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "yes"}, {"type": "tool_use", "name": "f", "input": {"city": "Ulm"}}],
            "stop_reason": "tool_use",
        },
        [Turn("system", "Be brief."), Turn("user", "a"), Turn("tool", "dry")],
        [Turn("assistant", "yes", (ToolCall("f", ARGUMENTS),), "tool_calls")],
    ),
    "google": (
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}]},
                {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"city": "Ulm"}}}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": "dry"}}}]},
            ],
        },
        {"candidates": [{"content": {"parts": [{"text": "ye"}, {"text": "s"}]}, "finishReason": "MAX_TOKENS"}]},
        [
            Turn("system", "Be brief."),
            Turn("user", "a\n[image_url]"),
            Turn("assistant", calls=(ToolCall("f", ARGUMENTS),)),
            Turn("tool", '{"result":"dry"}', note="call_1_0"),
        ],
        [Turn("assistant", "yes", note="length")],
    ),
    "completions": (
        {"prompt": "a"},
        {"choices": [{"text": "b", "finish_reason": "length"}]},
        [Turn("user", "a")],
        [Turn("assistant", "b", note="length")],
    ),
    "embeddings": (
        {"input": ["a", "b"]},
        {"data": [{"embedding": [1]}, {"embedding": [2]}]},
        [Turn("user", "a"), Turn("user", "b")],
        [Turn("assistant", "[2 vectors]")],
    ),
    "moderations": (
        {"input": "a"},
        {"results": [{"categories": {"hate": False}}, {"categories": {"hate": True, "violence": True}}]},
        [Turn("user", "a")],
        [Turn("assistant", "[not flagged]"), Turn("assistant", "[flagged: hate, violence]")],
    ),
    "numbers": ({"prompt": [1, 2]}, {"error": {"message": "no"}}, [Turn("user", "1"), Turn("user", "2")], []),
    "nothing": ({}, {}, [], []),
    "rubbish": (
        {"messages": [None, 7, {"role": 3, "content": {"a": 1}}]},
        {"choices": [None, {"message": None}, 5], "output": [7], "results": [None]},
        [Turn("user"), Turn("user", "7"), Turn("3", '{"a":1}')],
        [Turn("assistant", "[not flagged]")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_turns_of(case: str):
    request, response, asked, answered = CASES[case]
    event = {"timestamp": "t", "kind": "llm", "request": request, "response": response}
    assert conversation(event) == Conversation(tuple(asked), tuple(answered))


def test_an_event_without_request_has_no_turns():
    assert conversation({"timestamp": "t", "kind": "step"}) == Conversation((), ())
