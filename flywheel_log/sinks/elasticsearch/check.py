"""Whether Elasticsearch can take events: what `flywheel-log doctor` reports about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flywheel_log.sinks import Finding, RetryLater

from .cluster import Cluster, Unreachable
from .dead_letters import letters
from .ensure import inspect, misdated
from .hindrance import hindrances, outdated
from .target import target

_EPOCH = "their timestamps are seconds where milliseconds are read, so the blueprint takes them for the oldest; "


def check(url: str) -> Iterator[Finding]:
    """Look at the servers, the indices and the dead letters of *url*."""
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
    yield from old or [Finding(server)]
    for index, problems in found.items():
        yield from _index(index, problems, where.url, shut.get(index, ()))
    if early:
        yield Finding(f"{early} documents of the index {where.index} are dated early 1970", _move(where.url, _EPOCH))
    dead = sum(1 for _ in letters(where.dead_letters))
    yield Finding(
        f"{dead} dead letters", "fix what `flywheel-log dead-letters` reports, then add --resend" if dead else ""
    )


def _way_in(reason: str, login: str, index: str) -> str:
    """What to do when a server does not let us in for *reason*; *login* is the scheme of what we have shown it."""
    variables = {
        "": "it wants a login: set ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD",
        "ApiKey": "it does not accept the API key: set ELASTICSEARCH_API_KEY to a valid one, encoded or as id:key",
        "Basic": "it refuses the user or the password: correct ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD",
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


def _index(index: str, problems: list[str] | None, url: str, shut: Sequence[Finding]) -> Iterator[Finding]:
    if problems is None:
        yield Finding(f"the index {index}, which is created with the first event")
        return
    yield from shut
    if not problems and not shut:
        yield Finding(f"the index {index}")
    for problem in problems:
        yield Finding(problem, _move(url))


def _move(url: str, why: str = "") -> str:
    return (
        f"{why}name a new index in ELASTICSEARCH_INDEX, bring the old one there: flywheel-log backfill '{url}', "
        f"and what waits for it: flywheel-log drain --from '{url}' --into elasticsearch:"
    )
