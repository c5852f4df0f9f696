"""What Elasticsearch says about each document of a bulk request, judged by the error's type, never by its status."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, NamedTuple

from .cluster import Answer

_REDIRECTED, _CONFLICT = 300, 409

# The document is at fault: the same bytes will be refused for ever.
DOCUMENT_ERRORS = frozenset(
    {
        "document_parsing_exception",
        "illegal_argument_exception",
        "input_coercion_exception",
        "json_parse_exception",
        "mapper_parsing_exception",
        "max_bytes_length_exceeded_exception",
        "not_x_content_exception",
        "parse_exception",
        "parsing_exception",
        "stream_constraints_exception",
        "strict_dynamic_mapping_exception",
        "x_content_parse_exception",
    }
)

# The index is at fault: it takes none of the documents until somebody mends that, while another index may.
INDEX_ERRORS = frozenset({"cluster_block_exception", "index_closed_exception", "security_exception"})

# The server is busy, moving or without the index for a moment: soon it takes the same document.
SERVER_ERRORS = frozenset(
    {
        "circuit_breaking_exception",
        "es_rejected_execution_exception",
        "index_not_found_exception",
        "no_shard_available_action_exception",
        "node_closed_exception",
        "node_disconnected_exception",
        "node_not_connected_exception",
        "process_cluster_event_timeout_exception",
        "rejected_execution_exception",  # OpenSearch's word for that of Elasticsearch above.
        "unavailable_shards_exception",
    }
)


class Fate(Enum):
    """What becomes of one document."""

    STORED = auto()
    DUPLICATE = auto()
    REFUSED = auto()
    LATER = auto()


class Verdict(NamedTuple):
    """One document's fate, with Elasticsearch's type and text of the error."""

    fate: Fate
    reason: str = ""
    detail: str = ""


def waits_for(verdict: Verdict, index: str) -> str | None:
    """Name what a document that *index* takes later waits for alone; None where all the others wait as well.

    An ingest pipeline may refuse one document, for a reason of its own, for as long as nobody mends it.
    """
    if verdict.reason in SERVER_ERRORS:
        return None
    return index if verdict.reason in INDEX_ERRORS else f"{index} {verdict.reason}"


def hopeless(verdict: Verdict) -> bool:
    """Tell whether nothing can be done for a stub that was judged so.

    It holds nothing that could be an illegal argument: then the index is at fault, and can be mended.
    """
    return verdict.fate is Fate.REFUSED and verdict.reason != "illegal_argument_exception"


STORED, DUPLICATE = Verdict(Fate.STORED), Verdict(Fate.DUPLICATE)
_CREATED = b'{"create":{"status":201}}'


def verdicts(answer: Answer, count: int) -> list[Verdict] | None:
    """Judge the *count* documents of a bulk request; None if the answer does not speak of each of them."""
    if answer.raw == b'{"items":[%b]}' % b",".join([_CREATED] * count):  # The rule, cheaply
        return [STORED] * count
    items = answer.body.get("items") if isinstance(answer.body, dict) else None
    if not isinstance(items, list) or len(items) != count:
        return None
    try:
        return [_judge(item["create"]) for item in items]
    except (LookupError, TypeError, AttributeError):
        return None


def _judge(result: dict[str, Any]) -> Verdict:
    if result["status"] < _REDIRECTED:
        return STORED
    if result["status"] == _CONFLICT:
        return DUPLICATE
    error = result.get("error")
    reason, detail = (error.get("type"), error.get("reason")) if isinstance(error, dict) else (None, None)
    fate = Fate.REFUSED if reason in DOCUMENT_ERRORS else Fate.LATER
    return Verdict(fate, str(reason), str(detail))
