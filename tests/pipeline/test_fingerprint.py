"""The hash of the system message, where nobody names the prompt."""

from __future__ import annotations

from typing import Any

import pytest

from flywheel_log.pipeline.fingerprint import fingerprint, hash_of

SYSTEM = "Be brief."


@pytest.mark.parametrize(
    "request_body",
    [
        {"messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "hi"}]},
        {"messages": [{"role": "developer", "content": [{"type": "text", "text": SYSTEM}]}]},
        {"instructions": SYSTEM, "input": "hi"},
        {"input": [{"role": "system", "content": SYSTEM}]},
        {"system": [{"type": "text", "text": SYSTEM}], "messages": []},
        {"systemInstruction": {"parts": [{"text": SYSTEM}]}, "contents": []},
    ],
    ids=["chat", "parts", "responses", "responses' messages", "anthropic", "google"],
)
def test_the_system_message_of_every_api_tells_prompts_apart(request_body: dict[str, Any]) -> None:
    assert fingerprint({"kind": "llm", "request": request_body}) == {"prompt": {"template_hash": hash_of(SYSTEM)}}


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "llm", "request": {"messages": [{"role": "user", "content": "hi"}]}},
        {"kind": "llm", "request": {"instructions": SYSTEM}, "prompt": {"name": "mine"}},
        {"kind": "embedding", "request": {"instructions": SYSTEM}},
        {"kind": "llm"},
        {"kind": "llm", "request": {"messages": "odd"}},
    ],
)
def test_there_is_nothing_to_add_where_it_is_known_or_missing(event: dict[str, Any]) -> None:
    assert fingerprint(event) == {}


def test_the_hash_is_sixteen_hexadecimal_digits_of_blake2b() -> None:
    assert hash_of("Hello") == "3c5c8a1fdb206886"
