"""References to vectors: what they tell, and that nothing else is touched."""

from __future__ import annotations

from array import array
from base64 import b64encode
from typing import Any, cast

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flywheel_log
from flywheel_log import standin
from flywheel_log.event import Event
from flywheel_log.pipeline.refer import refer, reference
from flywheel_log.testing import recording

HASH = "986c627ee6ef1bcc3d746256a7045624ceeb44c4ed557ca055b2d43933de3489"


def test_a_reference_tells_dimensions_norm_and_hash() -> None:
    assert reference([3.0, 4.0]) == {"dimensions": 2, "norm": 5.0, "sha256": HASH}


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_numbers_and_base64_of_the_same_vector_have_the_same_reference(numbers: list[float]) -> None:
    assert reference(b64encode(array("f", numbers).tobytes()).decode()) == reference(numbers)


@pytest.mark.parametrize("other", [None, "", "no base64!", [], {}, ["a"], 7, [[1.0]]])
def test_what_is_no_vector_stays_as_it_is(other: Any) -> None:
    assert reference(other) == other


def test_a_call_is_left_alone() -> None:
    event = cast(Event, {"timestamp": "t", "kind": "llm", "response": {"data": [{"embedding": [1.0]}]}})
    assert refer(None, "", event)["response"] == {"data": [{"embedding": [1.0]}]}


@pytest.mark.parametrize(("setting", "kind"), [("reference", dict), ("keep", str)])
def test_the_answers_of_the_embeddings_api_are_kept_as_the_setting_says(setting: str, kind: type) -> None:
    with (
        recording(embeddings=setting) as events,
        standin.serve() as server,
        openai.OpenAI(base_url=server.url, api_key="stand-in") as client,
    ):
        answer = flywheel_log.instrument(client).embeddings.create(model="e", input=["a", "b"])
    (event,) = events
    assert [len(one.embedding) for one in answer.data] == [8, 8]
    assert [type(one["embedding"]) for one in event["response"]["data"]] == [kind, kind]
