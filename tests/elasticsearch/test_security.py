"""Certificates and logins: how a secured server is reached, and what is said and kept while it lets nobody in."""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from flywheel_log import cli
from flywheel_log.delivery import Delivery, drain
from flywheel_log.delivery.tuning import Tuning
from flywheel_log.loop.reading.read import read

from .api import Api
from .events import event, line, lines
from .proxy import Proxy, demanding, proxied
from .server import wait_until

KEY = base64.b64encode(b"id:key").decode()
BASIC = base64.b64encode(b"elastic:p@ss:word").decode()
JOURNAL = Path("journal")  # In the directory of its own that each test has.
LINE = b'{"kind":"llm","timestamp":"2026-01-31T12:00:00.000Z","request":{},"response":{}}'


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "http_ca.crt"
    authority.cert_pem.write_to_path(str(path))
    return path


def serving(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def secured(
    elasticsearch_url: str, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, index: str
) -> Iterator[Proxy]:
    """A server that speaks TLS and wants the API key; the environment names it and the index."""
    with proxied(elasticsearch_url, serving(authority, "127.0.0.1")) as proxy:
        proxy.fault = demanding(f"ApiKey {KEY}")
        monkeypatch.setenv("ELASTICSEARCH_URL", proxy.url)
        monkeypatch.setenv("ELASTICSEARCH_INDEX", index)
        monkeypatch.setenv("FLYWHEEL_LOG_SINKS", "elasticsearch:")
        yield proxy


@pytest.fixture
def fix(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Asks the doctor what is to be mended of the server."""

    def ask() -> str:
        capsys.readouterr()
        assert cli.run(["doctor"]) == 1
        [said] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FIX  Elasticsearch at ")]
        return said.partition(": ")[2]

    return ask


@pytest.fixture
def stored(api: Api, index: str) -> Callable[[], set[str]]:
    """Tells the ids of what is in the index, if there is one."""
    return lambda: api.ids(index) if "status" not in api("GET", index) else set()


@pytest.mark.parametrize(
    ("header", "environment"),
    [
        (f"ApiKey {KEY}", {"ELASTICSEARCH_API_KEY": KEY}),
        (f"ApiKey {KEY}", {"ELASTICSEARCH_API_KEY": "id:key"}),
        (f"Basic {BASIC}", {"ELASTICSEARCH_USERNAME": "elastic", "ELASTICSEARCH_PASSWORD": "p@ss:word"}),
    ],
    ids=["an encoded key", "id:key", "user and password"],
)
def test_a_program_records_into_a_secured_server(
    header: str, environment: dict[str, str], secured: Proxy, ca: Path, stored: Callable[[], set[str]]
) -> None:
    secured.fault = demanding(header)
    program = (
        "import flywheel_log\n"
        "ask = flywheel_log.logged_llm(lambda prompt: 'fine')\n"
        "ask('How are you?')\n"
        "assert flywheel_log.flush(20) == 0, flywheel_log.stats()\n"
    )
    settings = {**os.environ, **environment, "ELASTICSEARCH_CA_CERTS": str(ca)}
    subprocess.run([sys.executable, "-c", program], env=settings, check=True, timeout=60)
    assert len(stored()) == 1


def test_a_login_may_stand_in_the_url(secured: Proxy, ca: Path, index: str, stored: Callable[[], set[str]]) -> None:
    secured.fault = demanding(f"Basic {BASIC}")
    host = secured.url.removeprefix("https://")
    url = f"elasticsearch://elastic:p%40ss%3Aword@{host}/{index}?tls=true&ca_certs={ca}&linger=0.01"
    delivery = Delivery([url], JOURNAL)
    delivery.put(LINE)
    assert delivery.flush(30) == 0
    assert len(stored()) == 1
    assert "elastic" not in str(delivery.stats()).replace("elasticsearch://", "")
    delivery.close(2.0)


def test_documents_wait_while_the_key_is_wrong_and_flow_when_it_is_mended(
    secured: Proxy,
    ca: Path,
    stored: Callable[[], set[str]],
    fix: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_CA_CERTS", str(ca))
    assert fix() == (
        "http 401; it wants a login: set ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD"
    )
    monkeypatch.setenv("ELASTICSEARCH_API_KEY", "expired:key")
    waits(JOURNAL, "http 401")
    assert fix() == (
        "http 401; it does not accept the API key: set ELASTICSEARCH_API_KEY to a valid one, encoded or as id:key"
    )
    with pytest.raises(ConnectionError, match="HTTP 401"):
        read("elasticsearch:")
    assert stored() == set()
    monkeypatch.setenv("ELASTICSEARCH_API_KEY", KEY)
    assert [(report.delivered, report.left) for report in drain(JOURNAL, 30)] == [(3, 0)]
    assert len(stored()) == 3
    assert cli.run(["doctor"]) == 0
    assert len(list(read("elasticsearch:"))) == 3


def test_a_wrong_password_is_called_that(
    secured: Proxy, ca: Path, monkeypatch: pytest.MonkeyPatch, fix: Callable[[], str]
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_CA_CERTS", str(ca))
    monkeypatch.setenv("ELASTICSEARCH_USERNAME", "elastic")
    monkeypatch.setenv("ELASTICSEARCH_PASSWORD", "changeme")
    assert fix() == (
        "http 401; it refuses the user or the password: correct ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD"
    )


def test_a_certificate_that_nobody_vouches_for_is_not_trusted_and_the_doctor_says_whose_is_needed(
    secured: Proxy,
    ca: Path,
    stored: Callable[[], set[str]],
    fix: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_API_KEY", KEY)
    waits(JOURNAL, "tls")
    assert fix().startswith("tls; its certificate is not trusted, or is for another name: set ELASTICSEARCH_CA_")
    assert secured.seen == []
    monkeypatch.setenv("ELASTICSEARCH_CA_CERTS", str(ca))
    assert cli.run(["drain", "--into", "elasticsearch:"]) == 0
    assert len(stored()) == 3


def test_a_certificate_of_another_host_is_not_trusted(
    elasticsearch_url: str, authority: trustme.CA, ca: Path, index: str
) -> None:
    with proxied(elasticsearch_url, serving(authority, "other.example")) as proxy:
        host = proxy.url.removeprefix("https://")
        waits(JOURNAL, "tls", f"elasticsearch://{host}/{index}?tls=true&ca_certs={ca}")
        assert proxy.seen == []


def test_a_file_without_certificates_is_named_as_a_matter_of_tls(
    secured: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fix: Callable[[], str]
) -> None:
    empty = tmp_path / "empty.crt"
    empty.write_text("no certificate")
    monkeypatch.setenv("ELASTICSEARCH_CA_CERTS", str(empty))
    waits(JOURNAL, "tls")
    assert "set ELASTICSEARCH_CA_CERTS to the file of the certificate that signed it" in fix()


def test_http_where_https_is_spoken_is_said_with_what_to_write(
    secured: Proxy, monkeypatch: pytest.MonkeyPatch, fix: Callable[[], str]
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", secured.url.replace("https", "http"))
    assert "A server with security on wants https://" in fix()


def test_the_commands_reach_a_secured_server(
    secured: Proxy, ca: Path, monkeypatch: pytest.MonkeyPatch, api: Api, index: str
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_CA_CERTS", str(ca))
    monkeypatch.setenv("ELASTICSEARCH_API_KEY", "id:key")
    log = Path("genai.log")
    log.write_bytes(b"".join(one + b"\n" for one in [*lines(5), line(9, kind="feedback")]))
    assert cli.run(["backfill", str(log)]) == 0
    api.refresh(f"{index},{index}-annotations")
    assert sorted(one["id"] for one in read("elasticsearch:")) == sorted([*(event(n)["id"] for n in range(5)), "run-9"])


def waits(root: Path, reason: str, url: str = "elasticsearch:") -> None:
    """Log three events with a program's delivery, and see that they wait for *reason*."""
    delivery = Delivery([url], root, tuning=Tuning(linger_s=0.01), random=lambda: 0.1)
    for _ in range(3):
        delivery.put(LINE)
    wait_until(lambda: _figures(delivery)["last_error"] == reason, 30, f"{reason}; {delivery.stats()}")
    assert (_figures(delivery)["waiting"], _figures(delivery)["acknowledged"]) == (3, 0)
    delivery.close(0.0)


def _figures(delivery: Delivery) -> dict:
    [figures] = delivery.stats()["sinks"].values()
    return figures
