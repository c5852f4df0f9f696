"""Secrets planted wherever a program can put one: none reaches the journal, the log or the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openai
import pytest

import flywheel_log
from flywheel_log import standin, testing
from flywheel_log.health import health

from .scan import leaks

SECRETS = {
    "prompt": "sk-proj-4fT9aQ2xLr8ZkW1vB7nM",
    "output": "ghp_4fT9aQ2xLr8ZkW1vB7nM3cY6dH0eJ5gKiLmN",
    "stream": "xoxb-123456789012-abcdefABCDEF1234",
    "arguments": "AKIA2345ABCDEFGH6723",
    "metadata": "hunter2!metadata",
    "tag": "glpat-4fT9aQ2xLr8ZkW1vB7nM",
    "variable": "hf_abcdefghijKLMNOPQRST0123456789abcd",
    "key": "sk-live0clientkey0A1b2C3d4E5f6",
    "header": "Zm9vYmFyLXRva2VuLTEyMzQ1Ng",
    "url": "pa55-in-url",
    "exception": "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "processor": "npm_4fT9aQ2xLr8ZkW1vB7nM3cY6dH0eJ5gKiLmN",
    "user": "sk-ant-api03-4fT9aQ2xLr8ZkW1vB7nM",
}


def adding(_: Any, __: str, event: Any) -> Any:
    event["metadata"] = {**event.get("metadata", {}), "added": SECRETS["processor"]}
    return event


def conversation(client: openai.OpenAI) -> None:
    text = f"{SECRETS['prompt']} then {SECRETS['output']}, postgres://app:{SECRETS['url']}@db/prod"
    arguments = json.dumps({"aws": SECRETS["arguments"], "note": f'a "b"\n{SECRETS["arguments"]}'})
    call = {"id": "c1", "type": "function", "function": {"name": "deploy", "arguments": arguments}}
    messages: Any = [
        {"role": "user", "content": text},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
        {"role": "user", "content": f"repeat: {SECRETS['output']}"},
    ]
    headers = {"X-Token": SECRETS["header"]}
    client.chat.completions.create(model="gpt-4.1-mini", messages=messages, extra_headers=headers)
    said: Any = [{"role": "user", "content": f"say {SECRETS['stream']}"}]
    list(client.chat.completions.create(model="gpt-4.1-mini", messages=said, stream=True))


@flywheel_log.logged_llm(workload_id="failing")
def failing() -> str:
    raise RuntimeError(f"no access with {SECRETS['exception']}")


def test_no_planted_secret_is_written_anywhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with standin.serve() as server:
        flywheel_log.configure(sinks=["file:genai.log", "stdout:"], processors=(adding,))
        address = server.url.replace("http://", f"http://app:{SECRETS['url']}@")
        client = flywheel_log.instrument(openai.OpenAI(api_key=SECRETS["key"], base_url=address, max_retries=0))
        with flywheel_log.context(
            user_id=SECRETS["user"],
            tags=[SECRETS["tag"]],
            metadata={"db": {"password": SECRETS["metadata"]}},
            prompt={"name": "p", "variables": {"token": SECRETS["variable"]}},
        ):
            conversation(client)
            with pytest.raises(RuntimeError):
                failing()
        assert flywheel_log.flush(20.0) == 0
        out = capfd.readouterr()
        assert leaks(SECRETS.values(), tmp_path, output=out.out + out.err) == []
    events = [json.loads(line) for line in (tmp_path / "genai.log").read_text().splitlines()]
    assert [sorted(event["redactions"]) for event in events] == [
        sorted((*kinds, "anthropic_key", "gitlab_token", "huggingface_token", "npm_token", "password"))
        for kinds in (
            ("openai_key", "github_token", "url_password", "aws_access_key"),
            ("slack_token",),
            ("google_key",),
        )
    ]


def test_the_scanner_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.log").write_text(json.dumps({"x": 'sé"cret'}))
    assert leaks(['sé"cret', "other"], tmp_path) == [f'sé"cret in {tmp_path / "a" / "b.log"}']


def test_without_redaction_the_scanner_finds_the_prompt_in_journal_and_log(tmp_path: Path) -> None:
    flywheel_log.configure(sinks=["file:genai.log"], redact="off")
    _say(SECRETS["prompt"])
    assert flywheel_log.flush(20.0) == 0
    assert f"{SECRETS['prompt']} in {tmp_path / 'genai.log'}" in leaks(SECRETS.values(), tmp_path)


def test_what_a_redactor_cannot_clean_is_recorded_without_content_and_persons() -> None:
    fields = flywheel_log.context(user_id=SECRETS["user"], tags=[SECRETS["tag"]])
    with testing.recording(processors=(_raising,)) as events, fields:
        _say(SECRETS["prompt"])
    [event] = events
    assert {key: event.get(key) for key in ("kind", "workload_id", "status", "training_unsafe")} == {
        "kind": "llm",
        "workload_id": "saying",
        "status": "ok",
        "training_unsafe": ["unredacted"],
    }
    assert not {"request", "response", "user_id", "tags", "metadata"} & event.keys()
    assert health.dropped() == {"processor": 1}


def test_what_names_such_an_event_is_redacted_too() -> None:
    named = flywheel_log.context(workload_id=f"for {SECRETS['user']}", client_id=SECRETS["tag"], tags=["one"])
    with testing.recording(processors=(_raising,)) as events, named:
        flywheel_log.logged_llm(lambda: "said")()
    [event] = events
    assert (event["workload_id"], event["client_id"]) == ("for [anthropic_key]", "[gitlab_token]")


def _raising(_: Any, __: str, event: Any) -> Any:
    event["tags"].append(SECRETS["tag"])
    raise RuntimeError(SECRETS["prompt"])


@flywheel_log.logged_llm(workload_id="saying")
def _say(text: str) -> str:
    return text
