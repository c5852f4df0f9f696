"""The road as a whole: what is recorded, under which names, and what happens when a step of it fails."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import openai
import pytest

import flywheel_log
from flywheel_log import config, delivery, recorder
from flywheel_log.enrichment import Enrichment, priced, settled
from flywheel_log.event import Event, Wire
from flywheel_log.health import health
from flywheel_log.meter import meter
from flywheel_log.serialise import dumps
from flywheel_log.testing import recording
from tests.delivery.turns import with_a_turn

EVENT: Any = {
    "timestamp": "2026-01-01T00:00:00.000Z",
    "kind": "llm",
    "status": "ok",
    "request": {"messages": ["secret"]},
}


def test_whoever_knows_the_caller_best_names_it() -> None:
    with recording(client_id="app", workload_id="default") as events:
        recorder.record({**EVENT})
        recorder.record({**EVENT, "workload_id": "task", "client_id": "tenant"})
    assert [(event["client_id"], event["workload_id"]) for event in events] == [("app", "default"), ("tenant", "task")]


def failing(_: Any, __: str, event: Event) -> Event:
    raise LookupError(event["request"])


def test_a_processor_that_fails_costs_the_content_and_not_the_event(caplog: pytest.LogCaptureFixture) -> None:
    with recording(processors=[failing]) as events:
        recorder.record({**EVENT})
    (event,) = events
    assert (event["kind"], event["status"], "secret" in str(event), "secret" in caplog.text) == (
        "llm",
        "ok",
        False,
        False,
    )
    assert health.dropped() == {"processor": 1}


def test_a_processor_may_drop_an_event() -> None:
    import structlog

    def drop(_: Any, __: str, event: Event) -> Event:
        raise structlog.DropEvent

    with recording(processors=[drop]) as events:
        recorder.record({**EVENT})
    assert (events, health.dropped()) == ([], {})


def test_processors_see_plain_json(openai_environment: Any) -> None:
    kinds: list[Any] = []

    def look(_: Any, __: str, event: Event) -> Event:
        kinds.append(type(event["request"]))
        event["request"]["messages"] = []
        return event

    with recording(processors=[look]) as events, flywheel_log.instrument(openai.OpenAI()) as client:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    assert (kinds, events[0]["request"]) == ([dict], {"model": "m", "messages": []})


def test_what_a_processor_changes_is_of_this_event_only(openai_environment: Any) -> None:
    def add(_: Any, __: str, event: Event) -> Event:
        event["tags"].append("seen")
        event["metadata"]["seen"] = True
        return event

    with (
        recording(processors=[add]) as events,
        flywheel_log.context(metadata={"plan": "pro"}),
        flywheel_log.instrument(openai.OpenAI(), tags=["base"]) as client,
    ):
        for _ in range(2):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    found = [(event["tags"], event["metadata"]) for event in events]
    assert found == [(["base", "seen"], {"plan": "pro", "seen": True})] * 2


def test_without_content_only_numbers_and_names_are_left(openai_environment: Any) -> None:
    with recording(content="off") as events, flywheel_log.instrument(openai.OpenAI()) as client:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a private matter"}])
    (event,) = events
    assert ("private" in str(event), event["request"], event["input_tokens"] > 0) == (False, {"model": "m"}, True)


def test_a_disabled_recorder_records_nothing() -> None:
    with recording(disabled=True) as events:
        recorder.record({**EVENT})
    assert events == []


def test_structlog_of_the_application_is_left_alone() -> None:
    import structlog

    before = structlog.get_config()
    with recording():
        recorder.record({**EVENT})
    assert (structlog.get_config(), structlog.is_configured()) == (before, False)


def test_what_was_recorded_is_in_the_file_after_a_flush() -> None:
    flywheel_log.configure(sinks=["file:genai.log"])
    identity = recorder.record({**EVENT})
    assert flywheel_log.flush(10) == 0
    (line,) = Path("genai.log").read_text(encoding="utf-8").splitlines()
    assert (json.loads(line)["id"], json.loads(line)["request"]) == (identity, EVENT["request"])


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^colour is not a setting; expected one of .*client_id"):
        flywheel_log.configure(colour="red")


ANSWER = {"model": "gpt-4o-2024-08-06", "usage": {"prompt_tokens": 3, "completion_tokens": 2}, "choices": []}
ASKED: Any = {"kind": "llm", "surface": "chat.completions", "request": {"model": "my-deployment"}}


def test_the_price_of_an_answer_in_bytes_is_that_of_the_model_that_gave_it() -> None:
    said = {key: ANSWER[key] for key in ("model", "usage")}
    assert priced({**ASKED, "response": Wire(dumps(ANSWER))})["response"] == said


def test_what_is_cut_is_understood_before() -> None:
    found = settled({"unread": 1, **ASKED, "response": ANSWER})
    assert ("unread" in found, found["input_tokens"], found["training_unsafe"]) == (False, 3, ["no_choices"])
    assert settled(found) == found


def found_by(enrichment: Enrichment, identity: str, input_tokens: int) -> Any:
    answer = {"choices": [], "usage": {"prompt_tokens": input_tokens, "completion_tokens": 2}}
    [found] = enrichment([{"id": identity, "unread": 1, **ASKED, "response": answer}])
    return found["input_tokens"]


def test_what_was_found_for_one_sink_is_not_looked_for_again() -> None:
    enrichment = Enrichment(config.load())
    assert found_by(enrichment, "run-1", 3) == 3
    assert found_by(enrichment, "run-1", 4) == 3  # An id has one answer, so that only a second look could tell.
    assert enrichment.figures({"id": "run-1", **ASKED, "response": Wire(b"not looked at")})["input_tokens"] == 3
    for number in range(2000):
        found_by(enrichment, f"other-{number}", 1)
    assert found_by(enrichment, "run-1", 4) == 4  # Nothing is kept for ever.


def test_a_call_is_counted_under_the_id_of_its_line(tmp_path: Path) -> None:
    road = recorder.Recorder(config.load(sinks=[f"file:{tmp_path / 'genai.log'}"], journal=tmp_path / "journal"))
    counted: list[Any] = []
    meter.listeners.append(counted.append)
    try:
        identity = road.record({**EVENT, **ASKED, "request": Wire(b"{}"), "response": Wire(dumps(ANSWER))})
        assert road.close(10) == 0
    finally:
        meter.listeners.remove(counted.append)
    assert [event["input_tokens"] for event in counted if event.get("id") == identity] == [3]


def test_what_is_recorded_while_another_thread_configures_is_there_after_a_flush() -> None:
    event: Any = {"timestamp": "2026-01-01T00:00:00.000Z", "kind": "step", "name": "one"}
    places = [recorder.__file__, str(Path(delivery.__file__).parent / "delivery.py")]
    for where, step in zip(places, (17, 3), strict=True):
        at, more = 1, True
        while more:
            recorder.configure(sinks=["file:genai.log"])
            ids: list[str | None] = []

            beside = threading.Thread(target=recorder.configure, kwargs={"sinks": ["file:genai.log"]})

            def configured(beside: threading.Thread = beside) -> None:
                beside.start()
                beside.join(0.2)  # Where this thread holds the lock that it needs, it is done later.

            more = with_a_turn(at, configured, lambda: ids.append(recorder.record({**event})), where)  # noqa: B023
            if more:
                beside.join()
            assert recorder.flush() == 0
            assert str(ids[0]) in Path("genai.log").read_text(), f"at instruction {at} of {where}"
            at += step
        assert at > 20


def test_who_records_while_the_first_recorder_is_made_is_given_the_same() -> None:
    at, more = 1, True
    while more:
        recorder.shutdown()
        found: list[recorder.Recorder] = []

        def current(found: list[recorder.Recorder] = found) -> None:
            found.append(recorder.current())

        more = with_a_turn(at, current, current, config.__file__)
        assert all(one is found[0] for one in found), f"at instruction {at}"
        at += 1
    assert at > 100


NO_ROOM = """
import resource
from pathlib import Path
import flywheel_log
from flywheel_log.event import Wire
from flywheel_log.recorder import current

said = Wire(b'{"choices":[{"message":{"content":"' + b"word " * 2_000_000 + b'"}}]}')
event = {"kind": "llm", "status": "ok", "provider": "openai", "request": Wire(b'{"messages":[]}'), "response": said}
current().record({"kind": "step", "name": "first"})
flywheel_log.flush()
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + (100 << 20), resource.RLIM_INFINITY))
identity = current().record(event)
print(identity is not None, flywheel_log.flush(), flywheel_log.stats()["dropped"]["processor"])
"""


HANDLED = """
import signal, sys
import flywheel_log

@flywheel_log.logged_llm
def ask(what):
    return what

class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == "flywheel_log.config":
            self.begun = True
        elif vars(self).pop("begun", False):
            signal.raise_signal(signal.SIGUSR1)

sys.meta_path.insert(0, Interrupting())
signal.signal(signal.SIGUSR1, lambda *_: ask("in the handler"))
eval(sys.argv[1])
print(flywheel_log.flush(20.0), flywheel_log.stats()["dropped"])
"""


@pytest.mark.parametrize("begin", ["ask('first')", "(flywheel_log.configure(), ask('first'))", "flywheel_log.stats()"])
def test_what_a_handler_records_while_the_settings_are_imported_is_there(begin: str, tmp_path: Path) -> None:
    run = [sys.executable, "-c", HANDLED, begin]
    assert subprocess.run(run, capture_output=True, text=True, timeout=60, check=True).stdout == "0 {}\n"
    lines = (tmp_path / "genai.log").read_text().splitlines()
    asked = [json.loads(line)["request"]["messages"][0]["content"] for line in lines]
    assert sorted(asked) == ["first"] * ("ask" in begin) + ["in the handler"]


def test_what_a_handler_records_while_the_first_settings_are_made_is_where_they_say(tmp_path: Path) -> None:
    run = [sys.executable, "-c", HANDLED, "flywheel_log.configure(sinks=['file:mine.log'])"]
    assert subprocess.run(run, capture_output=True, text=True, timeout=60, check=True).stdout == "0 {}\n"
    assert [path.name for path in tmp_path.glob("*.log")] == ["mine.log"]
    assert (tmp_path / "mine.log").read_text().count("in the handler") > 0


@pytest.mark.parametrize(("sinks", "said"), [("file:mine.log", ""), ("nowhere:", "the settings stay as they were")])
def test_what_a_handler_sets_while_the_settings_are_imported_holds_from_then_on(
    sinks: str, said: str, tmp_path: Path
) -> None:
    handler = f'(flywheel_log.configure(sinks=[{sinks!r}]), ask("in the handler"))'
    program = HANDLED.replace('ask("in the handler")', handler) + "ask('last')\nflywheel_log.shutdown()\n"
    run = [sys.executable, "-c", program, "ask('first')"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, said in done.stderr) == ("0 {}\n", True)
    where = tmp_path / ("genai.log" if said else "mine.log")
    asked = [json.loads(line)["request"]["messages"][0]["content"] for line in where.read_text().splitlines()]
    assert {*asked} >= {"in the handler", "last"}


def test_the_recorder_is_there_though_another_thread_shuts_down_meanwhile() -> None:
    at = 1
    while with_a_turn(at, partial(recorder.replace, None), lambda: recorder.current().settings, recorder.__file__):
        recorder.replace(None)
        at += 1
    assert at > 10


def test_an_event_that_there_is_no_room_to_read_does_not_end_the_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NO_ROOM]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("True 0 1\n", 0), done.stderr
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "genai.log").read_text().splitlines()]
    assert kinds == ["step", "llm"]


LITTLE_ROOM = """
import resource, sys
from pathlib import Path
import flywheel_log

@flywheel_log.logged_llm
def ask(what):
    return what

ask("first")
flywheel_log.flush()
text = eval(sys.argv[2])
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + (int(sys.argv[1]) << 20), resource.RLIM_INFINITY))
print(ask(text) is text, flywheel_log.flush(), sorted(flywheel_log.stats()["dropped"]))
"""


@pytest.mark.parametrize(
    ("room", "text"), [(5, "'word ' * 2_000_000"), (250, "'word ' * 2_000_000"), (5, "chr(1) * 10_000_000")]
)
def test_a_text_of_a_function_that_there_is_no_room_for_does_not_end_the_process(
    room: int, text: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", LITTLE_ROOM, str(room), text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("True 0 [")
    lines = [json.loads(line) for line in (tmp_path / "genai.log").read_text().splitlines()]
    assert [(line["status"], "request" in line) for line in lines] == [("ok", True), ("ok", False)]


def test_where_addresses_are_limited_all_is_recorded_that_there_is_room_for(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LITTLE_ROOM, "2000", "'\u00fc\\n\\U0001f600 ' * 10_000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("True 0 []\n", 0), done.stderr
    said = json.loads((tmp_path / "genai.log").read_text().splitlines()[-1])
    assert said["request"]["messages"][0]["content"] == "\u00fc\n\U0001f600 " * 10_000
