"""An event as a span: ids, times, names, and the conventions' attributes."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from flywheel_log.serialise import dumps
from flywheel_log.sinks import open_sink

from .collector import Collector, attributes

TRACE, SPAN, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}
CHAT: dict[str, Any] = {
    "id": "r-1",
    "timestamp": "2026-11-22T06:11:20.514Z",
    "kind": "llm",
    "client_id": "shop",
    "workload_id": "weather",
    "user_id": "u42",
    "session_id": "s7",
    "tags": ["beta"],
    "metadata": {"plan": "pro", "gen_ai.agent.name": "Clerk"},
    "trace_id": TRACE,
    "span_id": SPAN,
    "parent_id": PARENT,
    "surface": "chat.completions",
    "provider": "openai",
    "model": "gpt-4.1-mini",
    "status": "ok",
    "latency_ms": 46.02,
    "streamed": True,
    "time_to_first_token_ms": 12.5,
    "retries": 1,
    "input_tokens": 18,
    "output_tokens": 10,
    "cached_tokens": 4,
    "reasoning_tokens": 2,
    "cost_usd": 0.0002,
    "infrastructure": {"host": "web1", "pid": 7},
    "request": {
        "model": "gpt-4.1-mini",
        "temperature": 0,
        "max_completion_tokens": 50,
        "n": 2,
        "stop": "END",
        "seed": 3,
        "response_format": {"type": "json_object"},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Rain?"}]},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "dry"},
        ],
        "tools": [WEATHER],
    },
    "response": {
        "id": "chatcmpl-1",
        "model": "gpt-4.1-mini-2025-04-14",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "No."}, "finish_reason": "stop"},
            {"index": 1, "message": {"role": "assistant", "content": "D"}, "finish_reason": None},
        ],
    },
}


def sent(collector: Collector, *events: dict[str, Any], options: str = "") -> list[Span]:
    open_sink(collector.sink + options).write([dumps(one) for one in events])
    return collector.spans


def test_a_call_is_a_client_span_with_the_conventions_attributes(collector: Collector) -> None:
    (span,) = sent(collector, CHAT)
    assert attributes(span) == {
        "flywheel_log.client.id": "shop",
        "flywheel_log.cost_usd": 0.0002,
        "flywheel_log.event.id": "r-1",
        "flywheel_log.event.kind": "llm",
        "flywheel_log.metadata.plan": "pro",
        "flywheel_log.retries": 1,
        "flywheel_log.status": "ok",
        "flywheel_log.tags": ["beta"],
        "flywheel_log.workload.id": "weather",
        "gen_ai.agent.name": "Clerk",
        "gen_ai.conversation.id": "s7",
        "gen_ai.input.messages": [
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "parts": [{"type": "text", "content": "Rain?"}]},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Ulm"}}],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "dry"}]},
        ],
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": "No."}], "finish_reason": "stop"},
            {"role": "assistant", "parts": [{"type": "text", "content": "D"}], "finish_reason": "error"},
        ],
        "gen_ai.output.type": "json",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.model": "gpt-4.1-mini",
        "gen_ai.request.seed": 3,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.response.finish_reasons": ["stop", "error"],
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-4.1-mini-2025-04-14",
        "gen_ai.response.time_to_first_chunk": 0.0125,
        "gen_ai.tool.definitions": [{"type": "function", "name": "weather", "parameters": {"type": "object"}}],
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.input_tokens": 18,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.reasoning.output_tokens": 2,
        "openai.api.type": "chat_completions",
        "user.id": "u42",
    }
    assert (span.name, span.kind, span.status) == ("chat gpt-4.1-mini", Span.SPAN_KIND_CLIENT, Status())
    assert (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()) == (TRACE, SPAN, PARENT)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (1795327880514000000, 1795327880560020000)
    assert collector.resources == [{"host.name": "web1", "process.pid": 7, "service.name": "shop"}]
    assert collector.scopes == [("flywheel_log", "0.1.0")]


def test_an_error_is_the_spans_status(collector: Collector) -> None:
    error = {"type": "RateLimitError", "message": "slow down", "code": "rate_limit_exceeded"}
    failed = {"status": "error", "error": error, "response": {"error": error}}
    (span,) = sent(collector, CHAT | failed)
    assert span.status == Status(code=Status.STATUS_CODE_ERROR, message="slow down")
    told = attributes(span)
    assert told["error.type"] == "rate_limit_exceeded"
    assert [key for key in told if key in ("gen_ai.output.messages", "gen_ai.response.finish_reasons")] == []


def test_content_is_one_json_string_an_attribute_or_left_out(collector: Collector) -> None:
    sent(collector, CHAT, options="?content=json")
    sent(collector, CHAT, options="?content=off")
    as_json, off = map(attributes, collector.spans)
    assert as_json["gen_ai.output.messages"].startswith(
        '[{"role":"assistant","parts":[{"type":"text","content":"No."}]'
    )
    assert [key for key in off if "messages" in key or "definitions" in key] == []
    assert off["gen_ai.usage.input_tokens"] == 18


def test_with_content_off_nothing_quotes_what_was_said(collector: Collector) -> None:
    grounding = {"method": "lexical_overlap", "score": 0.3, "unsupported": ["secret"], "why": "it says secret"}
    quality = {"rating": 0, "thumbs": "down", "correction": "secret", "comment": "secret", "grounding": grounding}
    failed = {"status": "error", "error": {"type": "BadRequestError", "message": "in your secret"}}
    said = {"id": "1", "kind": "feedback", "target": "r-1", "quality": quality | {"reason": {"text": "secret"}}}
    judged, call = sent(collector, said, {"id": "2", "kind": "llm", **failed}, options="?content=off")
    assert "secret" not in str(judged) + str(call)
    assert call.status == Status(code=Status.STATUS_CODE_ERROR)
    name, value, label = (f"gen_ai.evaluation.{part}" for part in ("name", "score.value", "score.label"))
    assert [attributes(event) for event in judged.events] == [
        {name: "rating", value: 0},
        {name: "thumbs", label: "down"},
        {name: "grounding", value: {"method": "lexical_overlap", "score": 0.3}},
    ]


def test_the_responses_api_and_anthropics_messages_are_told_in_the_same_words(collector: Collector) -> None:
    responses = {
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{broken"},
            {"type": "function_call_output", "call_id": "c1", "output": "dry"},
        ],
    }
    output = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Dry."}]},
    ]
    anthropic = {
        "system": "Be brief.",
        "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "dry"}]}],
    }
    answer = [{"type": "thinking", "thinking": "Hm."}, {"type": "tool_use", "id": "t2", "name": "go", "input": {}}]
    sent(
        collector,
        {"id": "1", "kind": "llm", "request": responses, "response": {"status": "completed", "output": output}},
        {"id": "2", "kind": "llm", "request": anthropic, "response": {"content": answer, "stop_reason": "tool_use"}},
    )
    keys = ("gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages")
    told = [[attributes(span)[key] for key in keys] for span in collector.spans]
    thought, brief = {"type": "reasoning", "content": "Hm."}, [{"type": "text", "content": "Be brief."}]
    assert told == [
        [
            brief,
            [
                {
                    "role": "user",
                    "parts": [{"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAAA"}],
                },
                {
                    "role": "assistant",
                    "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": "{broken"}],
                },
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "dry"}]},
            ],
            [
                {
                    "role": "assistant",
                    "parts": [thought, {"type": "text", "content": "Dry."}],
                    "finish_reason": "stop",
                }
            ],
        ],
        [
            brief,
            [{"role": "user", "parts": [{"type": "tool_call_response", "id": "t1", "response": "dry"}]}],
            [
                {
                    "role": "assistant",
                    "parts": [thought, {"type": "tool_call", "id": "t2", "name": "go", "arguments": {}}],
                    "finish_reason": "tool_use",
                }
            ],
        ],
    ]


GOOGLES = {
    "generationConfig": {"temperature": 0.5, "maxOutputTokens": 7},
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "Rain?"}]},
        {"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Ulm"}}}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "weather", "response": {"sky": "dry"}}}]},
    ],
    "tools": [{"functionDeclarations": [{"name": "weather", "parameters": {"type": "OBJECT"}}]}],
}


def test_googles_contents_are_told_in_the_same_words(collector: Collector) -> None:
    said = {"index": 0, "content": {"role": "model", "parts": [{"text": "Dry."}]}, "finishReason": "MAX_TOKENS"}
    answer = {"responseId": "r7", "modelVersion": "gemini-2.5-flash-001", "candidates": [said]}
    call = {"surface": "generate_content", "provider": "gcp.gemini", "model": "gemini-2.5-flash"}
    embedding = {"id": "2", "kind": "embedding", "surface": "embed_content", "model": "gemini-embedding-001"}
    asked, embedded = sent(
        collector, {"id": "1", "kind": "llm", **call, "request": GOOGLES, "response": answer}, embedding
    )
    assert (asked.name, embedded.name) == ("generate_content gemini-2.5-flash", "embeddings gemini-embedding-001")
    told = {key: value for key, value in attributes(asked).items() if key.startswith("gen_ai.")}
    assert told == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.max_tokens": 7,
        "gen_ai.request.model": "gemini-2.5-flash",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.finish_reasons": ["length"],
        "gen_ai.response.id": "r7",
        "gen_ai.response.model": "gemini-2.5-flash-001",
        "gen_ai.tool.definitions": [{"type": "function", "name": "weather", "parameters": {"type": "object"}}],
        "gen_ai.input.messages": [
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "parts": [{"type": "text", "content": "Rain?"}]},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Ulm"}}],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": '{"sky":"dry"}'}]},
        ],
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": "Dry."}], "finish_reason": "length"}
        ],
    }


def test_steps_retrieval_embeddings_and_feedback_have_spans_of_their_own(collector: Collector) -> None:
    step = {"id": "1", "kind": "step", "name": "answer", "trace_id": TRACE, "span_id": SPAN, "duration_ms": 2.0}
    found = [{"id": "doc7", "score": 0.9}]
    retrieval = {"id": "2", "kind": "retrieval", "request": {"query": "Ulm"}, "retrieval_docs": found}
    embedding = {"id": "3", "kind": "embedding", "surface": "embeddings", "model": "e-3", "request": {"dimensions": 8}}
    feedback = {"id": "4", "kind": "feedback", "target": "r-1", "quality": {"rating": 5, "comment": "good"}}
    spans = sent(collector, step, retrieval, embedding, feedback)
    internal, client = Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_CLIENT
    assert [(span.name, span.kind) for span in spans] == [
        ("answer", internal),
        ("retrieval", client),
        ("embeddings e-3", client),
        ("feedback", internal),
    ]
    told = [attributes(span) for span in spans]
    assert (spans[0].trace_id.hex(), spans[0].end_time_unix_nano - spans[0].start_time_unix_nano) == (TRACE, 2_000_000)
    assert told[1]["gen_ai.retrieval.query.text"] == "Ulm"
    assert told[1]["gen_ai.retrieval.documents"] == found
    assert told[2]["gen_ai.embeddings.dimension.count"] == 8
    (judged,) = spans[3].events
    assert (judged.name, attributes(judged)) == (
        "gen_ai.evaluation.result",
        {
            "gen_ai.evaluation.name": "rating",
            "gen_ai.evaluation.score.value": 5,
            "gen_ai.evaluation.explanation": "good",
        },
    )


def test_what_is_nested_deeper_than_readers_go_is_told_as_json(collector: Collector) -> None:
    deep: Any = "bottom"
    for _ in range(40):
        deep = {"in": deep}
    (span,) = sent(collector, {"id": "1", "kind": "step", "metadata": {"deep": deep}})
    value = attributes(span)["flywheel_log.metadata.deep"]
    for _ in range(12):
        value = value["in"]
    assert value.startswith('{"in": {"in": ')
