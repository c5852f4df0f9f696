"""A glance at a line says no only where its conversation does not match."""

from __future__ import annotations

import gzip
import json
import re
import string
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_log.loop.filter import Filter
from flywheel_log.loop.reading.glance import _ALIKE, glance
from flywheel_log.loop.reading.read import parse, read, search


def line(asked: Any, answered: Any, **fields: Any) -> bytes:
    event = {"id": "r-1", "timestamp": "2026-01-31T10:00:00.000Z", "kind": "llm", "surface": "chat.completions"}
    request = {"messages": [{"role": "user", "content": asked}]}
    response = {"choices": [{"message": {"role": "assistant", "content": answered}}]}
    return orjson.dumps({**event, "request": request, "response": response, **fields}, option=orjson.OPT_APPEND_NEWLINE)


@pytest.mark.parametrize(
    ("pattern", "may"),
    [
        ("zebra", False),
        ("Zebra|lion", False),
        ("ORDER", True),
        (r"order \d+", True),
        (r"\border\b.*zebra", True),  # the longest word alone is looked for
        (r"orders?", True),
        (r"zebras?\.", False),
        (r"[a-z]ebra", False),
        ("zebra/", None),
        ("(zebra)", None),
        ("zebra{2}", None),
        ("zebra++", None),
        ("zebra|", None),
        ("zèbre", None),
        ("1000", None),
        ("1e-05", None),
        ("Infinity", None),
        ("3 vectors", None),
        ("not flagged", None),
        ("", None),
    ],
)
def test_what_it_tells_of_a_line(pattern: str, may: bool | None):
    look = glance(pattern)
    assert (look and look(line("Where is order 7?", "Here."))) == may


@pytest.mark.parametrize(
    "odd",
    [
        line("Where?", "Here.")[:-9],
        line("Where?", "Here.").replace(b"Here", rb"z\u0065bra"),
        line("Where?", "Here.", surface="messages"),
        line("Where?", "\u017fo"),
        b'{"timestamp": "2026-01-31T10:00:00Z", "prompt": "Why?", "response": "So."}\n',
    ],
)
def test_what_it_cannot_know_is_parsed(odd: bytes):
    look = glance("zebra")
    assert look is not None
    assert look(odd)


def test_no_other_letters_are_equal_to_plain_ones():
    plain = re.compile(f"[{string.ascii_letters}]", re.IGNORECASE)
    alike = [sign for sign in map(chr, range(0x80, sys.maxunicode + 1)) if plain.fullmatch(sign)]
    assert sorted(sign.encode() for sign in alike) == sorted(_ALIKE)


TEXT = st.text(st.sampled_from('skiSKI 10e-.o"\\/\n\t{}[],:\u017f\u212a\u0131\u0130éß\u2028\x07☃'), max_size=6)
CONTENT = st.one_of(
    TEXT,
    st.lists(st.fixed_dictionaries({"type": st.sampled_from(["text", "skis"]), "text": TEXT}), max_size=2),
    st.dictionaries(TEXT, st.one_of(TEXT, st.floats(), st.integers(), st.booleans(), st.none()), max_size=2),
    st.lists(st.one_of(st.floats(), st.integers()), max_size=2),
)
PIECES = st.sampled_from(
    ["s", "k", "i", "K", "1", "e", "-", "o", " ", ".", ".*", r"\d", r"\.", "[sk]", "?", "+", "|", "/", "skis"]
)


def dumped(event: Any, *, ascii_only: bool) -> bytes:
    return json.dumps(event, ensure_ascii=ascii_only, separators=(",", ":")).encode("utf-8", "surrogatepass")


def event(asked: Any, answered: Any, arguments: Any, message: str) -> dict[str, Any]:
    made: dict[str, Any] = orjson.loads(line("", ""))
    made["request"]["messages"][0]["content"] = asked
    call = {"function": {"name": "ski", "arguments": arguments}}
    made["response"]["choices"][0]["message"] = {"content": answered, "tool_calls": [call]}
    return made | {"error": {"message": message}}


PATTERNS = st.lists(PIECES, min_size=1, max_size=4).map("".join)


@settings(max_examples=1500, deadline=None)
@given(st.builds(event, CONTENT, CONTENT, CONTENT, TEXT), PATTERNS, st.booleans())
def test_what_matches_is_never_passed_over(said: dict[str, Any], pattern: str, ascii_only: bool):
    try:
        matches = Filter(text=pattern).matches
    except ValueError:
        return
    written = json.dumps(said, ensure_ascii=ascii_only, separators=(",", ":")).encode()
    look = glance(pattern)
    assert look is None or look(written) or not matches(parse(written))


def test_a_search_finds_what_reading_all_finds(tmp_path: Path):
    log = tmp_path / "genai.log"
    older = [line("a zebra", "yes", id="r-1"), b"{torn zebra\n", b"\n", line("no", "no", id="r-2")]
    newer = [line("no", "ZEBRAS", id="r-3").replace(b"\n", b"\r\n"), line("z", "ebra", id="r-4"), b'{"zebra": 1}\n']
    (tmp_path / "genai.log.1.gz").write_bytes(gzip.compress(b"".join(older)))
    log.write_bytes(b"".join([*newer, line("no", "zebra", id="r-5")[:-1]]))
    chosen, slow_bad, fast_bad = Filter(text="zebra"), list[bytes](), list[bytes]()
    slow = [*chosen.select(read(log, on_bad=slow_bad.append))]
    parsed = [*search(log, chosen.glance, on_bad=fast_bad.append)]
    assert ([*chosen.select(parsed)], fast_bad) == (slow, slow_bad)
    assert ([one["id"] for one in slow], [one["id"] for one in parsed]) == (
        ["r-1", "r-3", "r-5"],
        ["r-1", "r-3", "r-5"],
    )
