"""What the sink's URL and the environment mean together, and what is said when they are wrong."""

from __future__ import annotations

import base64
import logging
from pathlib import Path

import pytest

from flywheel_log.config import load
from flywheel_log.sinks.elasticsearch.target import Target, target

KEY = {"ELASTICSEARCH_API_KEY": "aWQ6a2V5"}
PASSWORD = {"ELASTICSEARCH_USERNAME": "u", "ELASTICSEARCH_PASSWORD": "p@ss"}


def test_the_seeds_three_variables_are_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "http://es.example:9200")
    assert target("elasticsearch:") == Target(
        nodes=("http://es.example:9200",),
        index="llm-logs",
        authorization="",
        ca_certs="",
        timeout=10.0,
        linger=1.0,
        dead_letters=tmp_path / "dead-letters" / "llm-logs.jsonl",
    )
    monkeypatch.setenv("ELASTICSEARCH_INDEX", "aiva-llm-logs")
    assert target("elasticsearch:").annotations == "aiva-llm-logs-annotations"


@pytest.mark.parametrize(
    ("url", "nodes", "index"),
    [
        ("elasticsearch://h/i", ("http://h:9200",), "i"),
        ("elasticsearch://h:9201/i", ("http://h:9201",), "i"),
        ("elasticsearch://h:443/i", ("https://h:443",), "i"),
        ("elasticsearch://h:9200/i?tls=true", ("https://h:9200",), "i"),
        ("elasticsearch://h?tls=true", ("https://h:443",), "llm-logs"),
        ("elasticsearch://a:1,b:2/i", ("http://a:1", "http://b:2"), "i"),
        ("elasticsearch://gate/team/es/i", ("http://gate:9200/team/es",), "i"),
        ("elasticsearch://[::1]:9200/i", ("http://[::1]:9200",), "i"),
    ],
)
def test_a_sink_url_names_servers_and_index(url: str, nodes: tuple[str, ...], index: str) -> None:
    found = target(url)
    assert (found.nodes, found.index) == (nodes, index)


@pytest.mark.parametrize(
    ("url", "nodes"),
    [
        ("http://h", ("http://h:9200",)),
        ("https://my.es.europe.cloud.example", ("https://my.es.europe.cloud.example:443",)),
        ("http://a:1, http://b:2", ("http://a:1", "http://b:2")),
        ("https://gate/es/", ("https://gate:443/es",)),
    ],
)
def test_the_environment_names_servers(url: str, nodes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", url)
    assert target("elasticsearch:").nodes == nodes


def cloud_id(text: str) -> str:
    return f"my-deployment:{base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("europe.cloud.example$abc123$def456", "https://abc123.europe.cloud.example:443"),
        ("europe.cloud.example:9243$abc123$def456", "https://abc123.europe.cloud.example:9243"),
        ("europe.cloud.example$abc123", "https://abc123.europe.cloud.example:443"),
    ],
)
def test_a_cloud_id_names_a_server(text: str, node: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_CLOUD_ID", cloud_id(text))
    monkeypatch.setenv("ELASTICSEARCH_API_KEY", "aWQ6a2V5")
    found = target("elasticsearch:")
    assert (found.nodes, found.authorization) == ((node,), "ApiKey aWQ6a2V5")
    assert target("elasticsearch://other/i").authorization == ""
    assert load().sinks == ("file:genai.log", "elasticsearch:")


@pytest.mark.parametrize(
    ("environment", "url", "header"),
    [
        ({}, "elasticsearch://u:p%40ss@h/i", "Basic dTpwQHNz"),
        ({"ELASTICSEARCH_USERNAME": "u", "ELASTICSEARCH_PASSWORD": "p@ss"}, "elasticsearch://h/i", "Basic dTpwQHNz"),
        ({"ELASTICSEARCH_URL": "http://u:p%40ss@h"}, "elasticsearch:", "Basic dTpwQHNz"),
        ({"ELASTICSEARCH_URL": "http://u:p%40ss@h"}, "elasticsearch://h:9200/i", "Basic dTpwQHNz"),
        ({"ELASTICSEARCH_URL": "http://u:p%40ss@h"}, "elasticsearch://other:9200/i", ""),
        ({"ELASTICSEARCH_API_KEY": "aWQ6a2V5"}, "elasticsearch://h/i", "ApiKey aWQ6a2V5"),
        ({"ELASTICSEARCH_API_KEY": "id:key"}, "elasticsearch://h/i", "ApiKey aWQ6a2V5"),
        ({"ELASTICSEARCH_URL": "http://g,http://h", **KEY}, "elasticsearch://h/i", "ApiKey aWQ6a2V5"),
        ({"ELASTICSEARCH_URL": "http://h", **KEY}, "elasticsearch://other/i", ""),
        ({"ELASTICSEARCH_URL": "http://h", **KEY}, "elasticsearch://h,other/i", ""),
        ({"ELASTICSEARCH_URL": "https://h:9200", **KEY}, "elasticsearch://h:9200/i", ""),
        ({"ELASTICSEARCH_URL": "http://h", **KEY}, "elasticsearch://u:p%40ss@other/i", "Basic dTpwQHNz"),
        ({"ELASTICSEARCH_URL": "http://h", **PASSWORD}, "elasticsearch://other/i", ""),
    ],
)
def test_credentials_become_a_header_that_is_never_shown(
    environment: dict[str, str], url: str, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = target(url)
    assert found.authorization == header
    assert "Basic" not in repr(found)
    assert "ApiKey" not in repr(found)


def test_the_url_of_a_target_means_the_same_without_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificates = tmp_path / "ca.pem"
    certificates.touch()
    monkeypatch.setenv("ELASTICSEARCH_URL", "https://u:p@a/es,https://u:p@b/es")
    monkeypatch.setenv("ELASTICSEARCH_INDEX", "flywheel")
    monkeypatch.setenv("ELASTICSEARCH_CA_CERTS", str(certificates))
    found = target("elasticsearch:")
    monkeypatch.delenv("ELASTICSEARCH_INDEX")
    monkeypatch.delenv("ELASTICSEARCH_CA_CERTS")
    assert target(found.url) == found
    assert "u:p" not in found.url


def test_the_blueprints_index_variable_is_an_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ES_COLLECTION_NAME", "flywheel")
    assert target("elasticsearch://h").index == "flywheel"


def test_two_variables_that_disagree_are_both_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ES_COLLECTION_NAME", "flywheel")
    monkeypatch.setenv("ELASTICSEARCH_INDEX", "mine")
    with caplog.at_level(logging.WARNING, "flywheel_log"):
        assert target("elasticsearch://h").index == "mine"
    said = "flywheel_log: ELASTICSEARCH_INDEX=mine and ES_COLLECTION_NAME=flywheel disagree: mine is used"
    assert caplog.messages == [said]


@pytest.mark.parametrize(
    ("environment", "url", "message"),
    [
        ({}, "elasticsearch:", "'elasticsearch:' names no server; set ELASTICSEARCH_URL, or write elasticsearch://h"),
        (
            {"ELASTICSEARCH_URL": "h:9200"},
            "elasticsearch:",
            "'h:9200' is not the URL of an Elasticsearch server; write http",
        ),
        (
            {"ELASTICSEARCH_URL": "https://h", "ELASTICSEARCH_CLOUD_ID": cloud_id("a$b")},
            "elasticsearch:",
            "ELASTICSEARCH_URL and ELASTICSEARCH_CLOUD_ID are both set; keep the one that is meant",
        ),
        (
            {"ELASTICSEARCH_CLOUD_ID": "my-deployment"},
            "elasticsearch:",
            "ELASTICSEARCH_CLOUD_ID is not a Cloud ID; copy name:c29t… from the deployment's page",
        ),
        (
            {"ELASTICSEARCH_CLOUD_ID": cloud_id("example.com")},
            "elasticsearch:",
            "ELASTICSEARCH_CLOUD_ID is not a Cloud ID",
        ),
        ({}, "elasticsearch://h:port/i", "'http://h:port' is not the URL of an Elasticsearch server"),
        ({}, "elasticsearch://h/Logs", "'Logs' is not a valid index name; expected lower-case letters"),
        ({}, f"elasticsearch://h/{'x' * 250}", "at most 243 bytes"),
        (
            {},
            "elasticsearch://h/i?retries=3",
            "no parameter retries; expected one of ca_certs, dead_letters, linger, timeout, tls",
        ),
        ({}, "elasticsearch://h/i?timeout=soon", "wants seconds between 0 and 600 as timeout; got 'soon'"),
        ({}, "elasticsearch://h/i?tls=maybe", "sink 'elasticsearch' has no tls 'maybe'; expected one of false, true"),
        ({"ELASTICSEARCH_CA_CERTS": "/no/such"}, "elasticsearch://h/i", "names /no/such, which does not exist"),
        (
            {"ELASTICSEARCH_USERNAME": "u"},
            "elasticsearch://h/i",
            "ELASTICSEARCH_USERNAME is set, and ELASTICSEARCH_PASSWORD is not; set both, or neither",
        ),
        (
            {"ELASTICSEARCH_PASSWORD": "p"},
            "elasticsearch://h/i",
            "ELASTICSEARCH_PASSWORD is set, and ELASTICSEARCH_USERNAME is not; set both, or neither",
        ),
        (
            {"ELASTICSEARCH_API_KEY": "k", "ELASTICSEARCH_USERNAME": "u"},
            "elasticsearch://h/i",
            "ELASTICSEARCH_API_KEY and ELASTICSEARCH_USERNAME are both set",
        ),
    ],
)
def test_a_mistake_is_named_at_once_with_what_is_right(
    environment: dict[str, str], url: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError) as problem:  # noqa: PT011  the message is compared below
        target(url)
    assert message in str(problem.value)


def test_a_password_is_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "user:secret@h:9200")
    with pytest.raises(ValueError, match="'h:9200' is not the URL"):
        target("elasticsearch:")
