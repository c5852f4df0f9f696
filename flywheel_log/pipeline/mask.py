"""Mask reasoning: reasoning texts, thinking blocks and `<think>` passages; their lengths are kept."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any, Literal, cast

from ..event import JSON, Event
from .drop_tokens import drop_prompt_tokens, drop_tokens
from .parse import parse

# Under these keys a string is reasoning wherever it stands; `reasoning` is an object where it asks for effort.
_KEYS = frozenset({"reasoning_content", "reasoning", "thinking", "encrypted_content", "thoughtSignature"})
# An object of such a type, or a part that Google calls a `thought`, is reasoning with all that is said in it.
_TYPES = ("reasoning", "thinking", "redacted_thinking")
_SAID = frozenset(
    {"text", "thinking", "data", "summary", "content", "signature", "encrypted_content", "thoughtSignature"}
)
# The chat templates of some models open the passage for the model, so only its end is in the answer.
_THOUGHT = r"(?P<thought>(?:(?!</?think(?:ing)?>).)*)"
_PASSAGE = re.compile(rf"(?P<open><think(?:ing)?>|\A){_THOUGHT}(?P<close></think(?:ing)?>)", re.DOTALL)
_UNCLOSED = re.compile(rf"(?P<open><think(?:ing)?>){_THOUGHT}(?P<close>\Z)", re.DOTALL)
# A body that could not be parsed, as one that was cut off, is text; whose text is told only by the names in it.
_IN_BODY = re.compile(rf'"(?:{"|".join((*sorted(_KEYS), "thought"))})"\s*:|"type"\s*:\s*"(?:{"|".join(_TYPES)})')
_DIGITS = 16


class Mask:
    """A processor that replaces reasoning in request and response; token counts are not touched.

    Args:
        how: "mask" leaves `[reasoning: 1234 characters]`; "hash" adds the first half of the SHA-256, so that equal
            thoughts can be recognised.
    """

    def __init__(self, how: Literal["mask", "hash"]) -> None:
        self._how = how

    def __call__(self, logger: Any, method: str, event: Event) -> Event:
        """Mask the reasoning in *event*."""
        fields = cast(JSON, parse(logger, method, event))
        bodies = [key for key in ("request", "response") if key in fields]
        masked: JSON = {key: self._masked(self._unparsed(fields[key])) for key in bodies}
        fields.update(drop_prompt_tokens(masked, fields))
        return event

    def _unparsed(self, body: Any) -> Any:
        text = body.get("body") if isinstance(body, dict) else None
        return body | {"body": self._note(text)} if isinstance(text, str) and _IN_BODY.search(text) else body

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._passages(value) if "think" in value else value
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        if not isinstance(value, dict):
            return value
        if str(value.get("type", "")).split(".")[0] in _TYPES or value.get("thought") is True:
            return {key: self._said(item) if key in _SAID else item for key, item in value.items()}
        clean = {
            key: self._note(item) if key in _KEYS and isinstance(item, str) else self._masked(item)
            for key, item in value.items()
        }
        return drop_tokens(clean, value)

    def _said(self, value: Any) -> Any:
        """Mask every string below *value* except the names of types."""
        if isinstance(value, dict):
            return {key: item if key == "type" else self._said(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._said(item) for item in value]
        return self._note(value) if isinstance(value, str) else value

    def _passages(self, text: str) -> str:
        for passage in (_PASSAGE, _UNCLOSED):
            text = passage.sub(lambda match: f"{match['open']}{self._note(match['thought'])}{match['close']}", text)
        return text

    def _note(self, text: str) -> str:
        if not text:
            return text
        note = f"[reasoning: {len(text)} characters"
        if self._how == "hash":
            note += f", sha256 {sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()[:_DIGITS]}"
        return note + "]"
