"""Which server, which index, and how to get in: the sink's URL over the `ELASTICSEARCH_*` environment."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from flywheel_log.event import JSON
from flywheel_log.health import health
from flywheel_log.process.state_directory import state_directory
from flywheel_log.sinks._parameters import Parameters

DEFAULT_INDEX = "llm-logs"
_PARAMETERS = ("ca_certs", "dead_letters", "linger", "timeout", "tls")
_FORM = "elasticsearch://host:9200/index"
_INDEX = re.compile(r"[^A-Z \"*\\<|,>/?#:_+\-][^A-Z \"*\\<|,>/?#:]*")
_LONGEST_INDEX = 255 - len("-annotations")


class Environment(BaseSettings):
    """What the seeds, the blueprint and a secured cluster put into the environment."""

    model_config = SettingsConfigDict(env_prefix="ELASTICSEARCH_", env_ignore_empty=True, extra="ignore")

    url: str = ""
    cloud_id: str = ""
    index: str = ""
    collection: str = Field(default="", validation_alias="ES_COLLECTION_NAME")
    api_key: SecretStr = SecretStr("")
    username: str = ""
    password: SecretStr = SecretStr("")
    ca_certs: str = ""

    @property
    def servers(self) -> str:
        """The servers' URLs, with commas: `url`, or the one that a Cloud ID holds; "" where neither is set."""
        if not self.cloud_id:
            return self.url
        if self.url:
            raise ValueError("ELASTICSEARCH_URL and ELASTICSEARCH_CLOUD_ID are both set; keep the one that is meant")
        from elastic_transport.client_utils import parse_cloud_id

        try:
            address = parse_cloud_id(self.cloud_id).es_address
        except ValueError:
            address = None
        if address is None:
            raise ValueError("ELASTICSEARCH_CLOUD_ID is not a Cloud ID; copy name:c29t… from the deployment's page")
        return f"https://{address[0]}:{address[1]}"


@dataclass(frozen=True)
class Target:
    """Where documents go.

    Attributes:
        nodes: the servers' URLs, without credentials.
        index: of the calls; other events go to `annotations`.
        authorization: the value of the HTTP header, or "".
        ca_certs: path of the certificates to trust, or "" for the usual ones.
        timeout: seconds for one request.
        linger: seconds for a batch to grow.
        dead_letters: the file of the documents that Elasticsearch will never take.
    """

    nodes: tuple[str, ...]
    index: str
    authorization: str = field(repr=False)
    ca_certs: str
    timeout: float
    linger: float
    dead_letters: Path

    @property
    def url(self) -> str:
        """The target as one URL that means the same in every environment; credentials stay in the environment."""
        first = urlsplit(self.nodes[0])
        hosts = ",".join(urlsplit(node).netloc for node in self.nodes)
        options = {"tls": "true"} if first.scheme == "https" else {}
        options |= {"ca_certs": self.ca_certs} if self.ca_certs else {}
        return f"elasticsearch://{hosts}{first.path}/{self.index}" + (f"?{urlencode(options)}" if options else "")

    @property
    def annotations(self) -> str:
        """The index of feedback, steps and retrievals."""
        return f"{self.index}-annotations"

    def index_of(self, event: JSON) -> str:
        """The index that *event* goes to; a record of another logger is a call."""
        return self.index if event.get("kind", "llm") == "llm" else self.annotations


def target(url: str) -> Target:
    """Read a sink's or source's *url*, e.g. `elasticsearch://host:9200/index?tls=true`, over the environment.

    `elasticsearch:` alone takes everything from the environment. Options are `tls`, `ca_certs` (a path), `timeout`
    (seconds, 10), `linger` (seconds, 1) and `dead_letters` (a path).

    Raises:
        ValueError: no server is named, or something is wrong; the message says how to write it.
    """
    environment = Environment()
    parts = urlsplit(url)
    given = Parameters(url, _PARAMETERS)
    prefix, _, index = parts.path.rpartition("/")
    nodes, login = _servers(parts.netloc, prefix, given, environment.servers)
    index = _checked_index(index or _environment_index(environment))
    return Target(
        nodes=nodes,
        index=index,
        authorization=_authorization(environment, nodes, login),
        ca_certs=_existing(given.text("ca_certs") or environment.ca_certs),
        timeout=given.seconds("timeout", 10),
        linger=given.seconds("linger", 1),
        dead_letters=Path(letters) if (letters := given.text("dead_letters")) is not None else _dead_letters(index),
    )


def resolve(url: str) -> str:
    """Return *url* with the servers and the index that it leaves to the environment written out."""
    parts = urlsplit(url)
    if parts.netloc and parts.path.strip("/"):
        return url
    known = urlsplit(target(url).url)
    login = parts.netloc.rpartition("@")[0]
    options = dict(parse_qsl(known.query)) | dict(parse_qsl(parts.query, keep_blank_values=True))
    netloc = f"{login}@{known.netloc}" if login else known.netloc
    return known._replace(netloc=netloc, query=urlencode(options)).geturl()


def _servers(netloc: str, prefix: str, given: Parameters, urls: str) -> tuple[tuple[str, ...], str]:
    """The servers' URLs and the login: those of the sink's URL; what that leaves out is the environment's."""
    if not netloc:
        return _environment_nodes(urls)
    nodes, login = _nodes(netloc, prefix, given)
    if urls and not login:
        known, known_login = _environment_nodes(urls)
        login = known_login if set(nodes) <= set(known) else ""
    return nodes, login


def _nodes(netloc: str, prefix: str, given: Parameters) -> tuple[tuple[str, ...], str]:
    """The servers of `elasticsearch://a:9200,b:9200/…`."""
    userinfo, _, hosts = netloc.rpartition("@")
    return tuple(_node(f"{given.scheme(hosts)}://{host}{prefix}") for host in hosts.split(",")), _login(userinfo)


def _environment_nodes(urls: str) -> tuple[tuple[str, ...], str]:
    if not urls:
        raise ValueError(f"'elasticsearch:' names no server; set ELASTICSEARCH_URL, or write {_FORM}")
    split = [urlsplit(url.strip()) for url in urls.split(",")]
    plain = [parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl() for parts in split]
    return tuple(map(_node, plain)), _login(split[0].netloc.rpartition("@")[0])


def _node(url: str) -> str:
    """Check and complete the URL of a server, which has no credentials in it."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 9200)
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or not port:
        shown = url.rpartition("@")[2]
        raise ValueError(
            f"{shown!r} is not the URL of an Elasticsearch server; write http://host:9200 or https://host:9200"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"


def _login(userinfo: str) -> str:
    user, _, password = userinfo.partition(":")
    return f"{unquote(user)}:{unquote(password)}" if user else ""


def _authorization(environment: Environment, nodes: tuple[str, ...], login: str) -> str:
    key, user, password = environment.api_key.get_secret_value(), environment.username, environment.password
    if key and user:
        raise ValueError("ELASTICSEARCH_API_KEY and ELASTICSEARCH_USERNAME are both set; keep the one that is meant")
    if user and not password:
        raise ValueError("ELASTICSEARCH_USERNAME is set, and ELASTICSEARCH_PASSWORD is not; set both, or neither")
    if password and not (user or key or login):
        raise ValueError("ELASTICSEARCH_PASSWORD is set, and ELASTICSEARCH_USERNAME is not; set both, or neither")
    if (key or user) and not _trusted(nodes, environment.servers):
        name = "ELASTICSEARCH_API_KEY" if key else "ELASTICSEARCH_PASSWORD"
        health.warn(f"{name} is meant for the servers of ELASTICSEARCH_URL, so it is not sent to {', '.join(nodes)}")
        key = user = ""
    if user:
        login = f"{user}:{password.get_secret_value()}"
    if key:
        return f"ApiKey {_base64(key) if ':' in key else key}"
    return f"Basic {_base64(login)}" if login else ""


def _trusted(nodes: tuple[str, ...], urls: str) -> bool:
    """Whether the environment's credentials are meant for *nodes*: no server is named there, or all of these are."""
    return not urls or set(nodes) <= set(_environment_nodes(urls)[0])


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _environment_index(environment: Environment) -> str:
    ours, blueprint = environment.index, environment.collection
    if ours and blueprint and ours != blueprint:
        health.warn(f"ELASTICSEARCH_INDEX={ours} and ES_COLLECTION_NAME={blueprint} disagree: {ours} is used")
    return ours or blueprint or DEFAULT_INDEX


def _checked_index(index: str) -> str:
    if not _INDEX.fullmatch(index) or len(index.encode()) > _LONGEST_INDEX:
        raise ValueError(
            f"{index!r} is not a valid index name; expected lower-case letters, digits, '-', '_' and '.', "
            f"a letter or digit first, at most {_LONGEST_INDEX} bytes"
        )
    return index


def _existing(path: str) -> str:
    if path and not Path(path).exists():
        raise ValueError(f"ELASTICSEARCH_CA_CERTS names {path}, which does not exist")
    return path


def _dead_letters(index: str) -> Path:
    """Beside the journal, wherever that was moved to."""
    journal = os.environ.get("FLYWHEEL_LOG_JOURNAL")
    return (Path(journal).parent if journal else state_directory()) / "dead-letters" / f"{index}.jsonl"
