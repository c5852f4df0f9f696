"""What a run of NVIDIA's Data Flywheel blueprint would make of a log, per workload, predicted before it starts."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from flywheel_log.event import Event
from flywheel_log.wording import first_few

from .candidate import Candidate
from .usable import unsafe_name

TOOL_CALLING, GENERIC = "tool_calling", "generic"

NOT_CALLED = "no_tool_call"
DUPLICATE, SAME = "duplicate_question", "same_record"

_FETCHED = 2  # The blueprint asks for twice its limit, since some are dropped.
_MANY_WORKLOADS, _FEW_RECORDS = 20, 3
_LOOP_SHARE = 0.2


@dataclass(frozen=True)
class Split:
    """How a run divides its records; the defaults are those of the blueprint's own configuration.

    Attributes:
        eval_size: how many records evaluate.
        validation_share: the share of the others that validates the training; `val_ratio` in that configuration.
        min_total_records: how many there must be.
        limit: how many are taken at most.
    """

    eval_size: int = 100
    validation_share: float = 0.1
    min_total_records: int = 50
    limit: int = 1000

    @property
    def needed(self) -> int:
        """The smallest number of usable records with which a run can evaluate, train and validate."""
        return max(self.min_total_records, self.eval_size + 2)

    def sizes(self, records: int) -> dict[str, int]:
        """Return into how many of each sort so many *records* are divided."""
        taken = min(records, self.limit)
        evaluation = min(self.eval_size, taken)
        train = int((taken - evaluation) * (1 - self.validation_share))
        return {"eval": evaluation, "train": train, "validation": taken - evaluation - train}


@dataclass
class Readiness:
    """What a run for one client and workload would do.

    Attributes:
        records: how many calls there are; `fetched`: how many of them, the newest, a run would ask for.
        kind: `tool_calling` if any answer calls a tool, else `generic`.
        usable: how many records are left; `needed`: how many must be.
        dropped: the ids of the others, by reason: the keys of `usable.DROPPED`, `no_tool_call`, `same_record` (another
            with the same messages and answer) and `duplicate_question` (another with the same user messages).
        fatal: the ids of records that end the run, by reason, as the keys of `usable.FATAL`.
        sizes: how many records evaluate, train and validate; zeros unless ready.
        missing: what is to be done before a run; empty if it is ready.
        warnings: what would go otherwise than one may expect.
    """

    client_id: str
    workload_id: str
    records: int
    fetched: int
    kind: str
    usable: int
    needed: int
    dropped: dict[str, list[str]] = field(default_factory=dict)
    fatal: dict[str, list[str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """Whether a run would go through."""
        return not self.missing


class _Workload:
    """The newest candidates of a client and workload; older ones than a run asks for are forgotten."""

    def __init__(self, fetched: int) -> None:
        self.count = 0
        self._most = fetched
        self._kept: list[Candidate] = []

    def add(self, candidate: Candidate) -> None:
        self.count += 1
        self._kept.append(candidate)
        if len(self._kept) >= 2 * self._most:
            self._kept = self.newest()[::-1]

    def newest(self) -> list[Candidate]:
        return heapq.nlargest(self._most, self._kept, key=lambda one: one.moment)


def assess(events: Iterable[Event], split: Split | None = None) -> list[Readiness]:
    """Predict a run for each client and workload among *events*, those with the most records first."""
    split = split or Split()
    workloads: dict[tuple[str, str], _Workload] = {}
    for event in events:
        if event["kind"] == "llm":
            key = (event.get("client_id") or "", event.get("workload_id") or "")
            workloads.setdefault(key, _Workload(_FETCHED * split.limit)).add(Candidate.of(event))
    found = [_assessed(*key, workload, split) for key, workload in workloads.items()]
    return sorted(found, key=lambda one: (-one.records, one.client_id, one.workload_id))


def many_workloads(found: Sequence[Readiness]) -> str | None:
    """Return a warning if the workload ids look like those of sessions or requests: many, of few records each."""
    small = [one for one in found if one.records <= _FEW_RECORDS]
    if len(found) < _MANY_WORKLOADS or len(small) < len(found) / 2:
        return None
    return (
        f"{len(small)} of {len(found)} workloads have {_FEW_RECORDS} records or fewer: a workload_id names a task of "
        "the application, not a session or a request"
    )


def _assessed(client: str, workload: str, candidates: _Workload, split: Split) -> Readiness:
    fetched = candidates.newest()
    report = Readiness(client, workload, candidates.count, len(fetched), GENERIC, 0, split.needed)
    left = _without_repeats(fetched, report, SAME, lambda one: one.content)
    for one in left:
        for reason in one.fatal:
            report.fatal.setdefault(reason, []).append(one.id)
    report.kind = TOOL_CALLING if any(one.calls for one in left) else GENERIC
    left = [one for one in left if not _dropped(one, report)]
    left = _without_repeats(left, report, DUPLICATE, lambda one: one.asked)
    report.usable = len(left)
    report.missing = _missing(report, split)
    report.sizes = split.sizes(len(left) if report.ready else 0)
    report.warnings = _warnings(report, left)
    return report


def _without_repeats(
    candidates: list[Candidate], report: Readiness, reason: str, key: Callable[[Candidate], bytes | None]
) -> list[Candidate]:
    seen: set[bytes] = set()
    left = []
    for one in candidates:
        digest = key(one)
        if digest is not None and digest in seen:
            report.dropped.setdefault(reason, []).append(one.id)
            continue
        left.append(one)
        if digest is not None:
            seen.add(digest)
    return left


def _dropped(one: Candidate, report: Readiness) -> bool:
    reasons = one.dropped or ((NOT_CALLED,) if report.kind == TOOL_CALLING and not one.wants_tools else ())
    for reason in reasons:
        report.dropped.setdefault(reason, []).append(one.id)
    return bool(reasons)


def _missing(report: Readiness, split: Split) -> list[str]:
    found = [
        f"{name} is empty: a run asks for one" for name in ("client_id", "workload_id") if not getattr(report, name)
    ]
    if split.limit < split.needed:
        found.append(f"the limit is {split.limit}, below the {split.needed} records needed")
    if report.usable < split.needed:
        found.append(f"{split.needed - report.usable} more usable records: {report.usable} of {split.needed}")
    if report.fatal:
        ids = sorted({identity for some in report.fatal.values() for identity in some})
        found.append(f"{len(ids)} records that end a run must go: {first_few(ids)}")
    return found


def _warnings(report: Readiness, left: list[Candidate]) -> list[str]:
    found = unsafe_name("client_id", report.client_id) + unsafe_name("workload_id", report.workload_id)
    mixed, repeated = len(report.dropped.get(NOT_CALLED, ())), len(report.dropped.get(DUPLICATE, ()))
    if mixed:
        found.append(f"the workload is mixed: some answers call tools, so those that call none are dropped: {mixed}")
    if repeated > _LOOP_SHARE * (repeated + len(left)):
        found.append(
            f"{repeated} records share their user messages with others and are dropped: give the steps of an agent's "
            "loop workload_ids of their own"
        )
    if report.kind == TOOL_CALLING and (bare := sum(not one.tools for one in left)):
        found.append(f"{bare} usable records have no tools in their request: they evaluate, but do not train")
    if marks := Counter(mark for one in left for mark in one.marks):
        found.append("usable, but marked unsafe for training: " + ", ".join(f"{n} {mark}" for mark, n in marks.items()))
    if report.records > report.fetched:
        found.append(f"only the newest {report.fetched:,} of {report.records:,} records are looked at")
    return found
