"""Names of people and places are found by the model that is configured, and a missing model is said to be missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import spacy

import flywheel_log
from flywheel_log import testing
from flywheel_log.pipeline.redact import Redactor


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of our own that knows one person and one place, for none can be downloaded here."""
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Ada Lovelace"}, {"label": "GPE", "pattern": "Ulm"}])
    path = tmp_path_factory.mktemp("model") / "names"
    nlp.to_disk(path)
    return path


def test_names_of_people_and_places_are_replaced(model: Path) -> None:
    @flywheel_log.logged_llm
    def say(text: str) -> str:
        return "ok"

    with testing.recording(redact="names", redact_model=str(model)) as events:
        say("Ada Lovelace lives in Ulm, says Ada Lovelace.")
    [event] = events
    assert "[person] lives in [location], says [person]." in str(event["request"])
    assert event["redactions"] == {"person": 2, "location": 1}


def test_a_model_that_is_not_there_is_not_downloaded_but_named() -> None:
    with pytest.raises(
        ValueError, match="needs the spaCy model 'no_such_model': python -m spacy download no_such_model"
    ):
        Redactor(("names",), model="no_such_model")


def test_without_presidio_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(ImportError, match=r"redact='names' needs presidio: pip install 'flywheel-log\[pii\]'"):
        Redactor(("names",))
