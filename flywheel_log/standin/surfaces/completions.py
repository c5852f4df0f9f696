"""POST /completions: the old text API, whole or as a stream."""

from __future__ import annotations

from collections.abc import Iterator

from flywheel_log.standin.answers import CREATED, Answer, compose, count, identifier
from flywheel_log.standin.surfaces.embeddings import texts_in
from flywheel_log.standin.wire import JSON, Received, Reply

METHOD = "POST"
PATH = "/completions"
REQUIRED = ("model", "prompt")


def answer(body: JSON, received: Received) -> Reply:
    """Answer every prompt of the request, *n* times each."""
    prompts = texts_in(body["prompt"])
    limit = body.get("max_tokens", 16)
    answers = [
        compose(prompt, tool=None, schema=None, limit=limit, choice=choice)
        for prompt in prompts
        for choice in range(body.get("n") or 1)
    ]
    head = {
        "id": identifier("cmpl-", received),
        "object": "text_completion",
        "created": CREATED,
        "model": body["model"],
    }
    usage = _usage(prompts, answers)
    if body.get("stream"):
        return Reply.events(_stream(answers, head, usage if _counted(body) else None))
    choices = [_choice(index, one.text, _finish(one)) for index, one in enumerate(answers)]
    return Reply.json(head | {"choices": choices, "usage": usage})


def _usage(prompts: list[str], answers: list[Answer]) -> JSON:
    given, made = sum(map(count, prompts)), sum(len(one.pieces) for one in answers)
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _counted(body: JSON) -> bool:
    return bool((body.get("stream_options") or {}).get("include_usage"))


def _finish(one: Answer) -> str:
    return "length" if one.cut else "stop"


def _choice(index: int, text: str, finish: str | None) -> JSON:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def _stream(answers: list[Answer], head: JSON, usage: JSON | None) -> Iterator[JSON | str]:
    for index, one in enumerate(answers):
        for piece in one.pieces:
            yield head | {"choices": [_choice(index, piece, None)]}
        yield head | {"choices": [_choice(index, "", _finish(one))]}
    if usage is not None:
        yield head | {"choices": [], "usage": usage}
    yield "[DONE]"
