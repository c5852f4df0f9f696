"""The bench: passes recorded calls to the judges in a thread of its own, and their verdicts to the recorder."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from .. import scope
from ..clock import timestamp
from ..event import JSON, Event
from ..health import Misuse, health
from ..pipeline.parse import parse
from ..process.background import BackgroundWorker
from ..process.randomness import rng
from . import find, name_of

if TYPE_CHECKING:
    from ..config import Judge

_RETRIEVALS = 500
_OBJECTS = frozenset({"quality", "safety"})
_VERDICT = _OBJECTS | {"hallucination_flag"}


class Bench:
    """Judges answers after their calls.

    Args:
        judges: names and functions; without any the bench does nothing.
        share: of the answers that are judged, 0 to 1.
        record: takes each verdict, an event of the kind `feedback`.

    Raises:
        ValueError, TypeError: there is no such judge.
    """

    def __init__(self, judges: Sequence[Judge | str], share: float, record: Callable[[Event], object]) -> None:
        self._judges = [(name_of(judge), find(judge)) for judge in judges]
        self._share = share
        self._record = record
        self._texts: OrderedDict[str, dict[str, str]] = OrderedDict()
        self._worker: BackgroundWorker[tuple[str, Event]] = BackgroundWorker("judge", self._see)
        self.flush, self.close = self._worker.flush, self._worker.close

    def offer(self, identity: str | None, event: Event) -> None:
        """Take *event* as it was written under the id *identity*, if it was: judge it later, or remember it."""
        if self._judges and identity is not None and self._concerns(event):
            self._worker.put((identity, event))

    def _concerns(self, event: Event) -> bool:
        """Whether *event* is an answer to judge, or was retrieved for the answers to come."""
        if event.get("kind") == "retrieval":
            return True
        whole = event.get("kind") == "llm" and event.get("status") == "ok"
        return whole and (self._share >= 1 or rng.random() < self._share)

    def _see(self, case: tuple[str, Event]) -> None:
        identity, event = case
        event = parse(None, "", cast(Event, dict(event)))
        if event["kind"] == "retrieval":
            self._remember(identity, event)
            return
        event = cast(Event, {**event, "id": identity, **self._documents(event)})
        with scope.suppress():  # What a judge asks a model is no call of the program's.
            for name, judge in self._judges:
                self._ask(name, judge, event)

    def _ask(self, name: str, judge: Judge, event: Event) -> None:
        try:
            if found := _said(name, judge(cast(Event, dict(event)))):  # Its own, for it may change what it is given.
                said = {"timestamp": timestamp(time.time()), "kind": "feedback", "name": name, **found}
                self._record(cast(Event, said | {"target": event["id"]} | _place_of(event)))
        except BaseException as error:  # noqa: BLE001 - the thread is ours, and the other judges are heard all the same
            health.drop("judge_failed", error)

    def _remember(self, identity: str, event: Event) -> None:
        docs = [doc for doc in event.get("retrieval_docs") or () if "id" in doc and "text" in doc]
        self._texts[identity] = {str(doc["id"]): doc["text"] for doc in docs}
        if len(self._texts) > _RETRIEVALS:
            self._texts.popitem(last=False)

    def _documents(self, event: Event) -> JSON:
        """The event's documents with their texts, as far as they were retrieved here and not long ago."""
        docs = event.get("retrieval_docs")
        if docs is None:
            return {}
        return {"retrieval_docs": [self._with_text(doc) if isinstance(doc, dict) else doc for doc in docs]}

    def _with_text(self, doc: JSON) -> JSON:
        text = self._texts.get(doc.get("retrieval", ""), {}).get(str(doc.get("id")))
        return doc if text is None else {**doc, "text": text}


def _said(judge: str, verdict: Mapping[str, Any] | None) -> JSON:
    """Return what the *verdict* of *judge* says, if readers will understand it. Raises Misuse where they will not."""
    if verdict is None:
        return {}
    if not isinstance(verdict, Mapping) or not verdict.keys() <= _VERDICT:
        got = "another key" if isinstance(verdict, Mapping) else type(verdict).__name__
        raise Misuse(f"{judge} returns a mapping of {', '.join(sorted(_VERDICT))}, or None; got {got}")
    said = {key: value for key, value in verdict.items() if value is not None}
    for key in _OBJECTS & said.keys():
        if not isinstance(said[key], Mapping):
            raise Misuse(f"{judge}: {key} has a key for each finding; got {type(said[key]).__name__}")
    return {key: value for key, value in said.items() if value != {}}


def _place_of(event: Event) -> JSON:
    """Who and where the judged call was, so that its feedback is found beside it."""
    names = ("client_id", "workload_id", "session_id", "trace_id")
    return {name: value for name, value in event.items() if name in names}
