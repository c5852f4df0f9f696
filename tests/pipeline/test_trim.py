"""Large events: base64 media by policy, long texts until the event fits, and a word on what was left out."""

from __future__ import annotations

import base64
import hashlib
import sys
from typing import Any

import orjson
import pytest

from flywheel_log.event import Wire
from flywheel_log.pipeline.trim import Limits, is_small, trim
from flywheel_log.serialise import dumps

IMAGE = base64.b64encode(bytes(range(256)) * 300).decode()
URL = f"data:image/png;base64,{IMAGE}"
SHA = hashlib.sha256(IMAGE.encode()).hexdigest()


def event(url: str, text: str = "look") -> Any:
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": text}]
    return {"kind": "llm", "timestamp": "t", "request": {"messages": [{"role": "user", "content": parts}]}}


def shown(trimmed: Any) -> Any:
    return trimmed["request"]["messages"][0]["content"][0]["image_url"]["url"]


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ("keep", URL),
        ("trim", f"data:image/png;base64,[{len(IMAGE)} characters of base64 left out]"),
        ("reference", f"data:image/png;base64,[{len(IMAGE)} characters of base64 left out; sha256 {SHA}]"),
    ],
)
def test_media_is_treated_as_the_policy_says(media: Any, expected: str) -> None:
    given = event(URL)
    trimmed = trim(given, Limits(media, 1 << 20))
    assert (shown(trimmed), shown(given)) == (expected, URL)
    assert trimmed.get("trimmed") == (None if media == "keep" else {"strings": 1, "characters": len(IMAGE)})
    assert "training_unsafe" not in trimmed


def test_bytes_from_the_wire_are_looked_into() -> None:
    given = event(URL)
    given["request"] = Wire(orjson.dumps(given["request"]))
    assert shown(trim(given, Limits("trim", 1 << 20))).endswith("left out]")


@pytest.mark.parametrize("width", [60, 64, 76, len(IMAGE)])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("slash", [b"/", b"\\/"])
def test_what_is_trimmed_is_not_passed_by(width: int, end: str, slash: bytes) -> None:
    data = end.join(IMAGE[at : at + width] for at in range(0, len(IMAGE), width))
    given = event(data)
    line = dumps(given).replace(b"/", slash)
    assert "trimmed" in trim(given, Limits("trim", 1 << 20))
    assert [is_small(line, Limits(media, 1 << 20)) for media in ("trim", "reference", "keep")] == [False, False, True]


def test_words_are_passed_by_until_they_are_too_many() -> None:
    line = dumps(event("https://example.org/a.png", "plain words and nothing else, " * 10_000))
    assert [is_small(line, Limits("trim", size)) for size in (len(line), len(line) - 1)] == [True, False]


@pytest.mark.parametrize(
    "prose", ["plain words and nothing else, ", "what a machine hears has no stops and no commas\n"]
)
def test_a_small_picture_and_long_prose_stay(prose: str) -> None:
    given = event("data:image/png;base64,AAAA", prose * 2000)
    assert trim(given, Limits("trim", 1 << 20)) == given


@pytest.mark.parametrize(
    "text",
    [
        *(
            "ha" * 10_000,
            "ACGT" * 3_000,
            "MKWVTFISLLFLFSSAYS" * 700,
            "0123456789abcdef" * 800,
            "-" * 2_000 + " the end" * 900,
        ),
        "aB3" * 500 + " and then the whole of an essay" * 300,
    ],
)
def test_what_a_model_says_over_and_over_and_sequences_of_genes_are_texts(text: str) -> None:
    given = event("https://x", text)
    assert trim(given, Limits("trim", 1 << 20)) == given


def test_sound_that_begins_in_silence_is_media() -> None:
    sound = base64.b64encode(bytes(4_000) + bytes(range(256)) * 40).decode()
    assert trim(event(sound), Limits("trim", 1 << 20))["trimmed"] == {"strings": 1, "characters": len(sound)}


def test_base64_in_lines_is_media_too() -> None:
    lines = base64.encodebytes(bytes(range(256)) * 300).decode()
    assert trim(event(lines), Limits("trim", 1 << 20))["trimmed"] == {"strings": 1, "characters": len(lines)}


def test_ten_megabytes_of_audio_never_reach_a_document_by_accident() -> None:
    audio = base64.b64encode(bytes(8 << 20)).decode()
    given: Any = {"kind": "llm", "timestamp": "t", "request": {"input_audio": {"data": audio, "format": "wav"}}}
    trimmed = trim(given, Limits("trim", 1 << 20))
    assert len(orjson.dumps(trimmed)) < 1000


def test_a_long_text_keeps_its_beginning_and_its_end_and_as_much_as_fits() -> None:
    given: Any = {"kind": "llm", "timestamp": "t", "request": {"prompt": "a " * 2_500 + "z " * 2_500}}
    trimmed = trim(given, Limits("trim", 8_000))
    start, note, end = trimmed["request"]["prompt"].split("…")
    assert (set(start), set(end)) == (set("a "), set("z "))
    assert note == f"[{10_000 - len(start) - len(end)} characters left out]"
    assert 7_800 < len(orjson.dumps(trimmed)) <= 8_000


def test_of_many_long_texts_each_gives_something() -> None:
    given: Any = {"kind": "llm", "timestamp": "t", "request": {"messages": ["a " * 2_500, "b " * 2_500, "c"]}}
    trimmed = trim(given, Limits("trim", 4_000))
    assert [len(text) for text in trimmed["request"]["messages"]] == [1_028, 1_028, 1]


def test_texts_are_cut_until_the_event_fits_and_no_dataset_takes_it() -> None:
    given = event("https://x", "é" * 400_000)
    trimmed = trim(given, Limits("trim", 20_000))
    assert len(orjson.dumps(trimmed)) < 21_000
    assert (trimmed["training_unsafe"], trimmed["trimmed"]["strings"] > 0) == (["trimmed"], True)


def test_an_event_of_numbers_is_walked_once() -> None:
    """However often one looks at numbers, there is no text in them to cut."""
    steps = 0

    def count(_: object, what: str, __: object) -> None:
        nonlocal steps
        steps += what == "call"

    numbers = [[float(number), 1.5, 2.5] for number in range(5_000)]
    given: Any = {"kind": "llm", "request": {"arguments": {"numbers": numbers}}}
    sys.setprofile(count)
    try:
        trimmed = trim(given, Limits("trim", 10_000))
    finally:
        sys.setprofile(None)
    assert trimmed == given
    assert steps < 2 * len(numbers)  # A comprehension is a call of its own in older Pythons.
