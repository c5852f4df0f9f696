"""`flywheel-log doctor`: all that must be right for events to arrive, a line each: ok, or what to do about it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import typer

from flywheel_log.config import Settings, load
from flywheel_log.loop.blueprint.usable import LONGEST_NAME, unsafe_name
from flywheel_log.process.directories import nearest
from flywheel_log.sinks import BATCH_BYTES, RetryLater, open_sink
from flywheel_log.wording import counted

from . import Problem
from ._screen import put_json
from ._source import AsJson

_DIRECTORY_MODE, _FILE_MODE = 0o700, 0o600
_SINKS = "FLYWHEEL_LOG_SINKS"
_EPOCH = "their timestamps are seconds where milliseconds are read, so the blueprint takes them for the oldest; "


class Finding(NamedTuple):
    """One thing that was looked at: what it is, and what to do if it is not right ("" if it is)."""

    what: str
    fix: str = ""


def command(*, as_json: AsJson = False) -> None:
    """Check that events can be delivered.

    Checks the settings, the journal, the sinks and, in Elasticsearch, the index. Changes nothing.
    """
    findings = list(_findings())
    for finding in findings:
        if as_json:
            put_json({"ok": not finding.fix, **finding._asdict()})
        else:
            typer.echo(
                f"{'FIX ' if finding.fix else 'ok  '} {finding.what}" + (f": {finding.fix}" if finding.fix else "")
            )
    if wrong := sum(bool(finding.fix) for finding in findings):
        raise Problem(f"{wrong} of {len(findings)} things need to be mended")


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
        yield from _sink(url)
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
        yield Finding(what, "the disk is nearly full, so events are dropped; make room on it")
    else:
        more = f"have what waits delivered, or set FLYWHEEL_LOG_JOURNAL_QUOTA_MB to more than {quota}"
        yield Finding(what, f"the journal's quota is used up, so events are dropped; {more}")


def _left_behind(settings: Settings) -> Iterator[Finding]:
    """What programs that are gone could not deliver; its sink may be none of today's."""
    from flywheel_log.delivery import waiting
    from flywheel_log.delivery.destination import Destination

    todays = Destination.of(settings.sinks, settings.journal).names
    for name, count in waiting(settings.journal).items():
        fix = "mend what is said of it here, then run `flywheel-log drain`"
        if name not in todays:
            fix = "run `flywheel-log drain`"
            if name.startswith("elasticsearch:") and any(one.startswith("elasticsearch:") for one in todays):
                fix += f", or let today's index take them: flywheel-log drain --from '{name}' --into elasticsearch:"
            elif name.startswith("file:"):
                fix += f", or let another file take them: flywheel-log drain --from '{name}' --into file:genai.log"
        yield Finding(f"{counted(count, 'event')} waiting for {name}", fix)


def _sink(url: str) -> Iterator[Finding]:
    scheme = url.partition(":")[0]
    try:
        open_sink(url).close()
    except (ValueError, OSError) as error:
        yield Finding(f"the sink {scheme}:", str(error))
        return
    if scheme == "file":
        yield from _file(url)
    elif scheme == "elasticsearch":
        yield from _elasticsearch(url)
    else:
        yield Finding(f"the sink {scheme}:")


def _file(url: str) -> Iterator[Finding]:
    from flywheel_log.loop.reading.sources.file import path_of

    path = path_of(url.partition("?")[0])
    place = nearest(path.absolute())
    target = Path(os.path.realpath(path))
    if path.is_symlink() and not target.parent.is_dir():
        fix = f"it is a link to {target}, whose directory does not exist; make that, or name another in {_SINKS}"
        yield Finding(f"the file {path}", fix)
    elif place != path.absolute():
        fix = f"{place} cannot be written; make it writable, or name another file in {_SINKS}"
        may = os.access(place, os.W_OK | os.X_OK)
        yield Finding(f"the file {path}, which is made with the first event", "" if may else fix)
    elif path.is_dir():
        yield Finding(f"the file {path}", f"it is a directory; name the log in it, such as file:{path / 'genai.log'}")
    elif not os.access(path, os.W_OK):
        yield Finding(f"the file {path}", f"it cannot be written; make it writable, or name another in {_SINKS}")
    elif not path.is_file():
        yield Finding(f"the pipe or device {path}, from which nothing can be read back")
    elif stat.S_IMODE(path.stat().st_mode) & ~_FILE_MODE:
        yield Finding(f"the file {path}", f"others can read it: chmod 600 {path}")
    else:
        full = "its disk is nearly full, so events wait in the journal; make room on it"
        yield Finding(f"the file {path}", full if shutil.disk_usage(path).free < BATCH_BYTES else "")


def _elasticsearch(url: str) -> Iterator[Finding]:
    from flywheel_log.sinks.elasticsearch.cluster import Cluster, Unreachable
    from flywheel_log.sinks.elasticsearch.dead_letters import letters
    from flywheel_log.sinks.elasticsearch.ensure import inspect, misdated
    from flywheel_log.sinks.elasticsearch.hindrance import Hindrance, hindrances, outdated
    from flywheel_log.sinks.elasticsearch.target import target

    where = target(url)
    cluster = Cluster(where)
    server = f"Elasticsearch at {', '.join(where.nodes)}"
    try:
        old = outdated(cluster)
        found = {index: inspect(cluster, index) for index in (where.index, where.annotations)}
        early = misdated(cluster, where.index) if found[where.index] == [] else 0
        shut = {index: hindrances(cluster, index) for index, problems in found.items() if problems is not None}
    except (Unreachable, RetryLater) as error:
        yield Finding(server, _way_in(str(error), where.authorization.partition(" ")[0], where.index))
        return
    finally:
        cluster.close()
    yield from (Finding(*one) for one in old or [Hindrance(server, "")])
    for index, problems in found.items():
        yield from _index(index, problems, where.url, shut.get(index, ()))
    if early:
        yield Finding(f"{early} documents of the index {where.index} are dated early 1970", _move(where.url, _EPOCH))
    dead = sum(1 for _ in letters(where.dead_letters))
    yield Finding(
        f"{dead} dead letters", "mend what `flywheel-log dead-letters` says, then add --resend" if dead else ""
    )


def _way_in(reason: str, login: str, index: str) -> str:
    """What to do when a server does not let us in for *reason*; *login* is the scheme of what we have shown it."""
    variables = {
        "": "it wants a login: set ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD",
        "ApiKey": "it does not accept the API key: set ELASTICSEARCH_API_KEY to a valid one, encoded or as id:key",
        "Basic": "it does not accept the user or the password: mend ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD",
    }
    known = {
        "http 401": variables[login],
        "http 403": f"the API key or user needs create_index, create_doc, view_index_metadata and read on {index}*",
        "tls": "its certificate is not trusted, or is for another name: set ELASTICSEARCH_CA_CERTS to the file of the "
        "certificate that signed it (http_ca.crt of a server that made its own), and name it as the certificate does. "
        "A server with security off wants http://",
        "unreachable": "is it running, and is ELASTICSEARCH_URL right? A server with security on wants https://",
    }
    return f"{reason}; {known.get(reason, 'is it well, and is ELASTICSEARCH_URL right?')}"


def _index(index: str, problems: list[str] | None, url: str, shut: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    if problems is None:
        yield Finding(f"the index {index}, which is made with the first event")
        return
    yield from (Finding(*one) for one in shut)
    if not problems and not shut:
        yield Finding(f"the index {index}")
    for problem in problems:
        yield Finding(problem, _move(url))


def _move(url: str, why: str = "") -> str:
    return (
        f"{why}name a new index in ELASTICSEARCH_INDEX, bring the old one there: flywheel-log backfill '{url}', "
        f"and what waits for it: flywheel-log drain --from '{url}' --into elasticsearch:"
    )
