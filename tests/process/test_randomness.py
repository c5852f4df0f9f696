"""Random numbers of our own: a program's are its own."""

from __future__ import annotations

import os
import random

import flywheel_log
from flywheel_log import testing
from flywheel_log.process.randomness import rng


def test_what_is_sampled_depends_on_no_numbers_of_the_programs_nor_uses_them_up() -> None:
    @flywheel_log.logged_llm
    def say(text: str) -> str:
        return text

    drawn = []
    with testing.recording(sample=0.5, sample_first=0) as events:
        for _ in range(100):
            random.seed(7)
            say("hello")
            drawn.append(random.random())
    assert (set(drawn), 20 < len(events) < 80) == ({random.Random(7).random()}, True)


def test_a_forked_child_draws_other_numbers_than_its_parent() -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, repr(rng.random()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, 32).decode()
    os.close(read)
    os.close(write)
    assert repr(rng.random()) != theirs
