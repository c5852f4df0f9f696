"""The index before its first document: created from a template, or checked if it exists."""

from __future__ import annotations

from collections.abc import Callable

from flywheel_log.event import JSON
from flywheel_log.health import health
from flywheel_log.sinks import RetryLater

from .cluster import Answer, Cluster
from .mapping import OFFERS, problems

# Above the templates that Elasticsearch brings along (100) and those people write (up to 200 as a rule).
_PRIORITY = 500
_OK, _BAD, _FORBIDDEN, _MISSING = 200, 400, 403, 404
_EXISTS = "resource_already_exists_exception"
_BUSY = frozenset({429, 500, 502, 503, 504})


class Unfit(RetryLater):
    """An index that would spoil our documents, or that we may not use."""

    def __init__(self, reason: str = "unfit index") -> None:
        super().__init__(reason, 30.0)


def ensure(cluster: Cluster, index: str) -> None:
    """Make *index* if it is missing, and see that its mapping takes our documents.

    Raises:
        Unfit: it would spoil documents, or is forbidden to us; they wait until that is mended.
        RetryLater: it cannot be made or read.
    """
    found = inspect(cluster, index)
    if found is None:
        _create(cluster, index)
        found = inspect(cluster, index) or []
    elif not found:
        _insure(cluster, index)
    for problem in found:
        health.warn(f"{problem}; `flywheel-log doctor` says how to fix it")
    if found:
        raise Unfit


def inspect(cluster: Cluster, index: str) -> list[str] | None:
    """Say what is wrong with the mapping of *index* (of all indices behind an alias), or None if there is none.

    Raises:
        RetryLater: the server does not say.
    """
    answer = cluster.request("GET", f"/{index}/_mapping")
    if answer.status == _MISSING:
        return None
    _expect(answer)
    return [problem for name, one in sorted(answer.body.items()) for problem in problems(name, one.get("mappings", {}))]


def misdated(cluster: Cluster, index: str) -> int:
    """Count the documents of *index* whose timestamp, in seconds, was taken for milliseconds: those of early 1970."""
    early = {"range": {"timestamp": {"gte": "1970-01-02", "lt": "1970-03-01", "format": "yyyy-MM-dd"}}}
    return int(cluster.request("POST", f"/{index}/_count", {"query": early}).found.get("count", 0))


def _create(cluster: Cluster, index: str) -> None:
    """Make the index, and first its template, which serves should somebody delete the index while documents flow."""
    _put_template(cluster, index)
    answer = _put(cluster, f"/{index}", lambda made: made)
    if error_type(answer) != _EXISTS:
        _expect(answer)


def _insure(cluster: Cluster, index: str) -> None:
    """Write the template of an *index* that somebody else made, if without it the next one would be made by guesses.

    Whoever may not ask is left alone: an index that is there needs no template.
    """
    answer = cluster.request("POST", f"/_index_template/_simulate_index/{index}")
    if answer.status != _OK or not isinstance(answer.body, dict):
        return
    made = answer.body.get("template", {})  # Nothing where no template matches.
    if problems(index, made.get("mappings", {})):
        _put_template(cluster, index)


def _put_template(cluster: Cluster, index: str) -> None:
    answer = _put(
        cluster,
        f"/_index_template/{index}",
        lambda made: {"index_patterns": [index], "priority": _PRIORITY, "template": made},
    )
    if answer.status in _BUSY:
        raise RetryLater(f"http {answer.status}", answer.after)
    if answer.status != _OK:
        health.warn(f"the index template {index} could not be written (HTTP {answer.status})")


def _put(cluster: Cluster, path: str, body: Callable[[JSON], JSON]) -> Answer:
    """Put what *body* makes of our index, as well as this server knows it."""
    for offer in OFFERS:
        answer = cluster.request("PUT", path, body(offer))
        if answer.status != _BAD or error_type(answer) == _EXISTS:
            break
    return answer


def _expect(answer: Answer) -> None:
    if answer.status == _FORBIDDEN:
        raise Unfit(f"http {answer.status}")
    if answer.status == _BAD and (said := error_type(answer)):
        raise RetryLater(said)
    if answer.status != _OK or not isinstance(answer.body, dict):
        raise RetryLater(f"http {answer.status}", answer.after)


def error_type(answer: Answer) -> str:
    """Return Elasticsearch's word for what is wrong with a whole request, or ""."""
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    return str(error.get("type", "")) if isinstance(error, dict) else ""
