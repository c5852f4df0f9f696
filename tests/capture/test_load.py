"""What the service says of its load: limits, its own time, its queue; and answers that nobody parses in the call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.standin import Reply, Server
from tests.capture.clients import HELLO, recorded

ANSWER: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "queue_time": 0.0123},
}


def answering(body: bytes, **headers: str) -> Callable[[Any], Reply]:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Reply(200, {"content-type": "application/json", **told}, body)


def test_rate_limits_and_the_services_own_time_are_kept(start: Callable[..., Server], events: list[Event]) -> None:
    headers = {"X-RateLimit-Remaining-Tokens": "149984", "x-ratelimit-reset-requests": "6m0s"}
    headers |= {"anthropic-ratelimit-requests-limit": "50", "openai-processing-ms": "312"}
    with recorded(start(answering(json.dumps(ANSWER).encode(), **headers))) as client:
        client.chat.completions.create(**HELLO)
    (event,) = events
    assert (event["rate_limits"], event["server_ms"], event["queue_ms"]) == (
        {"remaining_tokens": 149984, "reset_requests": "6m0s", "limit_requests": 50},
        312,
        12.3,
    )


def written(body: bytes, start: Callable[..., Server], place: Path, **settings: Any) -> Event:
    """The only line of a log that one call with the answer *body* leaves; what was read off late is there too."""
    flywheel_log.configure(sinks=[f"file:{place}"], infrastructure="off", **settings)
    with recorded(start(answering(body))) as client:
        client.chat.completions.create(**HELLO)
    assert flywheel_log.flush(20.0) == 0
    (event,) = flywheel_log.read(place)
    return event


def test_an_answer_that_is_journalled_unread_is_understood_on_its_way(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    body = json.dumps(ANSWER | {"choices": [ANSWER["choices"][0] | {"finish_reason": "length"}]}, indent=2).encode()
    event = written(b"\r\n" + body + b"\n", start, tmp_path / "a.log")
    assert (event["response"], event["request"]) == (json.loads(body), HELLO)
    assert (event["input_tokens"], event["usage_source"], event["training_unsafe"]) == (3, "api", ["length"])


def test_read_early_or_late_an_answer_gives_the_same_event(start: Callable[..., Server], tmp_path: Path) -> None:
    body = json.dumps(ANSWER | {"choices": []}).encode()
    late = written(body, start, tmp_path / "late.log")
    early = written(body, start, tmp_path / "early.log", processors=[lambda _, __, event: event])
    volatile = ("id", "timestamp", "latency_ms")
    assert {key: value for key, value in late.items() if key not in volatile} == {
        key: value for key, value in early.items() if key not in volatile
    }


def test_an_answer_with_numbers_that_json_does_not_know_is_written_for_every_parser(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    body = json.dumps(ANSWER).replace("0.0123", "NaN").encode()
    event = written(body, start, tmp_path / "nan.log")
    assert event["response"]["usage"]["queue_time"] is None
    assert event["input_tokens"] == 3


def test_a_secret_in_an_unread_answer_never_gets_to_the_disk(start: Callable[..., Server], tmp_path: Path) -> None:
    secret = "sk-proj-Zk3v9QpL2mXw7RtY5bNc"
    message = {"role": "assistant", "content": f"use {secret} then"}
    body = json.dumps(ANSWER | {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
    event = written(body, start, tmp_path / "secret.log")
    assert event["response"]["choices"][0]["message"]["content"] == "use [openai_key] then"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in files if secret.encode() in path.read_bytes()] == []


def test_a_secret_with_escaped_slashes_is_found_in_an_unread_answer(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    message = {"role": "assistant", "content": "use Bearer abcDEF/ghijk1234567890xyz"}
    body = json.dumps(ANSWER | {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    event = written(body.replace("DEF/", "DEF\\/").encode(), start, tmp_path / "slash.log")
    assert event["response"]["choices"][0]["message"]["content"] == "use Bearer [bearer_token]"


def test_a_secret_under_a_key_that_comes_twice_is_not_written(start: Callable[..., Server], tmp_path: Path) -> None:
    body = json.dumps(ANSWER)[:-1] + ', "api_key": "hunter22secret", "api_key": ""}'
    event = written(body.encode(), start, tmp_path / "twice.log")
    assert event["response"]["api_key"] == ""
    assert "hunter22secret" not in (tmp_path / "twice.log").read_text()


def test_what_the_fields_that_are_written_lack_is_no_mark(start: Callable[..., Server], tmp_path: Path) -> None:
    fields = ["model", "surface", "training_unsafe", "response.usage"]
    event = written(json.dumps(ANSWER).encode(), start, tmp_path / "few.log", fields_allow=fields)
    assert "training_unsafe" not in event


def test_counts_that_are_no_numbers_are_none_and_harm_no_other_call(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    usage = {"prompt_tokens": "12", "completion_tokens": True}
    event = written(json.dumps(ANSWER | {"usage": usage}).encode(), start, tmp_path / "odd.log", workload_id="odd")
    assert ("input_tokens" in event, event["usage_source"]) == (False, "missing")
    (row,) = (row for row in flywheel_log.metrics().rows() if row["workload_id"] == "odd")
    assert (row["calls"], row["input_tokens"]) == (1, 0)
