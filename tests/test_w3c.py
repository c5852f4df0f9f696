"""Trace ids and the header `traceparent`, as the standard has them."""

from __future__ import annotations

import os
import random

import pytest

from flywheel_log import w3c
from flywheel_log.w3c import Parent

PARENT = Parent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
HEADER = f"00-{PARENT.trace_id}-{PARENT.span_id}-01"


@pytest.mark.parametrize("header", [HEADER, f" {HEADER} ", HEADER[:-1] + "0", f"01{HEADER[2:]}-more"])
def test_a_header_names_the_parent(header: str) -> None:
    assert w3c.parsed(header) == PARENT


@pytest.mark.parametrize(
    "header",
    [
        "",
        HEADER.upper(),
        HEADER[:-3],
        f"ff{HEADER[2:]}",
        f"{HEADER}-more",
        HEADER.replace(PARENT.trace_id, "0" * 32),
        HEADER.replace(PARENT.span_id, "0" * 16),
    ],
)
def test_what_breaks_the_standard_names_nobody(header: str) -> None:
    assert w3c.parsed(header) is None


def test_a_header_that_is_written_is_read_back() -> None:
    assert w3c.parsed(w3c.traceparent(*PARENT)) == PARENT


def test_ids_do_not_repeat_where_a_program_seeds_its_randomness() -> None:
    drawn = set()
    for _ in range(2):
        random.seed(1)
        drawn |= {w3c.new_trace_id(), w3c.new_span_id()}
    assert [len(one) for one in sorted(drawn, key=len)] == [16, 16, 32, 32]


def test_a_forked_child_draws_other_ids_than_its_parent() -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, w3c.new_trace_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, 32).decode()
    os.close(read)
    os.close(write)
    assert w3c.new_trace_id() != theirs
