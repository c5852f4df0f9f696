"""POST /chat/completions: text, tool calls and structured output, whole or as a stream of chunks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from flywheel_log.standin.answers import CREATED, Answer, compose, count, identifier, last_prompt, text_of, tokenise
from flywheel_log.standin.wire import JSON, Received, Reply

METHOD = "POST"
PATH = "/chat/completions"
REQUIRED = ("model", "messages")

# What one message costs besides its text, and the reply's opening, by OpenAI's published way of counting.
_TOKENS_A_MESSAGE = 3


def answer(body: JSON, received: Received) -> Reply:
    """Answer a conversation, *n* times; `stream: true` gives chunks and `[DONE]`.

    A stream of the model `error-mid-stream` ends in an error after three chunks a choice.
    """
    return _reply(body, received, [_compose(body, choice) for choice in range(body.get("n") or 1)])


def say(received: Received, text: str, *, refused: bool = False, tool: str | None = None) -> Reply:
    """Answer the chat completion *received* with words of the script's own, whole or as a stream, as it was asked for.

    Args:
        received: the request.
        text: what the model says; the arguments, if it calls a tool.
        refused: whether it says so as a refusal.
        tool: the name of the tool that it calls.
    """
    return _reply(received.json(), received, [Answer(tokenise(text), tool=tool, refused=refused)])


def _reply(body: JSON, received: Received, answers: list[Answer]) -> Reply:
    head = {"id": identifier("chatcmpl-", received), "created": CREATED, "model": body["model"]}
    if body.get("stream"):
        return Reply.events(_stream(body, answers, head | {"object": "chat.completion.chunk"}))
    choices = [_choice(index, one, head["id"]) for index, one in enumerate(answers)]
    return Reply.json(head | {"object": "chat.completion", "choices": choices, "usage": _usage(body, answers)})


def _compose(body: JSON, choice: int) -> Answer:
    messages = body["messages"]
    return compose(
        last_prompt(messages),
        tool=_tool(body),
        schema=_schema(body.get("response_format")),
        limit=body.get("max_completion_tokens") or body.get("max_tokens"),
        choice=choice,
    )


def _tool(body: JSON) -> JSON | None:
    functions: list[JSON] = [tool["function"] for tool in body.get("tools") or [] if tool.get("type") == "function"]
    wanted = body.get("tool_choice")
    asked = bool(body["messages"]) and body["messages"][-1].get("role") == "user"
    if not functions or not asked or wanted == "none":
        return None
    named = wanted["function"]["name"] if isinstance(wanted, dict) and "function" in wanted else None
    return next((function for function in functions if function["name"] == named), functions[0])


def _schema(wanted: Any) -> JSON | None:
    match wanted:
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return schema
        case {"type": "json_object"}:
            return {"properties": {"answer": {"type": "string"}}}
    return None


def _choice(index: int, one: Answer, call: str) -> JSON:
    message: JSON = {"role": "assistant", "content": one.text, "refusal": None, "annotations": []}
    if one.refused:
        message |= {"content": None, "refusal": one.text}
    if one.tool is not None:
        message |= {"content": None, "tool_calls": [_tool_call(one.tool, one.text, index, call)]}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": _finish(one)}


def _tool_call(name: str, arguments: str, index: int, call: str) -> JSON:
    return {
        "id": f"call_{call.removeprefix('chatcmpl-')}{index}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _finish(one: Answer) -> str:
    if one.tool is not None:
        return "tool_calls"
    return "length" if one.cut else "stop"


def _usage(body: JSON, answers: list[Answer]) -> JSON:
    prompt = sum(count(text_of(message.get("content"))) + _TOKENS_A_MESSAGE for message in body["messages"])
    completion = sum(len(one.pieces) for one in answers)
    return {
        "prompt_tokens": prompt + _TOKENS_A_MESSAGE,
        "completion_tokens": completion,
        "total_tokens": prompt + _TOKENS_A_MESSAGE + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _stream(body: JSON, answers: list[Answer], head: JSON) -> Iterator[JSON | str]:
    counted = bool((body.get("stream_options") or {}).get("include_usage"))
    unknown = {"usage": None} if counted else {}
    for number, choice in enumerate(_choices(answers, head["id"])):
        if body["model"] == "error-mid-stream" and number == 3 * len(answers):
            yield {"error": {"message": "The stand-in was asked to break off.", "type": "server_error", "code": None}}
            return
        yield head | {"choices": [choice]} | unknown
    if counted:
        yield head | {"choices": [], "usage": _usage(body, answers)}
    yield "[DONE]"


def _choices(answers: list[Answer], call: str) -> Iterator[JSON]:
    """Yield the deltas of all choices in turn, as the real service interleaves them."""
    for deltas in zip_longest(*(_deltas(index, one, call) for index, one in enumerate(answers))):
        for index, delta in enumerate(deltas):
            if delta is not None:
                yield {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}
    for index, one in enumerate(answers):
        yield {"index": index, "delta": {}, "logprobs": None, "finish_reason": _finish(one)}


def _deltas(index: int, one: Answer, call: str) -> Iterator[JSON]:
    if one.tool is None:
        yield {"role": "assistant", "content": "", "refusal": None}
        yield from ({"refusal" if one.refused else "content": piece} for piece in one.pieces)
        return
    opening = {"index": 0} | _tool_call(one.tool, "", index, call)
    yield {"role": "assistant", "content": None, "tool_calls": [opening]}
    yield from ({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in one.pieces)
