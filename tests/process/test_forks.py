"""A process that forks while a thread of ours imports something has children that can import it, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SLOW = """
import threading, time
threading.main_thread().begun.set()
time.sleep(0.5)
VALUE = 1
"""
FORKS = """
import os, sys, threading
import flywheel_log.delivery
from flywheel_log.process import forks as module
from flywheel_log.process.forks import loading

module.PATIENCE_S = float(sys.argv[2])

sys.path.insert(0, sys.argv[1])
begun = threading.main_thread().begun = threading.Event()

def load():
    with loading():
        import slow

threading.Thread(target=load).start()
begun.wait()
child = os.fork()
if child == 0:
    import slow
    os._exit(slow.VALUE if __name__ in sys.modules else 2)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
PRICES = """
import sys
from flywheel_log.pipeline import price

price._list()
before = set(sys.modules)
prices = price.Prices({})
for details in ({}, {"prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 2}}):
    for model, provider in (("gpt-audio", "openai"), ("claude-sonnet-4-5", "anthropic"), ("unknown", "nobody")):
        response = {"model": model, "usage": details, "service_tier": "flex"}
        call = {"input_tokens": 300_000, "output_tokens": 20, "cached_tokens": 5, "response": response}
        prices({"timestamp": "2026-11-02T03:04:05.000Z", "kind": "llm", "provider": provider, "model": model, **call})
print(sorted(set(sys.modules) - before))
"""
IN_A_LOADING_THREAD = """
import os, threading
import flywheel_log.delivery
from flywheel_log.process.forks import loading

def fork():
    with loading():
        child = os.fork()
        if child == 0:
            with loading():
                os._exit(1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

thread = threading.Thread(target=fork)
thread.start()
thread.join()
with loading():
    pass
"""


def printed(program: str, *arguments: str) -> str:
    run = [sys.executable, "-c", program, *arguments]
    return subprocess.run(run, capture_output=True, text=True, timeout=30, check=True).stdout.strip()


@pytest.mark.parametrize("patience", [60.0, 0.0], ids=["waited for", "takes longer than a fork waits"])
def test_a_child_imports_what_a_thread_was_importing_when_it_was_born(tmp_path: Path, patience: float) -> None:
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    assert printed(FORKS, str(tmp_path), str(patience)) == "1"


def test_a_module_that_forks_while_it_is_imported_stays_the_childs_own(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    (tmp_path / "forks.py").write_text(FORKS, encoding="utf-8")
    assert printed("import sys; sys.path.insert(0, sys.argv[1]); import forks", str(tmp_path), "0") == "1"


def test_what_is_imported_may_fork() -> None:
    assert printed(IN_A_LOADING_THREAD) == "1"


def test_a_price_loads_nothing_that_was_not_loaded_with_the_list() -> None:
    """The list loads itself when it is first asked, in a thread of ours; a fork must wait for that, too."""
    assert printed(PRICES) == "[]"


FIRST_CALL = """
import os, sys, threading
import flywheel_log

@flywheel_log.logged_llm
def ask():
    return "answer"

class Pausing:
    def find_spec(self, name, path, target=None):
        if name == "flywheel_log.config" and threading.current_thread() is caller:
            begun.set()
            waiting.wait(0.5)

sys.meta_path.insert(0, Pausing())
begun, waiting = threading.Event(), threading.Event()
caller = threading.Thread(target=ask)
caller.start()
begun.wait()
child = os.fork()
if child == 0:
    ask()
    os._exit(flywheel_log.flush(20.0))
caller.join()
flywheel_log.shutdown(20.0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), open("genai.log").read().count('"llm"'))
"""


def test_a_process_may_fork_while_a_thread_makes_its_first_call() -> None:
    assert printed(FIRST_CALL) == "0 2"


CONFIGURES = """
import os, threading

def inside():
    thread.start()
    thread.join(0.5)
    flywheel_log.shutdown(0.0)

os.register_at_fork(after_in_parent=inside)
import flywheel_log

flywheel_log.configure()
thread = threading.Thread(target=flywheel_log.configure)
child = os.fork()
if child == 0:
    os._exit(0)
thread.join()
print(os.waitpid(child, 0)[1])
"""


def test_a_handler_may_shut_down_in_a_fork_that_a_thread_waits_for_to_configure() -> None:
    assert printed(CONFIGURES) == "0"


IN_A_PUT = """
import os, signal, sys, threading
import flywheel_log
from flywheel_log.delivery.segments import Segment

@flywheel_log.logged_llm
def ask(what):
    return what

def fork():
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)

def another():
    inside.wait()
    eval(sys.argv[1])

def handle(*_):
    inside.set()
    thread.join(0.5)
    eval(sys.argv[2])

def interrupted(segment, *line):
    Segment.append = append
    signal.raise_signal(signal.SIGUSR1)
    append(segment, *line)

configure, shutdown, inside = flywheel_log.configure, lambda: flywheel_log.shutdown(0.0), threading.Event()
configure()
ask("first")
signal.signal(signal.SIGUSR1, handle)
thread = threading.Thread(target=another)
thread.start()
append, Segment.append = Segment.append, interrupted
ask("second")
thread.join()
print(flywheel_log.stats()["dropped"])
"""


@pytest.mark.parametrize("another", ["fork()", "configure()"])
@pytest.mark.parametrize("handler", ["shutdown()", "configure()"])
def test_a_handler_inside_a_put_does_not_wait_for_who_waits_for_the_put(another: str, handler: str) -> None:
    assert printed(IN_A_PUT, another, handler) == "{}"


NOT_READY = """
import os

def inside():
    ask("before what this child has from its parent is put away, as a finaliser may")

os.register_at_fork(after_in_child=inside)
import flywheel_log
from flywheel_log import recorder

@flywheel_log.logged_llm
def ask(what):
    return what

ask("first")
journal = recorder.current()._delivery._crew.journal
child = os.fork()
if child == 0:
    os._exit(journal.accepted)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_what_records_in_a_child_that_is_not_ready_yet_does_not_write_into_the_journal_of_its_parent() -> None:
    assert printed(NOT_READY) == "1"


CONFIGURED_IN_A_CHILD = """
import os

os.register_at_fork(after_in_child=lambda: flywheel_log.configure(sinks=["file:child.log"]))
import flywheel_log

@flywheel_log.logged_llm
def ask(what):
    return what

ask("in the parent")
child = os.fork()
if child == 0:
    ask("in the child")
    os._exit(flywheel_log.flush(20.0))
ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
flywheel_log.shutdown(20.0)
print(ended, [open(name).read().count('"llm"') for name in ("genai.log", "child.log")])
"""


def test_what_a_child_is_told_to_do_before_it_is_ready_is_done_then() -> None:
    assert printed(CONFIGURED_IN_A_CHILD) == "0 [1, 1]"


FORKS_IN_A_PUT = """
import os, signal
import flywheel_log
from flywheel_log.delivery.segments import Segment

@flywheel_log.logged_llm
def ask(what):
    return what

def handle(*_):
    if (child := os.fork()) == 0:
        ask("in the child")
        os._exit(flywheel_log.flush(20.0))
    ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

def interrupted(segment, *line):
    Segment.append = append
    signal.raise_signal(signal.SIGUSR1)
    append(segment, *line)

ended = []
ask("first")
signal.signal(signal.SIGUSR1, handle)
append, Segment.append = Segment.append, interrupted
ask("second")
flywheel_log.shutdown(20.0)
print(ended, open("genai.log").read().count('"llm"'))
"""


def test_a_child_that_a_handler_forks_inside_a_put_records() -> None:
    assert printed(FORKS_IN_A_PUT) == "[0] 3"
