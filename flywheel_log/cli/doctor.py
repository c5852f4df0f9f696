"""`flywheel-log doctor`: all that must be right for events to arrive, a line each: ok, or what to do about it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from flywheel_log.config import Settings, load
from flywheel_log.loop.blueprint.usable import LONGEST_NAME, unsafe_name
from flywheel_log.process.directories import nearest
from flywheel_log.sinks import Finding, check
from flywheel_log.wording import counted

from . import Problem
from ._screen import put_json, put_marked
from ._source import AsJson

_DIRECTORY_MODE = 0o700


def command(*, as_json: AsJson = False) -> None:
    """Check that events can be delivered.

    Checks the settings, the journal, the sinks and, in Elasticsearch, the index. Changes nothing.
    """
    findings = list(_findings())
    for finding in findings:
        if as_json:
            put_json({"ok": not finding.fix, **finding._asdict()})
        else:
            mark = ("FIX ", "bold red") if finding.fix else ("ok  ", "green")
            put_marked(*mark, f"{finding.what}: {finding.fix}" if finding.fix else finding.what)
    if wrong := sum(bool(finding.fix) for finding in findings):
        raise Problem(f"{wrong} of {len(findings)} checks failed")


def _findings() -> Iterator[Finding]:
    try:
        settings = load()
    except ValueError as error:
        yield Finding("the settings", str(error))
        return
    state = "recording is switched off by FLYWHEEL_LOG_DISABLED" if settings.disabled else "the settings"
    yield Finding(state)
    yield from _names(settings)
    yield from _journal(settings.journal, settings.journal_quota_mb)
    for url in settings.sinks:
        yield from check(url)
    yield from _left_behind(settings)


def _names(settings: Settings) -> Iterator[Finding]:
    """The blueprint makes names of indices and repositories of these."""
    fix = f"use lower-case letters, digits and single '.', '-', '_' between them, at most {LONGEST_NAME}"
    yield Finding(f"client_id {settings.client_id!r}", fix * bool(unsafe_name("client_id", settings.client_id)))
    yield Finding(f"workload_id {settings.workload_id!r}", fix * bool(unsafe_name("workload_id", settings.workload_id)))


def _journal(root: Path, quota: int) -> Iterator[Finding]:
    from flywheel_log.delivery.space import room, taken
    from flywheel_log.delivery.tuning import Tuning

    place = nearest(root)
    what = f"the journal {root}"
    if not os.access(place, os.W_OK | os.X_OK):
        fix = "so events wait in memory, and a crash loses them; name another place in FLYWHEEL_LOG_JOURNAL"
        yield Finding(what, f"{place} cannot be written, {fix}")
        return
    if place == root and stat.S_IMODE(root.stat().st_mode) & ~_DIRECTORY_MODE:
        yield Finding(what, f"others can read it: chmod 700 {root}")
        return
    if room(root, quota << 20) >= Tuning.first_segment_bytes:
        yield Finding(what)
    elif taken(root) + Tuning.first_segment_bytes <= quota << 20:
        yield Finding(what, "the disk is nearly full, so events are dropped; free some space")
    else:
        more = (
            f"deliver what waits with `flywheel-log drain`, or set FLYWHEEL_LOG_JOURNAL_QUOTA_MB to more than {quota}"
        )
        yield Finding(what, f"the journal's quota is used up, so events are dropped; {more}")


def _left_behind(settings: Settings) -> Iterator[Finding]:
    """What programs that are gone could not deliver; its sink may be none of today's."""
    from flywheel_log.delivery import waiting
    from flywheel_log.delivery.destination import Destination

    todays = Destination.of(settings.sinks, settings.journal).names
    for name, count in waiting(settings.journal).items():
        fix = "fix what is reported about it here, then run `flywheel-log drain`"
        if name not in todays:
            fix = "run `flywheel-log drain`"
            if name.startswith("elasticsearch:") and any(one.startswith("elasticsearch:") for one in todays):
                fix += f", or let today's index take them: flywheel-log drain --from '{name}' --into elasticsearch:"
            elif name.startswith("file:"):
                fix += f", or let another file take them: flywheel-log drain --from '{name}' --into file:genai.log"
        yield Finding(f"{counted(count, 'event')} waiting for {name}", fix)
