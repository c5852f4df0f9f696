"""A value of the corpus is found wherever it stands: behind escapes, in JSON that was cut off, among other scripts."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_log.pipeline.redact import Redactor
from flywheel_log.pipeline.redact.anchors import suspicious
from flywheel_log.pipeline.redact.reading import INVISIBLE, Reading
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
    "invisible blanks inside, escaped": lambda text: json.dumps("\u200d".join(text))[1:-1],
    **{
        f"with U+{ord(char):04X} inside": lambda text, char=char: char.join(text)  # type: ignore[misc]
        for char in "\u00ad\u200b\u200c\u200d\u2060\ufeff"
    },
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
        if clean is None or value in Reading(Reading(clean["metadata"]["note"]).plain, INVISIBLE).plain:
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


def test_an_invisible_blank_goes_with_what_it_hides_and_stays_elsewhere() -> None:
    event = SECRETS(dumps(_event("a\u200bb \u200bAKIA2345\u200b\u2060ABCDEFGH67\u00ad23\u200b c")))
    assert event is not None
    assert event["metadata"]["note"] == "a\u200bb \u200b[aws_access_key]\u200b c"


def test_a_line_with_joined_letters_is_no_suspect_for_that() -> None:
    event = _event("the joined ones: \u0646\u200c\u0645 \N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}")
    assert (suspicious(dumps(event)), suspicious(json.dumps(event).encode())) == (False, False)
