"""A value of the corpus is found wherever it stands: behind escapes, in JSON that was cut off, among other scripts."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_log.pipeline.redact import Redactor
from flywheel_log.pipeline.redact.anchors import suspicious
from flywheel_log.pipeline.redact.reading import Reading
from flywheel_log.serialise import dumps

from .corpus import VALUES, samples

PERSONAL = {"email", "phone", "card", "iban", "ip", "ssn"}
SECRETS, ALL = Redactor(("secrets",)), Redactor(("secrets", "pii"))


def _json(text: str) -> str:
    return json.dumps({"y": text})


PLACES: dict[str, Callable[[str], str]] = {
    "JSON": _json,
    "JSON in JSON": lambda text: _json(_json(text)),
    "JSON among words": lambda text: f"Here it is: {_json(text)}, all of it",
    "JSON that was cut off": lambda text: _json(text)[:-1],
    "JSON in JSON that was cut off": lambda text: _json(_json(text))[:-1],
    "escapes in JSON that was cut off": lambda text: '{"y": "' + "".join(f"\\u{ord(char):04x}" for char in text),
    "a key that comes twice": lambda text: f'{{"x": {json.dumps(text)}, "x": "other"}}',
    "the repr of bytes": lambda text: repr(text.encode()),
    "Chinese": lambda text: f"我的号码是{text}谢谢",
    "invisible blanks": lambda text: f"\u200b{text}\u200b",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", VALUES)
def test_a_value_is_found_wherever_it_stands(kind: str, place: str) -> None:
    redactor = ALL if kind in PERSONAL else SECRETS
    left, overlooked = [], []
    for sample in samples(kind, VALUES[kind], 20):
        text, value = sample.text, str(sample.value)
        if value in json.dumps(redactor(dumps(_event(text))) or text):
            continue  # It is not found anywhere; the corpus has its own test.
        line = dumps(_event(PLACES[place](text)))
        clean = redactor(line)
        if clean is None or value in Reading(clean["metadata"]["note"]).plain:
            left.append(text)
        if kind not in PERSONAL and not suspicious(line):
            overlooked.append(text)
    assert (left, overlooked) == ([], [])


def _event(text: str) -> dict[str, object]:
    return {"kind": "llm", "metadata": {"note": text}}


def test_what_is_replaced_takes_its_escapes_with_it_and_no_others() -> None:
    text = '{"a": "{\\"mail\\": \\"\\\\u0061da@example.com\\", \\"at\\": \\"\\\\n66.37.128.57\\", \\"b\\": \\"c'
    event = ALL(dumps(_event(text)))
    assert event is not None
    assert event["metadata"]["note"] == ('{"a": "{\\"mail\\": \\"[email]\\", \\"at\\": \\"\\\\n[ip]\\", \\"b\\": \\"c')


@given(st.text(st.sampled_from('\\nu0061"/ab')))
def test_what_is_read_stands_where_it_is_said_to(text: str) -> None:
    reading = Reading(text)
    ends = [(reading.start(at), reading.end(at + 1)) for at in range(len(reading.plain))]
    assert [Reading(text[start:end]).plain for start, end in ends] == [*reading.plain]
    assert ends == sorted(ends)


def test_a_header_is_one_however_it_is_written() -> None:
    headers = {"HTTP_AUTHORIZATION": "Basic dXNlcjpwYXNz", "AUTHORIZATION": "Basic dXNlcjpwYXNz"}
    event = SECRETS(dumps({"kind": "llm", "metadata": headers}))
    assert event is not None
    assert event["metadata"] == dict.fromkeys(headers, "[password]")
