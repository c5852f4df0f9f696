"""Names of people and places, found by a language model of spaCy through presidio: the extra `[pii]`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .pattern import Span

_KINDS = {"PERSON": "person", "LOCATION": "location"}
_LANGUAGE = "en"


class Names:
    """Finds names of people and places; takes milliseconds a text.

    Args:
        model: a spaCy model with an entity recogniser: the name of an installed package, or a directory.

    Raises:
        ImportError: presidio is not installed; the message names the extra.
        ValueError: there is no such model; the message says how to get it.
    """

    def __init__(self, model: str) -> None:
        try:
            import spacy
            from presidio_analyzer import AnalyzerEngine
        except ImportError as error:
            raise ImportError("redact='names' needs presidio: pip install 'flywheel-log[pii]'") from error
        if not (spacy.util.is_package(model) or Path(model).is_dir()):  # Presidio would download it, here and now.
            raise ValueError(f"redact='names' needs the spaCy model {model!r}: python -m spacy download {model}")
        self._analyzer: Any = _analyzer(AnalyzerEngine, model)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where names begin and end, and whether they are a `person` or a `location`."""
        for found in self._analyzer.analyze(text, language=_LANGUAGE, entities=list(_KINDS)):
            yield found.start, found.end, _KINDS[found.entity_type]


def _analyzer(engine: Any, model: str) -> Any:
    from presidio_analyzer import RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpEngineProvider
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    models = [{"lang_code": _LANGUAGE, "model_name": model}]
    nlp = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
    recognizer = SpacyRecognizer(supported_language=_LANGUAGE, supported_entities=list(_KINDS))
    registry = RecognizerRegistry(recognizers=[recognizer], supported_languages=[_LANGUAGE])
    return engine(registry=registry, nlp_engine=nlp, supported_languages=[_LANGUAGE])
