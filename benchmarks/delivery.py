"""What bringing events into Elasticsearch costs: events a second, client CPU an event, and how long a backlog takes.

    python -m benchmarks.delivery [--events 20000] [--backlog 100000] [--url http://localhost:9200]

Without --url a server of the tests' own is started. `helpers.bulk` of the official client sends the same documents,
ready made, in the same run and in turns with ours, which also reads each line, projects it and judges each answer.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from elastic_transport import Urllib3HttpNode
from elasticsearch import Elasticsearch, helpers

from flywheel_log.config import load
from flywheel_log.delivery import Delivery
from flywheel_log.delivery.enrich import enriched
from flywheel_log.enrichment import Enrichment
from flywheel_log.event import to_document
from flywheel_log.sinks.elasticsearch import ElasticsearchSink
from flywheel_log.sinks.elasticsearch.target import target
from tests.elasticsearch.api import Api
from tests.elasticsearch.server import start

BATCH = 500
ROUNDS = 5


class Cost(NamedTuple):
    """What it took to store some events."""

    wall_s: float
    cpu_s: float


class AnyVersion(Urllib3HttpNode):
    """Lets the official client of version 9 talk to a server of version 8, which it otherwise cannot."""

    def perform_request(self, method: str, target: str, body: Any = None, headers: Any = None, **options: Any) -> Any:
        plain = {"accept": "application/json", "content-type": "application/x-ndjson" if body else "application/json"}
        return super().perform_request(
            method, target, body, plain if headers is None else {**headers, **plain}, **options
        )


def event(number: int) -> dict[str, Any]:
    """A chat of about 2 KB."""
    history = [
        {"role": role, "content": f"{number} " + text * 60} for role, text in (("system", "rules "), ("user", "why? "))
    ]
    answer = {"role": "assistant", "content": "because " * 60, "refusal": None}
    return {
        "id": f"bench-{number}", "timestamp": "2026-01-31T12:00:00.000Z", "kind": "llm", "client_id": "bench",
        "workload_id": "bench", "request": {"model": "gpt-4.1-mini", "messages": history, "temperature": 0.2},
        "response": {"id": f"c{number}", "object": "chat.completion", "model": "gpt-4.1-mini", "created": 1770000000,
                     "choices": [{"index": 0, "message": answer, "finish_reason": "stop", "logprobs": None}],
                     "usage": {"prompt_tokens": 200, "completion_tokens": 60, "total_tokens": 260}},
        "surface": "chat.completions", "provider": "openai", "status": "ok", "model": "gpt-4.1-mini", "user_id": "u1",
        "input_tokens": 200, "output_tokens": 60, "latency_ms": 812.5, "streamed": False, "metadata": {"plan": "pro"},
    }  # fmt: skip


def measured(work: Callable[[], object]) -> Cost:
    """Run *work* once."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def ours(url: str, index: str, lines: list[bytes]) -> Cost:
    """The shipper's way: lines of the journal, enriched as the product does, to the sink."""
    sink = sink_at(url, index)
    sink.write(lines[:1])
    enrich = Enrichment(load())
    batches = [lines[at : at + BATCH] for at in range(1, len(lines), BATCH)]
    cost = measured(lambda: [sink.write(enriched(batch, enrich, sink.prepare)) for batch in batches])
    sink.close()
    return cost


def theirs(url: str, index: str, documents: list[dict[str, Any]]) -> Cost:
    """`helpers.bulk`, on documents that are dictionaries already."""
    sink_at(url, index).write([b'{"id":"first","kind":"llm"}'])
    with Elasticsearch(url, node_class=AnyVersion, request_timeout=60) as client:
        actions = [
            {
                "_op_type": "create",
                "_index": index,
                "_id": document["response"]["flywheel_log"]["id"],
                "_source": document,
            }
            for document in documents[1:]
        ]
        return measured(lambda: helpers.bulk(client, actions, chunk_size=BATCH))


def backlog(url: str, index: str, lines: list[bytes], root: Path) -> Cost:
    """The journal of a program that could not reach its server, when the server is back."""
    delivery = Delivery([sink_url(url, index)], root, enrich=Enrichment(load()))
    for line in lines:
        delivery.put(line)
    cost = measured(lambda: delivery.flush(None))
    delivery.close(2.0)
    return cost


def sink_at(url: str, index: str) -> ElasticsearchSink:
    """Open the sink."""
    return ElasticsearchSink(target(sink_url(url, index)))


def sink_url(url: str, index: str) -> str:
    """The server's URL as the sink's."""
    return f"{url.replace('http://', 'elasticsearch://')}/{index}?timeout=60"


@contextmanager
def server(given: str | None) -> Iterator[str]:
    """The server that was *given*, or one for this run alone."""
    if given:
        yield given.rstrip("/")
        return
    with tempfile.TemporaryDirectory(prefix="flywheel-log-") as folder:
        own = start(Path(folder) / "server")
        yield own.url
        own.leave()


@contextmanager
def fresh(api: Api) -> Iterator[str]:
    """A new index, removed afterwards."""
    name = f"bench-{uuid.uuid4().hex}"
    yield name
    api.remove(name)


def rounds(url: str, events: int) -> None:
    """Send the same events both ways in turns, and print the medians."""
    records = [event(number) for number in range(events)]
    lines, documents = [orjson.dumps(one) for one in records], [to_document(one) for one in records]
    costs: dict[str, list[Cost]] = {"flywheel_log": [], "helpers.bulk": []}
    for _ in range(ROUNDS):
        for name, send, what in (("flywheel_log", ours, lines), ("helpers.bulk", theirs, documents)):
            with fresh(Api(url)) as index:
                costs[name].append(send(url, index, what))
    for name, some in costs.items():
        wall, cpu = (statistics.median(column) for column in zip(*some, strict=True))
        print(f"{name:14} {events / wall:8,.0f} events/s {cpu / events * 1e6:8.1f} µs CPU/event")
    ratio = statistics.median(a.cpu_s / b.cpu_s for a, b in zip(*costs.values(), strict=True))
    print(f"client CPU, flywheel_log : helpers.bulk = {ratio:.2f} (bar 0.40)")


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--url")
    given = parser.parse_args()
    with server(given.url) as url:
        rounds(url, given.events)
        if given.backlog:
            lines = [
                orjson.dumps({k: v for k, v in event(number).items() if k != "id"}) for number in range(given.backlog)
            ]
            with fresh(Api(url)) as index, tempfile.TemporaryDirectory() as root:
                cost = backlog(url, index, lines, Path(root))
                Api(url)("POST", f"{index}/_refresh")
                stored = Api(url)("GET", f"{index}/_count")["count"]
            each = cost.cpu_s / given.backlog * 1e6
            print(f"backlog of {given.backlog:,}: {cost.wall_s:.1f} s, {each:.1f} µs CPU/event, {stored:,} stored")


if __name__ == "__main__":
    main()
