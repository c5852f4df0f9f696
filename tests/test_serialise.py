"""Whatever the caller put into an event, it becomes one line that every parser reads."""

import base64
import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import pathlib
import threading
import uuid

import numpy as np
import orjson
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_log.event import Wire
from flywheel_log.health import health
from flywheel_log.serialise import dumps


class Colour(enum.Enum):
    RED = "red"


class Model(pydantic.BaseModel):
    name: str


@dataclasses.dataclass
class Point:
    x: int


class Hostile:
    def __repr__(self):
        raise RuntimeError("no")


KNOWN = [
    ("text", "text"),
    (2**63, 2**63),
    (math.nan, None),
    (math.inf, None),
    (b"bytes", "bytes"),
    (b"\xff\x00", base64.b64encode(b"\xff\x00").decode()),
    ({3, 1, 2}, [1, 2, 3]),
    ((1, 2), [1, 2]),
    (decimal.Decimal("1.10"), "1.10"),
    (pathlib.Path("/tmp/a"), "/tmp/a"),
    (dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), "2026-01-02T03:04:00+00:00"),
    (dt.date(2026, 1, 2), "2026-01-02"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Colour.RED, "red"),
    (Model(name="a"), {"name": "a"}),
    (Point(1), {"x": 1}),
    (Model, repr(Model)),
    (Hostile(), f"<{__name__}.Hostile>"),
]


@pytest.mark.parametrize(("value", "expected"), KNOWN, ids=lambda value: type(value).__name__)
def test_python_values_become_their_nearest_json(value, expected):
    assert orjson.loads(dumps({"kind": "step", "value": value})) == {"kind": "step", "value": expected}


@pytest.mark.parametrize(("value", "expected"), KNOWN, ids=lambda value: type(value).__name__)
def test_they_become_the_same_beside_a_value_that_orjson_refuses(value, expected):
    line = dumps({"kind": "step", "value": value, "refused": {1: "int key"}})
    assert orjson.loads(line) == {"kind": "step", "value": expected, "refused": {"1": "int key"}}


@pytest.mark.parametrize(
    "raw",
    [b'{"model":"m"}', b'{ "model": "m", "text": "a NaN and an Infinity" }', b"[1,2]"],
    ids=["plain", "words", "array"],
)
def test_sound_wire_bytes_go_through_untouched(raw):
    assert dumps({"request": Wire(raw)}) == b'{"request":%s}' % raw


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a":\n1}', {"a": 1}),
        (b'{"a":\r\n1}', {"a": 1}),
        (b'{"temperature": NaN}', {"temperature": None}),
        (b'{"logprob":-Infinity}', {"logprob": None}),
        (b'{"text":"%s","x":NaN}' % (b"N" * 1000), {"text": "N" * 1000, "x": None}),
        (b'  {"a":1}', {"a": 1}),
        (b"<html>", "<html>"),
        (b"\x00\xff", "\x00\ufffd"),
        (b"", ""),
    ],
)
def test_wire_bytes_that_would_break_the_line_are_parsed(raw, expected):
    line = dumps({"request": Wire(raw)})
    assert orjson.loads(line) == {"request": expected}
    assert b"\n" not in line


def test_lone_surrogates_become_visible():
    assert orjson.loads(dumps({"text": "a\ud800b"})) == {"text": "a\\ud800b"}


def test_cycles_and_depth_are_cut():
    cycle = {"name": "loop"}
    cycle["self"] = cycle
    assert orjson.loads(dumps({"kind": "step", "cycle": cycle})) == {
        "kind": "step",
        "cycle": {"name": "loop", "self": "<dict>"},
    }
    deep = []
    for _ in range(5000):
        deep = [deep]
    assert orjson.loads(dumps({"kind": "step", "deep": deep}))["kind"] == "step"


def test_keys_that_json_does_not_know_become_text():
    assert orjson.loads(dumps({"kind": "step", "table": {(1, 2): "tuple", None: 0}})) == {
        "kind": "step",
        "table": {"(1, 2)": "tuple", "None": 0},
    }


def test_a_number_without_end_is_named():
    assert orjson.loads(dumps({"n": 10**5000})) == {"n": "<integer of 16610 bits>"}


def test_arrays_become_lists_and_large_ones_their_shape() -> None:
    arrays = {
        "vector": np.array([0.5, 1.5], np.float32),
        "columns": np.arange(6).reshape(2, 3).T,
        "number": np.float32(0.5),
        "image": np.zeros((1080, 1920, 3), np.uint8),
        "models": [np.zeros((200, 200))],
    }
    assert json.loads(dumps(arrays)) == {
        "vector": [0.5, 1.5],
        "columns": [[0, 3], [1, 4], [2, 5]],
        "number": 0.5,
        "image": "<ndarray (1080, 1920, 3) uint8>",
        "models": ["<ndarray (200, 200) float64>"],
    }


def test_locks_and_clients_become_their_repr():
    lock = threading.Lock()
    assert orjson.loads(dumps({"lock": lock})) == {"lock": repr(lock)}


def test_what_defeats_everything_keeps_its_scalar_fields_and_is_counted():
    class Trap(dict):
        def items(self):
            raise RuntimeError("no")

    event = {"id": "r-1", "kind": "step", "bad": Trap({1: 1, (): 2})}
    assert orjson.loads(dumps(event)) == {"id": "r-1", "kind": "step", "unserialisable": repr(event)}
    assert health.dropped() == {"unserialisable": 1}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.sets(st.integers()) | st.tuples(inner)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values))
def test_any_payload_is_one_line_that_every_parser_reads(payload):
    line = dumps({"kind": "step", **payload})
    assert b"\n" not in line
    assert b"\0" not in line
    assert line.startswith(b'{"')
    assert json.loads(line).keys() == orjson.loads(line).keys()


@given(json_values)
def test_any_json_that_was_on_the_wire_means_the_same_in_the_line(value):
    raw = json.dumps({"body": value}, default=repr).encode()
    expected = json.loads(raw, parse_constant=lambda name: None)
    actual = json.loads(dumps({"request": Wire(raw)}))
    assert actual == {"request": expected}
