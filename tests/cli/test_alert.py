"""`alert`: exit codes, messages, the webhook."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from .conftest import Ran

Command = Callable[..., Ran]
AT = ("--at", "2026-01-31T10:00:03Z")
RULE = "error_rate > 5% over 15m min 3"


@contextmanager
def receiver(status: int = 200, **headers: str) -> Iterator[tuple[str, list[dict]]]:
    """A webhook's other end: its URL, and what it was told."""
    told: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told.append({"path": self.path, "type": self.headers["content-type"], "body": json.loads(body)})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/services/SECRET", told
        finally:
            server.shutdown()
            thread.join()


def test_a_rule_that_fires_is_told_with_numbers_and_examples(command: Command, log: Path):
    assert command("alert", "--rule", RULE, *AT, log) == Ran(
        1, "✗ fired error_rate > 5% over 15m min 3: 33.333% (1 of 3 calls), e.g. other-3\n", ""
    )


def test_what_does_not_fire_is_silent_unless_asked_for(command: Command, log: Path):
    rules = (
        "--rule",
        "latency_p95 > 5s over 1h min 1",
        "--rule",
        "cost > $1 over 1d",
        "--rule",
        "error_rate > 5% over 1h",
    )
    assert command("alert", *rules, *AT, log) == Ran(0, "", "")
    assert command("alert", *rules, *AT, "--all", log) == Ran(
        0,
        "✓ quiet latency_p95 > 5s over 1h min 1: 2.1s (3 calls)\n"
        "✓ quiet cost > $1 over 1d: $0.0012 (1 call)\n"
        "? unknown error_rate > 5% over 1h: too little data, 3 calls, needs 10\n",
        "",
    )
    assert command("alert", *rules, *AT, "--strict", log).code == 1


def test_programs_get_all_figures(command: Command, log: Path):
    ran = command("alert", "--rule", RULE, *AT, "--json", log)
    assert (ran.code, json.loads(ran.out)) == (
        1,
        {
            "rule": RULE,
            "name": RULE,
            "state": "fired",
            "quantity": "error_rate",
            "unit": "share",
            "value": 1 / 3,
            "threshold": 0.05,
            "calls": 3,
            "measured": 3,
            "estimated": 3.0,
            "min": 3,
            "where": {},
            "since": "2026-01-31T09:45:03+00:00",
            "until": "2026-01-31T10:00:03+00:00",
            "examples": ["other-3"],
        },
    )


def test_a_change_tells_what_was_and_how_sure_it_is(command: Command, tmp_path: Path):
    log = tmp_path / "genai.log"
    slow = [(minute, 100 + minute % 7 if minute < 50 else 900 + minute % 7) for minute in range(60)]
    log.write_text(
        "".join(
            json.dumps({"timestamp": f"2026-01-31T09:{minute:02}:00Z", "kind": "llm", "latency_ms": latency}) + "\n"
            for minute, latency in slow
        )
    )
    rule = "latency_mean rises over 10m against 50m"
    ran = command("alert", "--rule", rule, "--at", "2026-01-31T10:00Z", log)
    assert ran.code == 1
    assert ran.out.startswith(f"✗ fired {rule}: 903ms, was 103ms, by chance ")
    found = json.loads(command("alert", "--rule", rule, "--at", "2026-01-31T10:00Z", "--json", log).out)
    assert (found["baseline_measured"], found["by"], found["chance"] < 1e-9) == (50, 0.0, True)
    ratio = command("alert", "--rule", "latency_p50 > 8x over 10m against 50m", "--at", "2026-01-31T10:00Z", log)
    assert ratio.out.startswith("✗ fired latency_p50 > 8x over 10m against 50m: 902ms, was 103ms (10 calls), e.g. ")


def test_rules_come_from_a_file(command: Command, log: Path, tmp_path: Path):
    rules = tmp_path / "rules.toml"
    rules.write_text(
        'rules = ["calls < 1 over 1h", {rule = "errors > 0 over 1h", name = "down", where = {workload_id = "support"}},'
        ' {rule = "error_rate > 5% over 1h", min = 2, where = {model = ["gpt-4.1-mini", "x"]}}]\n'
    )
    assert command("alert", "--rules", rules, "--all", *AT, log) == Ran(
        1,
        "✓ quiet calls < 1 over 1h: 3 (3 calls)\n"
        "✗ fired down (errors > 0 over 1h): 1 (2 calls), e.g. other-3\n"
        "✗ fired error_rate > 5% over 1h: 50% (1 of 2 calls), e.g. other-3\n",
        "",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("rules = [", "is not TOML: "),
        ("", "has no rules; have: rules = ["),
        ("rules = []", "has no rules; have: rules = ["),
        ("rule = []", "has rule; have: rules = ["),
        ("rules = [7]", "rule 1 is 7; have: rules = ["),
        ('rules = [{rule = "calls < 1 over 1h", wher = 1}]', "rule 1 has wher; have: rules = ["),
        ('rules = [{rule = "calls < 1 over 1h", min = -1}]', "rule 1 has the name '' and min -1; expected a text and"),
        ('rules = [{rule = "calls < 1 over 1h", where = 1}]', "rule 1 has where = 1; expected where = "),
        (
            'rules = [{rule = "calls < 1 over 1h", where = {model = 1}}]',
            "rule 1 has where model = 1; expected a text or",
        ),
        ('rules = ["calls < 1"]', "rule 'calls < 1': it does not say over which time; expected over"),
    ],
)
def test_a_wrong_file_is_wrong_usage(command: Command, log: Path, tmp_path: Path, content: str, message: str):
    (tmp_path / "rules.toml").write_text(content)
    ran = command("alert", "--rules", "rules.toml", log)
    assert (ran.code, message in " ".join(ran.err.split())) == (2, True)


def test_wrong_usage_says_what_is_right(command: Command, log: Path):
    for arguments, message in [
        ((), "there is no rule to check; pass --rule 'error_rate > 5% over 15m', or --rules FILE"),
        (("--rule", "nonsense"), "rule 'nonsense': 'nonsense' is not a condition; expected QUANTITY > NUMBER"),
        (("--rules", "none.toml"), "none.toml: no such file or directory"),
        (("--rule", RULE, "--at", "noon"), "time 'noon' is invalid; expected for example 90s"),
        (("--rule", RULE, "--webhook", "ftp://h/SECRET"), "the webhook is 'ftp'; expected http://… or https://…"),
    ]:
        ran = command("alert", *arguments, log)
        assert (ran.code, message in " ".join(ran.err.split()), "SECRET" in ran.err) == (2, True, False), arguments


def test_a_log_that_is_not_there_is_neither_quiet_nor_fired(command: Command):
    ran = command("alert", "--rule", "calls < 1 over 1h", "none.log")
    assert (ran.code, ran.err.startswith("flywheel-log: none.log does not exist")) == (3, True)
    assert command("alert", "--rule", "calls < 1 over 1h", "elasticsearch://127.0.0.1:9/i").code == 3


def test_what_fires_is_posted_without_a_word_of_the_conversation(command: Command, log: Path):
    with receiver() as (url, told):
        ran = command("alert", "--rule", RULE, "--rule", "calls < 1 over 1h", *AT, "--webhook", url, log)
    assert ran.code == 1
    (post,) = told
    assert (post["path"], post["type"]) == ("/services/SECRET", "application/json")
    assert post["body"]["text"] == (
        "flywheel_log: error_rate &gt; 5% over 15m min 3: 33.333% (1 of 3 calls), e.g. other-3"
    )
    (alert,) = post["body"]["alerts"]
    assert (alert["rule"], alert["value"], alert["examples"]) == (RULE, 1 / 3, ["other-3"])
    assert "slow down" not in json.dumps(post)
    assert "Hello" not in json.dumps(post)


def test_a_webhook_may_come_from_the_environment(command: Command, log: Path, monkeypatch: pytest.MonkeyPatch):
    with receiver() as (url, told):
        monkeypatch.setenv("ALERT_WEBHOOK_URL", url)
        assert command("alert", "--rule", RULE, *AT, log).code == 1
        assert command("alert", "--rule", "calls < 1 over 1h", *AT, log).code == 0
    assert len(told) == 1


def test_a_webhook_that_fails_is_said_and_changes_the_exit_code(command: Command, log: Path):
    arguments = ("alert", "--rule", RULE, *AT, log, "--webhook")
    for status in (500, 404):
        with receiver(status) as (url, _):
            assert command(*arguments, url)[::2] == (
                3,
                f"flywheel-log: the webhook at 127.0.0.1 answers HTTP {status}\n",
            )
    with receiver() as (good, told), receiver(302, Location=good) as (url, _):
        assert command(*arguments, url).err == "flywheel-log: the webhook at 127.0.0.1 answers HTTP 302\n"
        assert told == []
    ran = command(*arguments, url)
    assert (ran.code, ran.err) == (
        3,
        "flywheel-log: the webhook at 127.0.0.1 was not reached: ConnectionRefusedError\n",
    )
    assert ran.out.startswith("✗ fired error_rate > 5%")


def test_a_webhook_that_does_not_answer_is_given_up(command: Command, log: Path):
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as silent:
        url = f"http://127.0.0.1:{silent.server_port}/"
        ran = command("alert", "--rule", RULE, *AT, "--webhook", url, "--timeout", "0.2", log)
    assert (ran.code, ran.err) == (3, "flywheel-log: the webhook at 127.0.0.1 was not reached: no answer in time\n")


def test_feedback_from_standard_input_is_refused(command: Command):
    ran = command("alert", "--rule", "low_ratings > 0 over 1h", "-")
    assert (ran.code, "standard input has but one" in " ".join(ran.err.split())) == (2, True)
