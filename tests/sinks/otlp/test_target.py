"""Where spans go: URLs over the environment of OpenTelemetry's standard."""

from __future__ import annotations

import re

import pytest

from flywheel_log.sinks import open_sink, resolve
from flywheel_log.sinks.otlp.target import target

PREFIX = "OTEL_EXPORTER_OTLP_"


@pytest.mark.parametrize(
    ("url", "environment", "address"),
    [
        ("otlp:", {}, "http://localhost:4318/v1/traces"),
        ("otlp://collector", {}, "http://collector:4318/v1/traces"),
        ("otlp://[::1]:4318", {}, "http://[::1]:4318/v1/traces"),
        ("otlp://api.example:443/otlp/v1/traces", {}, "https://api.example:443/otlp/v1/traces"),
        ("otlp://collector:4318?tls=true", {}, "https://collector:4318/v1/traces"),
        ("otlp:", {"ENDPOINT": "https://in.example/otlp/"}, "https://in.example/otlp/v1/traces"),
        ("otlp:", {"TRACES_ENDPOINT": "http://t:1/x", "ENDPOINT": "http://e:2"}, "http://t:1/x"),
        ("otlp://named:9", {"ENDPOINT": "http://e:2"}, "http://named:9/v1/traces"),
    ],
)
def test_the_address(url: str, environment: dict[str, str], address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(PREFIX + name, value)
    assert target(url).url == address


@pytest.mark.parametrize(
    ("endpoint", "resolved"),
    [
        ("https://in.example/otlp", "otlp://in.example:443/otlp/v1/traces?content=off&tls=true"),
        ("http://collector:4318", "otlp://collector:4318/v1/traces?content=off"),
    ],
)
def test_a_url_is_written_out_so_that_it_means_the_same_to_another_process(
    endpoint: str, resolved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + "ENDPOINT", endpoint)
    named = target("otlp:?content=off").url
    assert resolve("otlp:?content=off") == resolved
    monkeypatch.delenv(PREFIX + "ENDPOINT")
    assert target(resolved).url.replace(":443/", "/") == named


def test_headers_go_to_the_collector_they_are_meant_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "HEADERS", "api-key=secret")
    assert target("otlp://anywhere").headers == {"api-key": "secret"}
    monkeypatch.setenv(PREFIX + "ENDPOINT", "http://mine:4318")
    assert target("otlp://mine:4318").headers == {"api-key": "secret"}
    assert target("otlp://other:4318").headers == {}
    assert "secret" not in repr(target("otlp:"))


def test_the_programs_own_names_are_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=x,deployment.environment.name=prod%20eu")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    assert target("otlp:").resource == {"service.name": "shop", "deployment.environment.name": "prod eu"}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "otlp://h?colour=red",
            "sink 'otlp' has no parameter colour; expected one of compression, content, timeout, tls",
        ),
        ("otlp://h?content=some", "sink 'otlp' has no content 'some'; expected one of json, off, structured"),
        ("otlp://h?timeout=never", "sink 'otlp' wants seconds between 0 and 600 as timeout; got 'never'"),
        ("otlp://h:port", "sink 'otlp' has no host 'h:port'; write otlp://host:4318"),
        ("otlp://me:pass@h", "sink 'otlp' takes credentials from OTEL_EXPORTER_OTLP_HEADERS; write otlp://host:4318"),
    ],
)
def test_a_wrong_url_is_an_error_that_names_both_sides(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        open_sink(url)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'; sink 'otlp' speaks http/protobuf"),
        ("ENDPOINT", "collector:4318", "OTEL_EXPORTER_OTLP_ENDPOINT is 'collector:4318'; write http://host:4318"),
    ],
)
def test_a_wrong_environment_is_an_error_that_names_both_sides(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(ValueError, match=re.escape(message)):
        open_sink("otlp:")
