"""A stand-in for an OpenTelemetry collector: takes OTLP's protobuf over HTTP, decodes it, or refuses as it is told."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from flywheel_log.standin import Received, Reply, Server, serve

Refuse = Callable[[Received, list[Span]], Reply | None]


class Collector:
    """What has arrived. `refuse` looks at each request first, and may give it another answer than thanks."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.resources: list[dict[str, Any]] = []
        self.scopes: list[tuple[str, str]] = []
        self.refuse: Refuse = lambda *_: None
        self.server: Server

    @property
    def sink(self) -> str:
        return self.server.url.replace("http:", "otlp:").removesuffix("/v1")

    def answer(self, received: Received) -> Reply:
        raw = received.body
        body = gzip.decompress(raw) if received.headers.get("content-encoding") == "gzip" else raw
        request = ExportTraceServiceRequest.FromString(body)
        spans = [span for one in request.resource_spans for some in one.scope_spans for span in some.spans]
        if refused := self.refuse(received, spans):
            return refused
        self.spans += spans
        self.resources += [attributes(one.resource) for one in request.resource_spans]
        self.scopes += [(s.scope.name, s.scope.version) for one in request.resource_spans for s in one.scope_spans]
        return Reply(200, {"content-type": "application/x-protobuf"}, b"")


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    with serve(collector.answer) as collector.server:
        yield collector


def attributes(thing: Any) -> dict[str, Any]:
    return {pair.key: plain(pair.value) for pair in thing.attributes}


def plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(one) for one in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: plain(pair.value) for pair in value.kvlist_value.values}
    return getattr(value, kind) if kind else None
