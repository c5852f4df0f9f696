"""What stores return, in their own shapes, and the documents that are read out of it."""

from __future__ import annotations

from collections import UserDict, namedtuple
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pytest

import flywheel_log
from flywheel_log import log_retrieval
from flywheel_log.event import Event
from flywheel_log.health import Misuse
from flywheel_log.signals.documents import documents_of
from flywheel_log.testing import recording

ULM = {"id": "a", "text": "Ulm"}
BONN = {"id": "b", "text": "Bonn"}
CHROMA = {"embeddings": None, "included": ["documents"], "data": None, "uris": [[None, None]]}
HIT = {"_index": "x", "_id": "a", "_score": 3.2, "_source": {"text": "Ulm", "source": "a.pdf"}}
FROM_PDF = {"source": "a.pdf", "metadata": {"source": "a.pdf"}}
Row = namedtuple("Row", ["id", "content", "distance"])  # noqa: PYI024 - as database drivers make them


class Record:
    """A row as asyncpg and sqlite3 have it: it has keys, is no mapping, and iterates over its values."""

    def keys(self) -> list[str]:
        return ["id", "content", "distance"]

    def __getitem__(self, name: str) -> Any:
        return {"id": "a", "content": "Ulm", "distance": 0.1}[name]

    def __iter__(self) -> Iterator[Any]:
        return iter(["a", "Ulm", 0.1])


def read(given: Any, **beside: Any) -> tuple[list[Any], list[str]]:
    unread: list[Misuse] = []
    return documents_of(given, beside, unread.append), [str(misuse) for misuse in unread]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            CHROMA
            | {
                "ids": [["a", "b"]],
                "documents": [["Ulm", "Bonn"]],
                "distances": [[0.1, 1.8]],
                "metadatas": [[{"source": "a.pdf"}, {"page": 2}]],
            },
            [ULM | {"distance": 0.1} | FROM_PDF, BONN | {"distance": 1.8, "metadata": {"page": 2}}],
        ),
        ({"ids": [["a"], ["b"]], "documents": [["Ulm"], ["Bonn"]]}, [ULM, BONN]),
        ({"ids": ["a", "b"], "documents": ["Ulm", "Bonn"], "metadatas": None}, [ULM, BONN]),
        ({"ids": [["a"]], "embeddings": [np.array([[0.6, 0.8]])]}, [{"id": "a", "embedding": [0.6, 0.8]}]),
        (
            {
                "matches": [
                    {"id": "a", "score": 0.9, "values": [], "metadata": {"text": "Ulm", "source": "a.pdf"}},
                ],
                "namespace": "",
            },
            [ULM | {"score": 0.9} | FROM_PDF],
        ),
        (
            SimpleNamespace(
                points=[SimpleNamespace(id="a", version=0, score=0.9, payload={"text": "Ulm", "source": "a.pdf"})]
            ),
            [ULM | {"score": 0.9} | FROM_PDF],
        ),
        (
            [SimpleNamespace(id="b", score=0.1, payload={"page_content": "Bonn", "metadata": {"source": "a.pdf"}})],
            [BONN | {"score": 0.1, "source": "a.pdf", "metadata": {"metadata": {"source": "a.pdf"}}}],
        ),
        (
            SimpleNamespace(
                objects=[
                    SimpleNamespace(
                        uuid=UUID(int=7),
                        metadata=SimpleNamespace(score=None, distance=0.1, certainty=0.95),
                        properties={"text": "Ulm", "source": "a.pdf"},
                        vector={},
                    )
                ]
            ),
            [ULM | {"id": UUID(int=7), "score": 0.95, "distance": 0.1} | FROM_PDF],
        ),
        ({"took": 3, "hits": {"total": {"value": 1}, "hits": [HIT]}}, [ULM | {"score": 3.2} | FROM_PDF]),
        (UserDict({"hits": {"hits": [HIT]}}), [ULM | {"score": 3.2} | FROM_PDF]),
        (
            SimpleNamespace(
                source_nodes=[
                    SimpleNamespace(score=0.8, node=SimpleNamespace(node_id="a", text="Ulm", metadata={"page": 1}))
                ]
            ),
            [ULM | {"score": 0.8, "metadata": {"page": 1}}],
        ),
        (
            {"data": [{"file_id": "a", "filename": "a.pdf", "content": [{"text": "Ulm"}, {"text": "on the Danube"}]}]},
            [{"id": "a", "text": "Ulm\non the Danube", "source": "a.pdf"}],
        ),
        ([[{"id": "a", "distance": 0.5, "entity": {"text": "Ulm"}}]], [ULM | {"distance": 0.5}]),
        ([["Ulm", 0.5]], [{"id": "doc-287d50f03001", "text": "Ulm", "score": 0.5}]),
        ([Row("a", "Ulm", 0.1)], [ULM | {"distance": 0.1}]),
        ([Record()], [ULM | {"distance": 0.1}]),
        (SimpleNamespace(id="a", page_content="Ulm", metadata={}), [ULM]),
        (np.array([3, 5]), [{"id": 3}, {"id": 5}]),
        ([{"passage": "Ulm", "rank": 1}], [{"id": "doc-99b1f13b1916", "metadata": {"passage": "Ulm", "rank": 1}}]),
    ],
    ids=[
        *("Chroma", "Chroma, two queries", "Chroma's get", "Chroma's vectors", "Pinecone", "Qdrant"),
        *("Qdrant through LangChain", "Weaviate", "Elasticsearch", "Elasticsearch's client", "LlamaIndex", "OpenAI"),
        *("Milvus", "a pair from JSON", "a row with names", "a row with keys", "one document", "FAISS' ids"),
        "names of one's own",
    ],
)
def test_what_a_store_returns_is_read_as_its_documents(given: Any, expected: list[Any]) -> None:
    found, unread = read(given)
    assert ([{**one, **_plain(one)} for one in found], unread) == (expected, [])


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value.tolist() for key, value in document.items() if isinstance(value, np.ndarray)}


def test_what_stands_beside_the_documents_may_be_nested_an_array_or_one_text_for_all() -> None:
    assert read(["Ulm", "Bonn"], score=np.array([[0.5, 0.25]]), source="a.pdf", embedding=[[0.6, 0.8]]) == (
        [
            {"id": "doc-287d50f03001", "text": "Ulm", "score": 0.5, "source": "a.pdf", "embedding": [0.6, 0.8]},
            {"id": "doc-da621d298678", "text": "Bonn", "score": 0.25, "source": "a.pdf"},
        ],
        [],
    )


@pytest.mark.parametrize(
    ("beside", "message"),
    [
        ({"score": [0.5, 0.2]}, "scores has at most one for each document; got 2 for 1"),
        ({"source": (one for one in "ab")}, "sources has at most one for each document; got 2 for 1"),
        ({"score": 0.5}, "scores has at most one for each document; got float"),
    ],
)
def test_what_does_not_fit_the_documents_is_left_out_and_said(beside: dict[str, Any], message: str) -> None:
    assert read([ULM], **beside) == ([ULM], [message])


def test_a_row_without_names_is_left_out_and_said_and_the_others_keep_their_scores() -> None:
    assert read([(1, "Ulm", 0.1), None, ULM], score=[1, 2, 3]) == (
        [ULM | {"score": 3}],
        [
            "a document is a text, or has names for its parts; got tuple",
            "a document is a text, or has names for its parts; got NoneType",
        ],
    )


def test_what_is_left_out_is_counted_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    with recording() as events:
        log_retrieval([ULM], scores=[0.5, 0.2])
        log_retrieval(None)
        dropped = flywheel_log.stats()["dropped"]
    assert ([event["retrieval_docs"] for event in events], dropped) == ([[ULM]], {"retrieval": 2})
    (said,) = caplog.messages
    assert said.startswith("flywheel_log: retrieval (scores has at most one for each document; got 2 for 1); further")


def test_vectors_by_name_are_referred_to(events: list[Event]) -> None:
    log_retrieval([{"id": "a", "vector": {"default": [0.6, 0.8]}}])
    (document,) = events[0]["retrieval_docs"]
    assert {name: one["dimensions"] for name, one in document["embedding"].items()} == {"default": 2}


def test_a_call_with_wrong_arguments_is_told_in_the_log_as_python_tells_it(caplog: pytest.LogCaptureFixture) -> None:
    wrong: Any = log_retrieval
    assert wrong("rain", ["Rain in Ulm."]) is None
    assert "retrieval (log_retrieval() takes 1 positional argument but 2 were given)" in caplog.text
