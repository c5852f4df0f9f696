"""Reasoning is masked wherever the APIs put it; lengths, answers and counts stay."""

from __future__ import annotations

from typing import Any

import pytest

from flywheel_log import config
from flywheel_log.event import Wire
from flywheel_log.pipeline.mask import Mask

NOTE = "[reasoning: 5 characters]"


def masked(response: Any, how: Any = "mask") -> Any:
    return Mask(how)(None, "", {"timestamp": "", "kind": "llm", "response": response})["response"]


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_reasoning_beside_an_answer_is_masked(key: str) -> None:
    answer = {"choices": [{"message": {"content": "yes", key: "hm…\nm"}}], "usage": {"reasoning_tokens": 3}}
    assert masked(answer) == {
        "choices": [{"message": {"content": "yes", key: NOTE}}],
        "usage": {"reasoning_tokens": 3},
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<think>abcde</think> yes", f"<think>{NOTE}</think> yes"),
        ("a <thinking>abcde</thinking> b", f"a <thinking>{NOTE}</thinking> b"),
        ("abcde</think>yes", f"{NOTE}</think>yes"),
        ("yes <think>abcde", f"yes <think>{NOTE}"),
        ("<think></think>I think so", "<think></think>I think so"),
    ],
)
def test_passages_inside_an_answer_are_masked(content: str, expected: str) -> None:
    assert masked({"choices": [{"message": {"content": content}}]}) == {"choices": [{"message": {"content": expected}}]}


def test_items_and_summaries_of_responses_are_masked() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "abcde"}]}
    assert masked({"output": [{**item, "encrypted_content": "gAAAA"}], "reasoning": {"effort": "high"}}) == {
        "output": [
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": NOTE}],
                "encrypted_content": NOTE,
            }
        ],
        "reasoning": {"effort": "high"},
    }


def test_thinking_blocks_are_masked_with_their_signatures() -> None:
    blocks = [
        {"type": "thinking", "thinking": "abcde", "signature": "EqQBC"},
        {"type": "redacted_thinking", "data": "EmwKA"},
    ]
    assert masked({"content": [*blocks, {"type": "text", "text": "yes"}]}) == {
        "content": [
            {"type": "thinking", "thinking": NOTE, "signature": NOTE},
            {"type": "redacted_thinking", "data": NOTE},
            {"type": "text", "text": "yes"},
        ]
    }


def test_the_history_in_a_request_is_masked_too() -> None:
    request = Wire(b'{"messages":[{"role":"assistant","content":"yes","reasoning_content":"abcde"}]}')
    event = Mask("mask")(None, "", {"timestamp": "", "kind": "llm", "request": request})  # type: ignore[typeddict-item]
    assert event["request"] == {"messages": [{"role": "assistant", "content": "yes", "reasoning_content": NOTE}]}


def test_equal_thoughts_have_equal_hashes() -> None:
    assert masked({"reasoning": "abcde"}, "hash") == {"reasoning": "[reasoning: 5 characters, sha256 36bbe50ed96841d1]"}


def test_an_unknown_way_to_treat_reasoning_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="reasoning: Input should be 'keep', 'mask' or 'hash'"):
        config.load(reasoning="burn")


def test_googles_thoughts_are_masked_with_their_signatures() -> None:
    parts = [
        {"text": "abcde", "thought": True, "thoughtSignature": "EqQBC"},
        {"text": "yes", "thoughtSignature": "EqQBC"},
    ]
    assert masked({"candidates": [{"content": {"parts": parts}}]}) == {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"text": NOTE, "thought": True, "thoughtSignature": NOTE},
                        {"text": "yes", "thoughtSignature": NOTE},
                    ]
                }
            }
        ]
    }


def test_what_is_masked_is_not_spelled_out_by_log_probabilities() -> None:
    tokens = {"content": [{"token": "<think>"}, {"token": "abcde"}, {"token": "</think>"}]}
    thoughtful = {"message": {"content": "<think>abcde</think>"}, "logprobs": tokens}
    plain = {"message": {"content": "yes"}, "logprobs": {"content": [{"token": "yes"}]}}
    assert masked({"choices": [thoughtful, plain]}) == {
        "choices": [{"message": {"content": f"<think>{NOTE}</think>"}, "logprobs": None}, plain]
    }


def test_what_is_masked_in_the_prompt_is_not_spelled_out_by_the_tokens_of_the_prompt() -> None:
    request = {"messages": [{"role": "assistant", "content": "<think>abcde</think>"}]}
    event: Any = {"request": request, "response": {"prompt_logprobs": [{"9": {"decoded_token": "abcde"}}]}}
    assert Mask("mask")(None, "", event)["response"] == {"prompt_logprobs": None}


@pytest.mark.parametrize(
    "inside", ['"reasoning_content": "ab', '"type":"thinking","x":"ab', '"thought":true,"text":"ab']
)
def test_a_body_that_was_cut_off_is_masked_if_there_is_reasoning_in_it(inside: str) -> None:
    body = f'{{"choices": [{{{inside}'
    assert masked({"body": body}) == {"body": f"[reasoning: {len(body)} characters]"}
    assert masked({"body": "<html>502, thinking"}) == {"body": "<html>502, thinking"}
