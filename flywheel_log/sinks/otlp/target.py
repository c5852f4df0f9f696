"""Which collector, and how to get in: the sink's URL over the `OTEL_EXPORTER_OTLP_*` environment of the standard."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from flywheel_log.health import health
from flywheel_log.sinks._parameters import Parameters

PATH = "/v1/traces"
CONTENTS = ("json", "off", "structured")
_CERTIFICATES = {"ca_certs": "CERTIFICATE", "cert_file": "CLIENT_CERTIFICATE", "key_file": "CLIENT_KEY"}
_FORM = "otlp://host:4318"
_PREFIX = "OTEL_EXPORTER_OTLP_"


@dataclass(frozen=True)
class Target:
    """Where spans go.

    Attributes:
        url: the address that requests are posted to.
        headers: what the environment says to send along; credentials, mostly.
        content: how prompts and answers are sent: "structured", as one "json" string an attribute, or "off".
        gzip: whether requests are compressed.
        timeout: seconds for one request.
        certificates: paths for TLS, under urllib3's names; what is not set is left out.
        resource: what the environment says of the program, by OpenTelemetry's names.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: str
    gzip: bool
    timeout: float
    certificates: Mapping[str, str]
    resource: Mapping[str, str]


def target(url: str) -> Target:
    """Read a sink's *url*, `otlp://host:4318[/path][?tls=true&content=…&compression=gzip&timeout=10]`.

    `otlp:` alone takes the collector from `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT`, and is
    `http://localhost:4318` without them, as the standard says: https://opentelemetry.io/docs/specs/otel/protocol/exporter/

    Raises:
        ValueError: something in the URL or the environment is wrong; the message says how to write it.
    """
    parts = urlsplit(url)
    given = Parameters(url, ("compression", "content", "timeout", "tls"))
    address = _address(parts.netloc, parts.path, given) if parts.netloc else _environment_address()
    return Target(
        url=address,
        headers=_headers(address),
        content=given.word("content", CONTENTS, "structured"),
        gzip=given.word("compression", ("gzip", "none"), _variable("COMPRESSION") or "none") == "gzip",
        timeout=given.seconds("timeout", 10),
        certificates={name: path for name, known in _CERTIFICATES.items() if (path := _variable(known))},
        resource=_resource(),
    )


def resolve(url: str) -> str:
    """Return *url* with the collector that it leaves to the environment written out."""
    parts = urlsplit(url)
    if parts.netloc:
        return url
    known = urlsplit(target(url).url)
    options = dict(parse_qsl(parts.query)) | ({"tls": "true"} if known.scheme == "https" else {})
    port = known.port or (443 if known.scheme == "https" else 80)
    return f"otlp://{_host(known.hostname)}:{port}{known.path or '/'}" + (f"?{urlencode(options)}" if options else "")


def _address(netloc: str, path: str, given: Parameters) -> str:
    if "@" in netloc:
        raise ValueError(f"sink 'otlp' takes credentials from {_PREFIX}HEADERS; write {_FORM} without any")
    parts = urlsplit(f"//{netloc}")
    try:
        port = parts.port or 4318
    except ValueError:
        port = 0
    if not parts.hostname or not port:
        raise ValueError(f"sink 'otlp' has no host {netloc!r}; write {_FORM}")
    return f"{given.scheme(netloc)}://{_host(parts.hostname)}:{port}{path or PATH}"


def _host(name: str | None) -> str:
    return f"[{name}]" if name and ":" in name else name or ""


def _environment_address() -> str:
    """The standard's: the address for traces as it is, or that of all signals with the path of traces behind it."""
    protocol = _variable("PROTOCOL") or "http/protobuf"
    if protocol == "grpc":
        raise ValueError(f"{_PREFIX}PROTOCOL is 'grpc'; sink 'otlp' speaks http/protobuf: write {_FORM}")
    own, every = (os.environ.get(f"{_PREFIX}{name}") for name in ("TRACES_ENDPOINT", "ENDPOINT"))
    address = own or f"{(every or 'http://localhost:4318').rstrip('/')}{PATH}"
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{_PREFIX}ENDPOINT is {own or every!r}; write http://host:4318 or https://host:4318")
    return address


def _headers(address: str) -> dict[str, str]:
    """The environment's headers, which are meant for the collector that it names, if it names one."""
    pairs = [pair.partition("=") for pair in (_variable("HEADERS") or "").split(",") if pair.strip()]
    headers = {unquote(name).strip().lower(): unquote(value).strip() for name, _, value in pairs}
    named = _variable("ENDPOINT")
    if headers and named and urlsplit(named)[:2] != urlsplit(address)[:2]:
        health.warn(f"{_PREFIX}HEADERS are meant for {urlsplit(named).netloc}, so they are not sent elsewhere")
        return {}
    return headers


def _variable(name: str) -> str | None:
    """The standard's variable *name*: that for traces, or that for all signals."""
    return os.environ.get(f"{_PREFIX}TRACES_{name}") or os.environ.get(f"{_PREFIX}{name}") or None


def _resource() -> dict[str, str]:
    pairs = [pair.partition("=") for pair in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",") if "=" in pair]
    resource = {name.strip(): unquote(value).strip() for name, _, value in pairs}
    if name := os.environ.get("OTEL_SERVICE_NAME"):
        resource["service.name"] = name
    return resource
