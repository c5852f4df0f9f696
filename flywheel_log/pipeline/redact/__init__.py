"""Redact what must not be written: secrets, personal data, the user's own patterns, in every string of an event."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from ...event import JSON, Event
from ...health import health
from ...serialise import loads
from ..drop_tokens import drop_prompt_tokens
from .anchors import suspicious
from .assignments import ASSIGNMENTS
from .commands import COMMANDS
from .custom import Custom
from .loose import LOOSE
from .names import Names
from .pattern import Finder
from .substitute import Substitute, With
from .tables import Tables
from .tokens import TOKENS
from .walk import Walk

if TYPE_CHECKING:
    from ...config import Settings

What = Literal["secrets", "pii", "names"]

_SECRETS: tuple[Finder, ...] = (*TOKENS, *ASSIGNMENTS, *COMMANDS, Tables(), *LOOSE)
_SHORTEST = 6  # Of what the built-in patterns find, with its name where it needs one.
# Made by us or by the provider's clock; no person and no secret is in them.
_OURS = frozenset(
    {"timestamp", "kind", "surface", "provider", "status", "trace_id", "span_id", "parent_id", "redactions"}
)


class Redactor:
    """Cleans finished lines, so that whatever the program or its processors put into an event is seen.

    Args:
        what: the families to redact.
        replace_with: how, see `Substitute`.
        key: of the pseudonyms; None takes a random one, so that they hold for this process only.
        patterns: the user's own expressions, by kind.
        model: what finds names.

    Raises:
        ImportError, ValueError: names are to be found and cannot be.
    """

    def __init__(
        self,
        what: Sequence[What],
        *,
        replace_with: With = "mask",
        key: str | None = None,
        patterns: Mapping[str, str] | None = None,
        model: str = "en_core_web_sm",
    ) -> None:
        self._secrets = "secrets" in what
        self._own: list[Finder] = [Custom(kind, expression) for kind, expression in (patterns or {}).items()]
        self._others: list[Finder] = []
        if "pii" in what:
            from .personal import PERSONAL  # Patterns take their time to compile.

            self._others += PERSONAL
        if "names" in what:
            self._others.append(Names(model))
        self._shortest = 1 if patterns or "names" in what else _SHORTEST
        if replace_with == "pseudonym" and not key:
            health.warn("FLYWHEEL_LOG_REDACT_KEY is not set, so pseudonyms of different processes cannot be compared")
        self._substitute = Substitute(replace_with, key.encode() if key else os.urandom(32))

    @classmethod
    def of(cls, settings: Settings) -> Redactor:
        """Make one as *settings* say. Raises as the class."""
        key = settings.redact_key
        return cls(
            settings.redact,
            replace_with=settings.redact_with,
            key=key.get_secret_value() if key else None,
            patterns=settings.redact_patterns,
            model=settings.redact_model,
        )

    def __call__(self, line: bytes) -> Event | None:
        """Return the event in *line* without what was found, counted by kind in `redactions`; None if all is clean.

        Raises whatever a finder raises; the line must not be written then.
        """
        secrets = self._secrets and suspicious(line)
        if not secrets and not self._own and not self._others:
            return None
        event = loads(line)
        clean = self._clean(event, secrets=secrets)
        # What stands under a key that comes twice is in the line, and not in the event.
        return event if clean is None and _repeats_a_key(line) else clean

    def event(self, event: Event) -> Event | None:
        """Do the same to a parsed event; *event* is left as it is."""
        return self._clean(event, secrets=self._secrets)

    def _clean(self, event: Event, *, secrets: bool) -> Event | None:
        finders = (*self._own, *(_SECRETS if secrets else ()), *self._others)
        walk = Walk(finders, self._substitute, named=secrets, shortest=self._shortest)
        fields: JSON = {}
        for key, value in cast("dict[str, Any]", event).items():
            fields[key] = value if key in _OURS else walk.value(value)
        if not walk.found:
            return None
        fields = drop_prompt_tokens(fields, cast("dict[str, Any]", event))
        counts = fields.get("redactions") or {}
        fields["redactions"] = counts | {kind: counts.get(kind, 0) + count for kind, count in walk.found.items()}
        return cast(Event, fields)


def _repeats_a_key(line: bytes) -> bool:
    repeated = False

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        fields = dict(pairs)
        repeated = repeated or len(fields) < len(pairs)
        return fields

    json.loads(line, object_pairs_hook=look)
    return repeated
