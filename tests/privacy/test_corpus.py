"""What is found of the labelled corpus, and what is taken for a value and is none."""

from __future__ import annotations

import pytest

from flywheel_log.pipeline.redact import Redactor
from flywheel_log.pipeline.redact.anchors import suspicious
from flywheel_log.serialise import dumps

from .corpus import VALUES, Sample, lookalikes, samples

REDACTOR = Redactor(("secrets", "pii"))


def found(sample: Sample) -> tuple[str, set[str]]:
    event = {"timestamp": "", "kind": "llm", "metadata": {"note": sample.text}}
    clean = REDACTOR.event(event)
    return (clean["metadata"]["note"], set(clean["redactions"])) if clean else (sample.text, set())


@pytest.mark.parametrize("kind", VALUES)
def test_of_a_hundred_values_ninety_nine_are_found(kind: str) -> None:
    missed = [sample.text for sample in samples(kind, VALUES[kind]) if str(sample.value) in found(sample)[0]]
    assert len(missed) <= 0.01 * 120, missed


@pytest.mark.parametrize("kind", VALUES)
def test_of_a_hundred_that_are_found_ninety_seven_are_values(kind: str) -> None:
    right = sum(kind in found(sample)[1] for sample in samples(kind, VALUES[kind]))
    wrong = [sample.text for sample in lookalikes(kind) if kind in found(sample)[1]]
    assert right / (right + len(wrong)) >= 0.97, wrong


@pytest.mark.parametrize("kind", VALUES)
def test_a_secret_is_called_by_its_kind(kind: str) -> None:
    named = sum(kind in found(sample)[1] for sample in samples(kind, VALUES[kind]))
    assert named / 120 >= 0.9


@pytest.mark.parametrize("kind", VALUES)
def test_a_line_that_is_not_suspicious_has_no_secret(kind: str) -> None:
    secrets = Redactor(("secrets",))
    overlooked = []
    for sample in (*samples(kind, VALUES[kind]), *lookalikes(kind)):
        event = {"timestamp": "", "kind": "llm", "client_id": "some client", "metadata": {"note": sample.text}}
        if secrets.event(event) is not None and not suspicious(dumps(event)):
            overlooked.append(sample.text)
    assert overlooked == []
