"""Properties of event streams: however a stream is cut, joined and framed, it amounts to the same response."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_log.capture.streams import sse
from flywheel_log.capture.streams.tap import Tap
from flywheel_log.capture.streams.tape import Tape
from flywheel_log.capture.surfaces import surface_named

CHAT = surface_named("chat.completions")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PIECES = st.lists(TEXTS, min_size=1, max_size=6)


class Answer:
    def __init__(self, chunks: list[bytes]) -> None:
        self.headers = {"content-type": "text/event-stream"}
        self.chunks = chunks

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        yield from self.chunks

    aiter_bytes = close = aclose = iter_bytes


def chunk(delta: dict[str, Any], index: int = 0, finish: str | None = None) -> dict[str, Any]:
    return {"id": "c", "model": "m", "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The chunks of a stream, and the response they must amount to."""
    chunks: list[dict[str, Any]] = []
    choices = []
    for index in range(draw(st.integers(1, 2))):
        pieces, arguments = draw(PIECES), draw(st.one_of(st.none(), PIECES))
        mine = [chunk({"role": "assistant", "content": ""}, index)]
        mine += [chunk({"content": piece}, index) for piece in pieces]
        message: dict[str, Any] = {"role": "assistant", "content": "".join(pieces)}
        if arguments is not None:
            opening = {"index": 0, "id": "call", "type": "function", "function": {"name": "f", "arguments": ""}}
            mine.append(chunk({"tool_calls": [opening]}, index))
            mine += [
                chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}, index) for piece in arguments
            ]
            function = {"name": "f", "arguments": "".join(arguments)}
            message["tool_calls"] = [{"type": "function", "id": "call", "function": function}]
        mine.append(chunk({}, index, "stop"))
        choices.append({"index": index, "message": message, "finish_reason": "stop"})
        at = draw(st.integers(0, len(chunks)))
        chunks = [*chunks[:at], *mine, *chunks[at:]]
    return chunks, {"id": "c", "model": "m", "object": "chat.completion", "choices": choices}


def framed(chunks: list[dict[str, Any]], end: str, *, compact: bool) -> bytes:
    separators = (",", ":") if compact else (", ", ": ")
    lines = [json.dumps(one, separators=separators, ensure_ascii=compact) for one in chunks]
    return "".join(f"data: {line}{end}{end}" for line in [*lines, "[DONE]"]).encode()


def read(chunks: list[bytes], *, hide_usage: bool = False) -> tuple[bytes, list[bytes]]:
    """What a caller sees of the network's *chunks*, and the payloads that were kept."""
    tape = Tape(CHAT, 0.0, hide_usage=hide_usage)
    answer = Answer(chunks)
    Tap(answer, tape, lambda _: None)
    return b"".join(answer.iter_bytes()), tape.payloads()


def folded(payloads: list[bytes]) -> Any:
    return CHAT.assemble([json.loads(payload) for payload in payloads if payload != sse.DONE])


@given(streams(), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.data())
def test_any_split_of_a_response_gives_the_response(
    stream: tuple[Any, Any], end: str, compact: bool, hide: bool, data: st.DataObject
) -> None:
    chunks, response = stream
    raw = framed(chunks, end, compact=compact)
    places = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=20)))
    cut = [raw[a:b] for a, b in zip([0, *places], [*places, len(raw)], strict=True) if a < b]
    passed, payloads = read(cut, hide_usage=hide)
    assert (passed, folded(payloads)) == (raw, response)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("hide", [False, True])
def test_a_stream_may_be_cut_at_every_byte(end: str, hide: bool) -> None:
    chunks = [chunk({"role": "assistant", "content": ""}), chunk({"content": 'a "é"\n'}), chunk({}, 0, "stop")]
    raw = framed(chunks, end, compact=False)
    expected = folded(read([raw])[1])
    assert expected["choices"][0]["message"]["content"] == 'a "é"\n'
    for at in range(1, len(raw)):
        passed, payloads = read([raw[:at], raw[at:]], hide_usage=hide)
        assert (passed, folded(payloads)) == (raw, expected)
    passed, payloads = read([raw[at : at + 1] for at in range(len(raw))], hide_usage=hide)
    assert (passed, folded(payloads)) == (raw, expected)


@given(streams(), st.booleans())
def test_joined_runs_amount_to_the_same_as_the_single_events(stream: tuple[Any, Any], compact: bool) -> None:
    events = sse.events(framed(stream[0], "\n", compact=compact))
    joined = sse.payloads(events, CHAT)
    single = [event.removeprefix(b"data: ") for event in events if event]
    assert folded(joined) == folded(single)


FRAMES = {
    "comments": b': ping\n\ndata: {"a": 1}\n\n: ping\n\n',
    "other fields": b'id: 7\nevent: message\nretry: 9\ndata: {"a": 1}\n\n',
    "data over lines": b'data: {"a":\ndata:  1}\n\n',
    "no space": b'data:{"a": 1}\n\n',
    "a byte more of white space": b'\n\n\ndata: {"a": 1}\n\n\n\n',
    "carriage returns": b'data: {"a": 1}\r\r',
}


@pytest.mark.parametrize("kind", FRAMES)
def test_an_event_is_read_as_the_standard_says(kind: str) -> None:
    payloads = sse.payloads(sse.events(FRAMES[kind]), CHAT)
    assert [json.loads(payload) for payload in payloads] == [{"a": 1}]


def test_padding_is_dropped_so_that_runs_can_be_joined() -> None:
    def padded(text: str, padding: str) -> bytes:
        one = chunk({"content": text}) | {"obfuscation": padding}
        return b"data: " + json.dumps(one, separators=(",", ":")).encode()

    payloads = sse.payloads([padded("a", "x1"), padded("b", "yy2"), padded("c", "")], CHAT)
    assert [json.loads(payload) for payload in payloads] == [chunk({"content": "abc"})]


def test_a_run_ends_where_anything_but_the_text_differs() -> None:
    def event(**more: Any) -> bytes:
        return b"data: " + json.dumps(chunk({"content": "x"}) | more, separators=(",", ":")).encode()

    payloads = sse.payloads([event(), event(), event(usage={"n": 1}), event(usage={"n": 2})], CHAT)
    assert len(payloads) == 3


@pytest.mark.parametrize("size", [3, 64, 4096])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_stream_that_is_read_in_chunks_of_a_size_shows_all_but_the_usage_nobody_asked_for(
    size: int, end: str
) -> None:
    said = [chunk({"role": "assistant", "content": "he"}), chunk({"content": "llo"}), chunk({}, 0, "stop")]
    usage = chunk({}) | {"choices": [], "usage": {"prompt_tokens": 1}}
    tape, wanted = Tape(CHAT, 0.0, hide_usage=True), framed(said, end, compact=True)
    *events, done = wanted.split(f"{end}{end}".encode())[:-1]
    hidden = b"data: " + json.dumps(usage).encode()
    raw = b"".join(part + f"{end}{end}".encode() for part in [*events, hidden, done])
    answer = Answer([raw[:50], raw[50:]])
    Tap(answer, tape, lambda _: None)
    pieces = list(answer.iter_bytes(size))
    assert (b"".join(pieces), {len(piece) for piece in pieces[:-1]} <= {size}) == (wanted, True)
    assert folded(tape.payloads())["usage"] == {"prompt_tokens": 1}


WORDS = [b"a", b'\\"', b"\\\\", b"error", b'"error":{', b'"usage":{}', b"\n\n", b"\n", b"\xc3\xa9", b"}", b'","x":"']


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=4), min_size=1, max_size=12), st.booleans())
def test_what_is_taken_is_one_event_without_an_error_or_a_usage(texts: list[list[bytes]], hide: bool) -> None:
    tape = Tape(CHAT, 0.0, hide_usage=hide)
    for text in map(b"".join, texts):
        one = b'data: {"choices":[{"delta":{"content":"' + text + b'"}}]}\n\n'
        if (shown := tape.take(one)) is not None:
            assert one.index(b"\n\n") == len(one) - 2
            assert not re.search(rb'"error"\s*:', one)
            assert not (hide and re.search(rb'"usage"\s*:', shown))


def test_an_event_is_taken_unless_it_is_not_alone_or_says_more_than_the_caller_may_see() -> None:
    def event(text: str, **more: Any) -> bytes:
        return f"data: {json.dumps(chunk({'content': text}) | more, separators=(',', ':'))}\n\n".encode()

    tape = Tape(CHAT, 0.0, hide_usage=True)
    plain = [event(text) for text in ("a", "b", "", 'say "c"', "d\n\n")]
    assert [tape.take(one) for one in plain] == plain
    assert tape.take(event("e", usage=None)) == event("e")
    assert tape.take(event("e") + event("f")) is None
    assert tape.take(event("e", error={"message": "no"})) is None
    assert tape.take(event("e", usage={"prompt_tokens": 1})) is None
    assert tape.take(event("e")[:-1]) is None


def test_events_that_differ_in_their_text_only_are_run_together_and_nothing_else_is() -> None:
    plain = ["a", "b", "", 'say "c"', "d\n\n", "e", "f"]
    other = chunk({"content": "x"}) | {"id": "another"}
    said = [*(chunk({"content": text}) for text in plain), other, chunk({"content": "g"})]
    chunks = [f"data: {json.dumps(one)}\n\n".encode() for one in said]
    tape, answer = Tape(CHAT, 0.0), Answer(chunks)
    Tap(answer, tape, lambda _: None)
    assert list(answer.iter_bytes()) == chunks
    assert folded(tape.payloads())["choices"][0]["message"]["content"] == "".join([*plain, "x", "g"])
    assert len(tape.payloads()) < len(chunks)


@pytest.mark.parametrize("padding", [{}, {"obfuscation": "aX"}])
def test_quotation_marks_in_a_text_do_not_end_a_run(padding: dict[str, str]) -> None:
    def event(arguments: str) -> bytes:
        said = chunk({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]}) | padding
        return b"data: " + json.dumps(said).encode() + b"\n\n"

    texts = ["{", '"city"', ': "Ulm', "\\n", '\\"', "é😀", '"}\n']
    tape = Tape(CHAT, 0.0)
    answer = Answer([*map(event, texts)])
    Tap(answer, tape, lambda _: None)
    assert list(answer.iter_bytes()) == [*map(event, texts)]
    assert tape.run == [json.dumps(text)[1:-1].encode() for text in texts]
    [called] = folded(tape.payloads())["choices"][0]["message"]["tool_calls"]
    assert called["function"]["arguments"] == "".join(texts)


@pytest.mark.parametrize("hide", [False, True])
@pytest.mark.parametrize("cut", [False, True])
def test_a_character_whose_halves_stand_in_two_events_is_one(hide: bool, cut: bool) -> None:
    head = f"data: {json.dumps(chunk({'content': ''}))[:-3]}".partition('"content": "')[0] + '"content": "'
    tail = '"}, "finish_reason": null}]}\n\n'
    events = [f"{head}{text}{tail}".encode() for text in ("a", "\\ud83d", "\\ude00", "b")]
    if cut:  # So that no event comes by itself.
        raw = b"".join(events)
        events = [raw[at : at + 100] for at in range(0, len(raw), 100)]
    tape = Tape(CHAT, 0.0, hide_usage=hide)
    answer = Answer(events)
    Tap(answer, tape, lambda _: None)
    b"".join(answer.iter_bytes())
    assert folded(tape.payloads())["choices"][0]["message"]["content"] == "a😀b"


def test_what_adds_up_in_one_stream_does_so_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(stream: str, created: int) -> Any:
        tape = Tape(CHAT, 0.0)
        said = [{"id": stream, "created": created} | chunk({"content": text}) | {"id": stream} for text in ("a", "b")]
        answer = Answer([f"data: {json.dumps(one, separators=(',', ':'))}\n\n".encode() for one in said])
        Tap(answer, tape, lambda _: None)
        [*answer.iter_bytes()]
        [payload] = tape.payloads()
        return json.loads(payload)

    def joined(stream: str, created: int) -> dict[str, Any]:
        return chunk({"content": "ab"}) | {"id": stream, "created": created}

    assert taken("chatcmpl-1", 1_750_000_000) == joined("chatcmpl-1", 1_750_000_000)
    monkeypatch.setattr(sse, "loads", lambda _: pytest.fail("looked at once more"))
    assert taken("chatcmpl-2", 1_750_000_001) == joined("chatcmpl-2", 1_750_000_001)


LOGPROBS = {"content": [{"token": "ha", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}
SAYS_MORE: dict[str, Any] = {
    "two fields of a delta": lambda text: chunk({"content": "", "reasoning": text}),
    "a refusal behind": lambda text: chunk({"content": text, "refusal": "r"}),
    "a refusal in front": lambda text: chunk({"refusal": "r", "content": text}),
    "two choices": lambda text: (
        chunk({"content": text})
        | {"choices": [{"index": index, "delta": {"content": text}, "finish_reason": None} for index in (0, 1)]}
    ),
    "two calls": lambda text: chunk(
        {"tool_calls": [{"index": index, "function": {"arguments": text}} for index in (0, 1)]}
    ),
    "probabilities": lambda text: (
        chunk({"content": text})
        | {"choices": [{"index": 0, "delta": {"content": text}, "logprobs": LOGPROBS, "finish_reason": None}]}
    ),
    "details": lambda text: chunk({"content": "", "reasoning_details": [{"text": text}]}),
}


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=4), min_size=1, max_size=12), st.booleans())
def test_what_is_run_together_has_neither_an_error_nor_a_usage(texts: list[list[bytes]], hide: bool) -> None:
    tape = Tape(CHAT, 0.0, hide_usage=hide)
    events = [b'data: {"choices":[{"delta":{"content":"' + b"".join(text) + b'"}}]}\n\n' for text in texts]
    answer = Answer(events)
    Tap(answer, tape, lambda _: None)
    for _ in answer.iter_bytes():
        head, seam, end, _, skip, _ = tape.alike
        for event in (head + text + seam[:skip] + end for text in tape.run):
            assert not re.search(rb'"error"\s*:', event)
            assert not (hide and re.search(rb'"usage"\s*:', event))


PADDINGS = ["", "x", "Ab3", "", 'a"b', "q", "7\\"]


@pytest.mark.parametrize("padding", [None, *PADDINGS])
@pytest.mark.parametrize("hide", [False, True])
def test_events_as_openai_pads_them_are_run_together_and_the_usage_in_them_is_hidden(
    padding: str | None, hide: bool
) -> None:
    def event(text: str, padding: str | None, **more: Any) -> bytes:
        padded = {} if padding is None else {"obfuscation": padding}
        said = chunk({"content": text}) | more | padded
        return b"data: " + json.dumps(said, separators=(",", ":")).encode() + b"\n\n"

    texts = ["say ", "a", "", "b", "c", 'd "e"', "f"]
    paddings = PADDINGS if padding is None else [padding] * len(texts)
    tape = Tape(CHAT, 0.0, hide_usage=hide)
    answer = Answer([event(*both, usage=None) for both in zip(texts, paddings, strict=True)])
    Tap(answer, tape, lambda _: None)
    seen = {} if hide else {"usage": None}
    read = iter(answer.iter_bytes())
    assert [next(read) for _ in range(2)] == [event(*both, **seen) for both in zip(texts, paddings[:2], strict=False)]
    assert tape.run == [b"say ", b"a"]
    assert list(read) == [event(*both, **seen) for both in [*zip(texts, paddings, strict=True)][2:]]
    assert folded(tape.payloads())["choices"][0]["message"]["content"] == "".join(texts)
    assert len(tape.payloads()) < len(texts)


@pytest.mark.parametrize("says", SAYS_MORE.values(), ids=SAYS_MORE)
@pytest.mark.parametrize("together", [False, True])
def test_events_that_say_more_than_one_text_are_kept_one_by_one(says: Any, together: bool) -> None:
    said = [says(text) for text in ("ha", "ha", "ha", "ha", "!")]
    chunks = [f"data: {json.dumps(one)}\n\n".encode() for one in said]
    tape, answer = Tape(CHAT, 0.0), Answer([b"".join(chunks)] if together else chunks)
    Tap(answer, tape, lambda _: None)
    assert b"".join(answer.iter_bytes()) == b"".join(chunks)
    assert folded(tape.payloads()) == CHAT.assemble(said)


def test_a_stream_that_is_cut_off_in_its_padding_keeps_what_came_before() -> None:
    def padded(text: str) -> bytes:
        return b"data: " + json.dumps(chunk({"content": text}) | {"obfuscation": "x1"}, separators=(",", ":")).encode()

    payloads = sse.payloads([padded("a"), padded("b"), padded("c")[:-3]], CHAT)
    assert json.loads(payloads[0]) == chunk({"content": "ab"})


def test_a_lesson_that_fails_keeps_an_event_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tape = Tape(CHAT, 0.0)
    with monkeypatch.context() as broken:
        broken.setattr(sse, "run", lambda *_: 1 / 0)
        assert tape.take(f"data: {json.dumps(chunk({'content': 'a'}))}\n\n".encode())
    assert len(tape.payloads()) == 1


def test_what_the_last_event_sums_up_is_not_put_together_once_more() -> None:
    responses = surface_named("responses")

    def event(said: dict[str, Any]) -> bytes:
        return f"event: {said['type']}\ndata: {json.dumps(said)}\n\n".encode()

    quoted = 'data: {"type":"response.completed"}'
    deltas = [{"type": "response.output_text.delta", "output_index": 0, "delta": text} for text in ("a", quoted)]
    summary = {"type": "response.completed", "response": {"status": "completed", "output": [{"text": "all"}]}}
    done = b"data: [DONE]\n\n"
    for stream in ([summary], [*deltas, summary]):
        for end in ([], [done], [b"", b""]):
            assert sse.payloads([*map(event, stream), *end], responses) == [json.dumps(summary).encode()]
    [left_early] = sse.payloads([*map(event, deltas)], responses)
    assert json.loads(left_early) == {**deltas[0], "delta": "a" + quoted}
