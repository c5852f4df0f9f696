"""gevent's greenlets in the place of threads: ours are greenlets, too, and every call is one record all the same."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter

import pytest

import flywheel_log

CALLS = """
from gevent import monkey; monkey.patch_all()
import gevent
import os
import sys

import flywheel_log
from openai import OpenAI

client = flywheel_log.instrument(OpenAI())


def ask(number):
    messages = [{"role": "user", "content": "hi"}]
    with flywheel_log.context(user_id=f"u{number}"):
        answer = client.chat.completions.create(model="gpt-4.1-mini", messages=messages, stream=number % 2 == 0)
    if number % 2 == 0:
        list(answer)


greenlets = [gevent.spawn(ask, number) for number in range(20)]
gevent.joinall(greenlets, raise_error=True)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), 9)
"""

FORKS = """
from gevent import monkey; monkey.patch_all()
import gevent
import os
import sys

import flywheel_log


@flywheel_log.logged_llm
def model(user_id):
    return "here"


def calls(name, count):
    for number in range(count):
        with flywheel_log.context(user_id=f"{name}{number}"):
            model(name)


calls("first", 5)
gevent.sleep(0.3)  # The greenlets of the parent's delivery are under way.
calls("parent", 20)
children = []
for child in range(2):
    process = os.fork()
    if process == 0:
        calls(f"child{child}-", 5)
        gevent.sleep(1.5)
        calls(f"late{child}-", 5)
        sys.exit(flywheel_log.flush(10))
    children.append(process)
calls("after", 5)
sys.exit(sum(os.waitpid(process, 0)[1] for process in children))
"""


def run(program: str, *arguments: str) -> int:
    return subprocess.run([sys.executable, "-c", program, *arguments], timeout=60, check=False).returncode


def users() -> Counter[str | None]:
    return Counter(event.get("user_id") for event in flywheel_log.read("genai.log"))


@pytest.mark.usefixtures("openai_environment")
@pytest.mark.parametrize(("end", "status"), [("ended", 0), ("killed", -signal.SIGKILL)])
def test_calls_in_greenlets_keep_their_context_and_outlive_their_process(end: str, status: int) -> None:
    assert run(CALLS, end) == status
    assert run("from flywheel_log.__main__ import main; main()", "drain") == 0
    assert users() == Counter(f"u{number}" for number in range(20))


def test_a_fork_beside_our_greenlets_loses_nothing_and_repeats_nothing() -> None:
    """In the child all of the parent's greenlets go on, where threads would be gone."""
    assert run(FORKS) == 0
    assert run("from flywheel_log.__main__ import main; main()", "drain") == 0
    names = {"first": 5, "parent": 20, "after": 5, "child0-": 5, "child1-": 5, "late0-": 5, "late1-": 5}
    assert users() == Counter(f"{name}{number}" for name, count in names.items() for number in range(count))
    pids = {event["id"].partition("-")[0]: event["infrastructure"]["pid"] for event in flywheel_log.read("genai.log")}
    assert len(set(pids.values())) == len(pids) == 3
