"""What replaces a value: its kind, a pseudonym, or nothing."""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal

With = Literal["mask", "drop", "pseudonym"]

_DIGEST_BYTES = 6
_NUMBERS = frozenset({"card", "iban", "phone", "ssn"})


class Substitute:
    """Makes what replaces a value; it has no character that JSON would escape.

    Args:
        how: "mask" is `[email]`; "pseudonym" is `[email:3f9a52c07b1e]`, the same for the same value under the same
            key, and not to be reversed without it; "drop" is nothing.
        key: the key of the pseudonyms.
    """

    def __init__(self, how: With, key: bytes) -> None:
        self._how = how
        self._key = blake2b(key, digest_size=blake2b.MAX_KEY_SIZE).digest()

    def __call__(self, kind: str, value: str) -> str:
        """Return what replaces *value*."""
        if self._how == "drop":
            return ""
        if self._how == "mask":
            return f"[{kind}]"
        text = _spelled(kind, value).encode("utf-8", "backslashreplace")
        return (
            f"[{kind}:{blake2b(text, digest_size=_DIGEST_BYTES, key=self._key, person=kind[:16].encode()).hexdigest()}]"
        )


def _spelled(kind: str, value: str) -> str:
    """Return *value* in the one spelling that its pseudonym is made of: a model writes numbers without the blanks."""
    if kind in _NUMBERS:
        return "".join(filter(str.isalnum, value)).upper()
    return value.replace("%40", "@").casefold() if kind == "email" else value
