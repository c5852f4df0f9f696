"""Why no document is accepted, whatever is in it: too old a server, a closed index, a missing pipeline."""

from __future__ import annotations

from collections.abc import Iterator

from flywheel_log.event import JSON
from flywheel_log.sinks import Finding

from .cluster import Cluster

_MISSING = 404
_BLOCKS = ("read_only", "write")
_FLOOD = "index.blocks.read_only_allow_delete"
_OLDEST = 7  # The first without types of documents, which an index of ours has none of.
_PIPELINES = ("index.default_pipeline", "index.final_pipeline")


def outdated(cluster: Cluster) -> list[Finding]:
    """Say that the server is too old to have our index; nothing where it does not tell. Raises `Unreachable`."""
    answer = cluster.request("GET", "/")
    version = answer.body.get("version") if isinstance(answer.body, dict) else None
    if not isinstance(version, dict) or "distribution" in version:  # OpenSearch counts anew, and so from 1.
        return []
    number = str(version.get("number", ""))
    major = number.partition(".")[0]
    if not major.isdecimal() or int(major) >= _OLDEST:
        return []
    fix = "it is too old; Elasticsearch 7.17, 8 and 9 serve, and OpenSearch 2"
    return [Finding(f"Elasticsearch {number} at {cluster.servers}", fix)]


def hindrances(cluster: Cluster, index: str) -> list[Finding]:
    """Say what keeps documents out of *index*, or out of the one that is written to behind an alias.

    Nothing where the server does not let us look. Raises `Unreachable`.
    """
    found = cluster.request("GET", f"/{index}/_settings?flat_settings=true").found
    if not found:
        return []
    known = {name: one.get("settings", {}) for name, one in found.items()}
    name = next(iter(known)) if len(known) == 1 else _written_to(cluster, index, known)
    if name is None:
        add = f"""{{"add": {{"index": "…", "alias": "{index}", "is_write_index": true}}}}"""
        fix = f"""name one: POST /_aliases {{"actions": [{add}]}}"""
        return [Finding(f"the alias {index} stands for {len(known)} indices, and none is the one to write to", fix)]
    return [*_closed(name, known[name]), *_pipelines(cluster, name, known[name])]


def _written_to(cluster: Cluster, index: str, known: JSON) -> str | None:
    found = cluster.request("GET", f"/_alias/{index}").found
    if not found:
        return max(known)  # A data stream: its indices are numbered.
    aliases = {name: one.get("aliases", {}).get(index, {}) for name, one in found.items()}
    return next((name for name, alias in aliases.items() if name in known and alias.get("is_write_index")), None)


def _closed(name: str, settings: JSON) -> Iterator[Finding]:
    if settings.get("index.verified_before_close") == "true":
        yield Finding(f"the index {name} is closed", f"open it: POST /{name}/_open")
    if settings.get(_FLOOD) == "true":
        what = f"the index {name} is read-only ({_FLOOD}), which Elasticsearch sets when its disk is nearly full"
        yield Finding(what, f"free space on the server's disk, then: {_unset(name, _FLOOD)}")
    for setting in (f"index.blocks.{block}" for block in _BLOCKS):
        if settings.get(setting) == "true":
            yield Finding(f"the index {name} takes no documents ({setting})", _unset(name, setting))


def _pipelines(cluster: Cluster, name: str, settings: JSON) -> Iterator[Finding]:
    for setting in _PIPELINES:
        pipeline = settings.get(setting, "_none")
        if pipeline != "_none" and cluster.request("GET", f"/_ingest/pipeline/{pipeline}").status == _MISSING:
            what = f"the index {name} sends documents through the pipeline {pipeline} ({setting}), which does not exist"
            yield Finding(what, f"create the pipeline, or: {_unset(name, setting)}")


def _unset(name: str, setting: str) -> str:
    return f'PUT /{name}/_settings {{"{setting}": null}}'
