"""One request to the server: what is sent, what comes back, and what nobody else gets to see of it."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from flywheel_log.sinks.elasticsearch.cluster import Answer, Cluster, Unreachable
from flywheel_log.sinks.elasticsearch.target import target

from .proxy import Proxy, refused, silent, unanswered
from .sink import url_of


@pytest.fixture
def cluster(proxy: Proxy) -> Iterator[Cluster]:
    cluster = Cluster(target(f"{proxy.url.replace('http://', 'elasticsearch://elastic:changeme@')}/some-index"))
    yield cluster
    cluster.close()


def test_credentials_and_media_types_that_every_server_accepts_are_sent(cluster: Cluster, proxy: Proxy) -> None:
    cluster.request("POST", "/_bulk", b'{"delete":{"_index":"i","_id":"1"}}\n')
    method, path, headers = proxy.seen[0]
    assert (method, path) == ("POST", "/_bulk")
    assert {name: headers[name] for name in ("authorization", "content-type", "accept")} == {
        "authorization": "Basic ZWxhc3RpYzpjaGFuZ2VtZQ==",
        "content-type": "application/x-ndjson",
        "accept": "application/json",
    }


def test_an_answer_that_is_no_json_keeps_its_status(cluster: Cluster, proxy: Proxy) -> None:
    proxy.fault = refused(502, retry_after="3")
    answer = cluster.request("GET", "/")
    assert answer == Answer(502, b"<html>no</html>", 3.0)
    assert answer.body is None
    proxy.fault = refused(503, content_type="image/png")
    with pytest.raises(Unreachable, match="unreachable"):
        cluster.request("GET", "/")


def test_retry_after_may_be_a_date(cluster: Cluster, proxy: Proxy) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=100)
    proxy.fault = refused(429, retry_after=format_datetime(soon, usegmt=True))
    assert 90 < (cluster.request("GET", "/").after or 0) <= 100
    proxy.fault = refused(429, retry_after="soon")
    assert cluster.request("GET", "/").after is None


@pytest.mark.parametrize("mistake", ["86400", "9" * 400, "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_gateways_mistake_in_retry_after_stops_nobody_for_more_than_ten_minutes(
    mistake: str, cluster: Cluster, proxy: Proxy
) -> None:
    proxy.fault = refused(503, retry_after=mistake)
    assert cluster.request("GET", "/").after == 600.0


def test_several_requests_share_one_limit_of_time(proxy: Proxy) -> None:
    now = [0.0]
    cluster = Cluster(target(url_of(proxy.url, "i")), lambda: now[0])
    cluster.limit(5.0)
    assert cluster.request("GET", "/_cluster/health").status == 200
    now[0] = 5.1
    with pytest.raises(Unreachable, match="timeout"):
        cluster.request("GET", "/_cluster/health")
    proxy.fault = silent
    cluster.limit(0.2)
    with pytest.raises(Unreachable, match="timeout"):
        cluster.request("GET", "/_cluster/health")


def test_a_lost_answer_is_unreachable(cluster: Cluster, proxy: Proxy) -> None:
    proxy.fault = unanswered
    with pytest.raises(Unreachable, match="unreachable"):
        cluster.request("GET", "/_cluster/health")


def test_a_server_that_answers_is_kept_to_and_one_that_does_not_is_left_at_once(proxy: Proxy) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        hosts = f"127.0.0.1:{nobody.getsockname()[1]},{proxy.url.removeprefix('http://')}"
        clusters = [Cluster(target(f"elasticsearch://{hosts}/i")) for _ in range(20)]
        failed = [sum(map(_fails, [cluster] * 5)) for cluster in clusters]
        assert {*failed} <= {0, 1}
        assert 0 < sum(failed) < len(failed), "they do not all begin with the same server"


def test_the_next_server_is_asked_after_an_error_of_the_first(proxy: Proxy, elasticsearch_url: str) -> None:
    proxy.fault = refused(503)
    hosts = f"{proxy.url.removeprefix('http://')},{elasticsearch_url.removeprefix('http://')}"
    cluster = Cluster(target(f"elasticsearch://{hosts}/i"))
    assert sorted(cluster.request("GET", "/_cluster/health").status for _ in range(5))[:4] == [200] * 4


def test_where_to_begin_is_not_drawn_from_the_program_s_own_random_numbers(elasticsearch_url: str) -> None:
    random.seed(1)
    expected = random.random()
    random.seed(1)
    host = elasticsearch_url.removeprefix("http://")
    cluster = Cluster(target(f"elasticsearch://{host},127.0.0.1:1/i"))
    _fails(cluster)
    assert random.random() == expected


def test_what_a_connection_needs_is_loaded_when_the_sink_is_opened() -> None:
    program = """
import sys
from flywheel_log.sinks import open_sink
open_sink("elasticsearch://127.0.0.1:1/i")
print("elastic_transport" in sys.modules)
"""
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "True\n"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_a_connection_of_its_own(cluster: Cluster) -> None:
    assert cluster.request("GET", "/_cluster/health").status == 200
    parents = cluster._transport
    pid = os.fork()
    if pid == 0:
        apart = cluster.request("GET", "/_cluster/health").status == 200 and cluster._transport is not parents
        os._exit(0 if apart else 1)
    try:
        assert os.waitpid(pid, 0)[1] == 0
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    assert cluster.request("GET", "/_cluster/health").status == 200


def test_opentelemetry_sees_nothing_of_our_requests(cluster: Cluster) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    URLLib3Instrumentor().instrument(tracer_provider=provider)
    try:
        cluster.request("GET", "/_cluster/health")
        assert spans.get_finished_spans() == ()
        cluster._connected().perform_request("GET", "/_cluster/health")
        assert [span.name for span in spans.get_finished_spans()] == ["GET"]
    finally:
        URLLib3Instrumentor().uninstrument()


def _fails(cluster: Cluster) -> bool:
    try:
        return cluster.request("GET", "/_cluster/health").status != 200
    except Unreachable:
        return True
