"""`log_retrieval`: what documents look like, and which calls carry them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import flywheel_log
from flywheel_log import log_retrieval
from flywheel_log.event import Event
from flywheel_log.testing import recording

Ask = Callable[..., Any]


def docs(event: Event) -> list[Any]:
    return [doc["id"] for doc in event.get("retrieval_docs", [])]


def test_a_retrieval_is_an_event_with_query_documents_scores_and_sources(events: list[Event]) -> None:
    identity = log_retrieval(
        [{"id": "doc7", "text": "Ulm lies on the Danube."}, "Bonn lies on the Rhine."],
        query="Where is Ulm?",
        scores=[0.92, 0.41],
        sources=["atlas.pdf", None],
        latency_ms=12.5,
    )
    (event,) = events
    assert identity == "test-1"
    assert {key: event[key] for key in ("kind", "request", "retrieval_docs", "latency_ms")} == {
        "kind": "retrieval",
        "request": {"query": "Where is Ulm?"},
        "retrieval_docs": [
            {"id": "doc7", "text": "Ulm lies on the Danube.", "score": 0.92, "source": "atlas.pdf"},
            {"id": "doc-0cdd4ccd8ea7", "text": "Bonn lies on the Rhine.", "score": 0.41},
        ],
        "latency_ms": 12.5,
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            SimpleNamespace(page_content="text", metadata={"source": "a.md", "page": 3}, id="d1"),
            {"id": "d1", "text": "text", "source": "a.md", "metadata": {"source": "a.md", "page": 3}},
        ),
        ((SimpleNamespace(page_content="text", metadata={}, id="d1"), 0.5), {"id": "d1", "text": "text", "score": 0.5}),
        (({"id": "f1", "text": "text"}, np.float32(0.5)), {"id": "f1", "text": "text", "score": 0.5}),
        (SimpleNamespace(node_id="n1", text="text", score=0.7), {"id": "n1", "text": "text", "score": 0.7}),
        ({"_id": "e1", "_score": 3.2, "content": "text"}, {"id": "e1", "score": 3.2, "text": "text"}),
        ({"page_content": "text", "metadata": {"id": "m1"}}, {"id": "m1", "text": "text", "metadata": {"id": "m1"}}),
    ],
    ids=[
        "a LangChain document",
        "with its score",
        "with FAISS' score",
        "a LlamaIndex node",
        "an Elasticsearch hit",
        "an id in metadata",
    ],
)
def test_documents_of_frameworks_are_understood(events: list[Event], given: Any, expected: dict[str, Any]) -> None:
    log_retrieval([given])
    assert events[0]["retrieval_docs"] == [expected]


@pytest.mark.parametrize("given", ["text", {"id": "doc-4e656db9a855", "text": "text"}])
def test_one_document_is_a_list_of_one(events: list[Event], given: Any) -> None:
    log_retrieval(given)
    assert events[0]["retrieval_docs"] == [{"id": "doc-4e656db9a855", "text": "text"}]


def test_ids_and_sources_may_be_whatever_they_are(events: list[Event], ask: Ask) -> None:
    with flywheel_log.trace("answer"):
        for score in (0.1, 0.8):
            log_retrieval([{"id": ["a", 1], "source": {"path": "a.md"}, "score": score}])
        ask()
    assert events[2]["retrieval_docs"] == [
        {"id": ["a", 1], "source": {"path": "a.md"}, "score": 0.8, "retrieval": "test-2"}
    ]


def test_calls_that_follow_in_the_trace_name_the_documents(events: list[Event], ask: Ask) -> None:
    with flywheel_log.trace("answer"):
        with flywheel_log.step("retrieve"):
            log_retrieval([{"id": "doc7", "text": "long"}], scores=[0.9])
        with flywheel_log.step("generate"):
            ask()
    call = next(event for event in events if event["kind"] == "llm")
    assert call["retrieval_docs"] == [{"id": "doc7", "score": 0.9, "retrieval": "test-1"}]


def test_another_trace_knows_nothing_of_them(events: list[Event], ask: Ask) -> None:
    with flywheel_log.trace("first"):
        log_retrieval(["text"])
    with flywheel_log.trace("second"):
        ask()
    assert "retrieval_docs" not in next(event for event in events if event["kind"] == "llm")


def test_without_a_trace_they_belong_to_the_block(events: list[Event], ask: Ask) -> None:
    with flywheel_log.context(workload_id="outer"):
        with flywheel_log.context(workload_id="inner"):
            log_retrieval([{"id": "doc7"}])
            ask()
        ask()
    inside, outside = (event for event in events if event["kind"] == "llm")
    assert (docs(inside), docs(outside)) == (["doc7"], [])


def test_without_any_block_no_call_is_said_to_have_known_them(events: list[Event], ask: Ask) -> None:
    log_retrieval([{"id": "doc7"}])
    ask()
    assert [docs(event) for event in events] == [["doc7"], []]


def test_a_decorated_function_carries_what_it_retrieved_itself(events: list[Event]) -> None:
    @flywheel_log.logged_llm
    def answer(question: str) -> str:
        log_retrieval([{"id": "doc7"}], query=question)
        return "local model"

    answer("why?")
    assert docs(events[1]) == ["doc7"]


def test_several_retrievals_add_up_and_a_document_found_again_stands_once(events: list[Event], ask: Ask) -> None:
    with flywheel_log.trace("answer"):
        log_retrieval([{"id": "a", "score": 0.1}, {"id": "b"}])
        log_retrieval([{"id": "a", "score": 0.8}])
        ask()
    assert events[2]["retrieval_docs"] == [
        {"id": "b", "retrieval": "test-1"},
        {"id": "a", "score": 0.8, "retrieval": "test-2"},
    ]


def test_the_latest_documents_are_remembered(events: list[Event], ask: Ask) -> None:
    with flywheel_log.trace("answer"):
        log_retrieval([{"id": str(number)} for number in range(250)])
        ask()
    assert docs(events[1]) == [str(number) for number in range(50, 250)]


def test_vectors_are_referred_to(events: list[Event]) -> None:
    log_retrieval(["text"], embeddings=[[3.0, 4.0]], query_embedding=[1.0, 0.0])
    assert [events[0]["request"]["embedding"], events[0]["retrieval_docs"][0]["embedding"]] == [
        {
            "dimensions": 2,
            "norm": 1.0,
            "sha256": "434b26042aff3fb844a4c4c6be0d81a079b0ce84cfb8190679024404e5dc4822",
        },
        {
            "dimensions": 2,
            "norm": 5.0,
            "sha256": "986c627ee6ef1bcc3d746256a7045624ceeb44c4ed557ca055b2d43933de3489",
        },
    ]


def test_vectors_are_kept_where_the_settings_say_so() -> None:
    with recording(embeddings="keep") as events:
        log_retrieval(["text"], embeddings=[[3.0, 4.0]])
    assert events[0]["retrieval_docs"][0]["embedding"] == [3.0, 4.0]


def test_documents_nobody_can_read_are_counted_not_raised(events: list[Event]) -> None:
    assert log_retrieval(7) is None  # type: ignore[arg-type]
    assert (events, flywheel_log.stats()["dropped"]) == ([], {"retrieval": 1})


def test_nothing_is_recorded_where_recording_is_suppressed(events: list[Event]) -> None:
    with flywheel_log.suppress():
        log_retrieval(["text"])
    assert events == []
