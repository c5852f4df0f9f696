"""The bench: hands recorded calls to the judges in a thread of its own, and what they find to the recorder."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from .. import scope
from ..afterwards import Afterwards
from ..event import JSON, Event
from ..health import health
from . import Judge, find, name_of

_RETRIEVALS = 500
_VERDICT = frozenset({"quality", "safety", "hallucination_flag"})

Tell = Callable[[str, Mapping[str, Any]], object]


class Bench:
    """Judges answers after their calls.

    Args:
        judges: names and functions.
        share: of the answers that are judged, 0 to 1.
        parse: makes plain JSON of an event.
        tell: takes the id of a judged call, and the fields of the feedback on it.
        random: floats in [0, 1).
    """

    def __init__(
        self,
        judges: Sequence[Judge | str],
        share: float,
        parse: Callable[[Event], Event],
        tell: Tell,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._judges = [(name_of(judge), find(judge)) for judge in judges]
        self._share = share
        self._parse = parse
        self._tell = tell
        self._random = random
        self._texts: OrderedDict[str, dict[str, str]] = OrderedDict()
        self._afterwards: Afterwards[tuple[str, Event]] = Afterwards("judge", self._see)
        self.flush = self._afterwards.flush

    def offer(self, identity: str | None, event: Event) -> None:
        """Take a recorded event: an answer is judged, what was retrieved is remembered for the answers to come."""
        kind = event.get("kind")
        if identity is None or not (kind == "retrieval" or (kind == "llm" and event.get("status") == "ok")):
            return
        if kind == "retrieval" or self._share >= 1 or self._random() < self._share:
            self._afterwards.put((identity, event))

    def _see(self, case: tuple[str, Event]) -> None:
        identity, event = case
        event = self._parse(cast(Event, dict(event)))
        if event["kind"] == "retrieval":
            self._remember(identity, event)
            return
        event = cast(Event, {**event, "id": identity, **self._documents(event)})
        with scope.suppress():  # What a judge asks a model is no call of the program's.
            for name, judge in self._judges:
                self._ask(name, judge, event)

    def _ask(self, name: str, judge: Judge, event: Event) -> None:
        try:
            verdict = judge(event)
            if verdict is None:
                return
            if unknown := set(verdict) - _VERDICT:
                raise TypeError(f"a verdict has {', '.join(sorted(_VERDICT))}; got {', '.join(sorted(unknown))}")
            self._tell(event["id"], {"name": name, **verdict})
        except Exception as error:  # noqa: BLE001 - the other judges are heard all the same
            health.drop("judge_failed", error)

    def _remember(self, identity: str, event: Event) -> None:
        self._texts[identity] = {doc["id"]: doc["text"] for doc in event["retrieval_docs"] if "text" in doc}
        if len(self._texts) > _RETRIEVALS:
            self._texts.popitem(last=False)

    def _documents(self, event: Event) -> JSON:
        """The event's documents with their texts, as far as they were retrieved here and not long ago."""
        docs = event.get("retrieval_docs")
        if docs is None:
            return {}
        return {"retrieval_docs": [self._with_text(doc) if isinstance(doc, dict) else doc for doc in docs]}

    def _with_text(self, doc: JSON) -> JSON:
        text = self._texts.get(doc.get("retrieval", ""), {}).get(doc.get("id", ""))
        return doc if text is None else {**doc, "text": text}
