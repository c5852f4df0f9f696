"""The prompt and the answer of a call as plain text: of chats, completions and embeddings."""

from __future__ import annotations

from typing import Any

from .chat import JSON


def prompt_text(request: JSON) -> str | None:
    """Return the text of the last message of the user, of a completion's prompt, or of an embedding's input."""
    for key in ("messages", "input", "prompt"):
        turns = request.get(key)
        if not turns:
            continue
        turn = _last_message(turns) if isinstance(turns, list) else None
        return text_in(turns if turn is None else turn.get("content"))
    return None


def _last_message(turns: list[Any]) -> JSON | None:
    """The last message of the user, or the last of anybody; None in a list of texts."""
    last = None
    for turn in reversed(turns):
        if isinstance(turn, dict):
            if turn.get("role") == "user":
                return turn
            last = last or turn
    return last


def answer_text(response: JSON) -> str | None:
    """Return the text of the first choice."""
    for choice in response.get("choices") or ():
        message = choice.get("message") or {}
        return text_in(message.get("content") or message.get("refusal") or choice.get("text"))
    return None


def text_in(content: Any) -> str | None:
    """Return the text of a message's content: a string, or the text parts of a list, one a line."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = [part.get("text") if isinstance(part, dict) else part for part in content]
    return "\n".join(text for text in texts if isinstance(text, str)) or None
