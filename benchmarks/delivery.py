"""What bringing events into Elasticsearch costs: events a second, client CPU an event, and how long a backlog takes.

    python -m benchmarks.delivery [--events 20000] [--backlog 100000] [--url http://localhost:9200]

Without --url a server of the tests' own is started. Two ways are taken in turns, in batches of 500, to the same server:

- ours: lines as the journal has them, whose answers nobody has read yet. Each is read and enriched (counts, marks,
  price, the prompt's hash), whatever sink it is for; and it is delivered: made a document, sent, and judged by the
  server's answer. The first is timed once alone and once with the second.
- `helpers.bulk` of the official client: the same documents, ready made, as dictionaries.

Neither compresses. The machine's other work disturbs both: of the rounds, the fastest fifth counts.
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
ROUND = 2_000
FASTEST = 0.2


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
    """A chat of about 2 KB, under the system message of all of them."""
    history = [
        {"role": "system", "content": "rules " * 60},
        {"role": "user", "content": f"{number} " + "why? " * 60},
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


def unread(number: int) -> bytes:
    """The chat as the journal has it: counts and price are found behind it."""
    known = {key: value for key, value in event(number).items() if key not in ("input_tokens", "output_tokens")}
    return orjson.dumps({"id": known.pop("id"), "unread": 1, **known})


def finished(line: bytes) -> dict[str, Any]:
    """The document that *line* becomes."""
    [whole] = enriched([line], Enrichment(load()))
    return to_document(orjson.loads(whole))


def ours(url: str, index: str, lines: list[bytes]) -> tuple[Cost, Cost]:
    """The shipper's way: what reading and enriching *lines* costs, and what reading and delivering them costs."""
    sink = sink_at(url, index)
    sink.write(lines[:1])
    enrich = Enrichment(load())
    enriched(lines[:1], enrich)
    batches = [lines[at : at + BATCH] for at in range(1, len(lines), BATCH)]
    reading = measured(lambda: [enriched(batch, enrich) for batch in batches])
    both = measured(lambda: [sink.write(enriched(batch, enrich, sink.prepare)) for batch in batches])
    sink.close()
    return reading, both


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
    """Send the same events both ways in turns, and print what the fastest fifth of the rounds says."""
    costs: dict[str, list[Cost]] = {"read and enriched": [], "all of flywheel_log": [], "helpers.bulk": []}
    lines = [unread(number) for number in range(ROUND + 1)]
    documents = [finished(line) for line in lines]
    for _ in range(max(5, events // ROUND)):
        with fresh(Api(url)) as index:
            reading, both = ours(url, index, lines)
        with fresh(Api(url)) as index:
            costs["helpers.bulk"].append(theirs(url, index, documents))
        costs["read and enriched"].append(reading)
        costs["all of flywheel_log"].append(both)
    report({name: fastest(some) for name, some in costs.items()})


def fastest(costs: list[Cost]) -> Cost:
    """The mean of the fastest fifth, by wall and by processor time, of one event."""
    few = max(1, round(len(costs) * FASTEST))
    wall, cpu = (statistics.mean(sorted(column)[:few]) / ROUND for column in zip(*costs, strict=True))
    return Cost(wall, cpu)


def report(costs: dict[str, Cost]) -> None:
    """Print the *costs* of an event, and how ours compare with those of `helpers.bulk`."""
    reading, both, bulk = costs.values()
    delivered = both.cpu_s - reading.cpu_s
    for name, cost in costs.items():
        rate = f"{1 / cost.wall_s:,.0f} events/s"
        print(f"{name:22}{rate:>18}{cost.cpu_s * 1e6:8.1f} µs CPU/event, {cost.cpu_s / bulk.cpu_s:.2f} of helpers.bulk")
    share = f"{delivered / bulk.cpu_s:.2f} of helpers.bulk (bar 0.40)"
    print(f"{'delivered, the rest':40}{delivered * 1e6:8.1f} µs CPU/event, {share}")


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
            lines = [b"{" + unread(number).partition(b",")[2] for number in range(given.backlog)]
            with fresh(Api(url)) as index, tempfile.TemporaryDirectory() as root:
                cost = backlog(url, index, lines, Path(root))
                Api(url)("POST", f"{index}/_refresh")
                stored = Api(url)("GET", f"{index}/_count")["count"]
            each = cost.cpu_s / given.backlog * 1e6
            print(f"backlog of {given.backlog:,}: {cost.wall_s:.1f} s, {each:.1f} µs CPU/event, {stored:,} stored")


if __name__ == "__main__":
    main()
