"""Which server, which index, and how to get in: the sink's URL over the `ELASTICSEARCH_*` environment."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from platformdirs import user_state_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from flywheel_log.health import health

DEFAULT_INDEX = "llm-logs"
OPTIONS = ("ca_certs", "dead_letters", "timeout", "tls")
_FORM = "elasticsearch://host:9200/index"
_INDEX = re.compile(r"[^A-Z \"*\\<|,>/?#:_+\-][^A-Z \"*\\<|,>/?#:]*")
_LONGEST_INDEX = 255 - len("-annotations")


class Environment(BaseSettings):
    """What the seeds, the blueprint and a secured cluster put into the environment."""

    model_config = SettingsConfigDict(env_prefix="ELASTICSEARCH_", env_ignore_empty=True, extra="ignore")

    url: str = ""
    index: str = ""
    collection: str = Field(default="", validation_alias="ES_COLLECTION_NAME")
    api_key: SecretStr = SecretStr("")
    username: str = ""
    password: SecretStr = SecretStr("")
    ca_certs: str = ""


@dataclass(frozen=True)
class Target:
    """Where documents go.

    Attributes:
        nodes: the servers' URLs, without credentials.
        index: of the calls; other events go to `annotations`.
        authorization: the value of the HTTP header, or "".
        ca_certs: path of the certificates to trust, or "" for the usual ones.
        timeout: seconds for one request.
        dead_letters: the file of the documents that Elasticsearch will never take.
    """

    nodes: tuple[str, ...]
    index: str
    authorization: str = field(repr=False)
    ca_certs: str
    timeout: float
    dead_letters: Path

    @property
    def annotations(self) -> str:
        """The index of feedback, steps and retrievals."""
        return f"{self.index}-annotations"


def target(url: str) -> Target:
    """Read a sink's or source's *url*, e.g. `elasticsearch://host:9200/index?tls=true`, over the environment.

    `elasticsearch:` alone takes everything from the environment. Options are `tls`, `ca_certs` (a path), `timeout`
    (seconds, 10) and `dead_letters` (a path).

    Raises:
        ValueError: no server is named, or something is wrong; the message says how to write it.
    """
    environment = Environment()
    parts = urlsplit(url)
    options = _options(parts.query)
    prefix, _, index = parts.path.rpartition("/")
    nodes, login = _nodes(parts, prefix, options) if parts.netloc else _environment_nodes(environment.url)
    index = _checked_index(index or _environment_index(environment))
    return Target(
        nodes=nodes,
        index=index,
        authorization=_authorization(environment, login),
        ca_certs=_existing(options.get("ca_certs") or environment.ca_certs),
        timeout=_seconds(options.get("timeout", "10")),
        dead_letters=Path(options["dead_letters"]) if "dead_letters" in options else _dead_letters(index),
    )


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(set(options) - set(OPTIONS)):
        raise ValueError(f"elasticsearch has no option {', '.join(unknown)}; have {', '.join(OPTIONS)}")
    return options


def _nodes(parts: SplitResult, prefix: str, options: dict[str, str]) -> tuple[tuple[str, ...], str]:
    """The server of `elasticsearch://…`; port 443 means TLS, as it does with hosted clusters."""
    secure = options.get("tls", str(parts.port == 443)).lower()  # noqa: PLR2004
    if secure not in ("true", "false"):
        raise ValueError(f"elasticsearch's tls is {secure!r}; have true, false")
    return (_node("https" if secure == "true" else "http", parts, prefix),), _login(parts)


def _environment_nodes(urls: str) -> tuple[tuple[str, ...], str]:
    if not urls:
        raise ValueError(f"'elasticsearch:' names no server; set ELASTICSEARCH_URL, or write {_FORM}")
    split = [urlsplit(url.strip()) for url in urls.split(",")]
    for parts in split:
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("ELASTICSEARCH_URL is no URL of a server; write http://host:9200 or https://host:9200")
    return tuple(_node(parts.scheme, parts, parts.path) for parts in split), _login(split[0])


def _node(scheme: str, parts: SplitResult, prefix: str) -> str:
    if not parts.hostname:
        raise ValueError(f"elasticsearch's URL names no host; write {_FORM}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{scheme}://{host}:{parts.port or (443 if scheme == 'https' else 9200)}{prefix.rstrip('/')}"


def _login(parts: SplitResult) -> str:
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""


def _authorization(environment: Environment, login: str) -> str:
    key = environment.api_key.get_secret_value()
    if key and environment.username:
        raise ValueError("ELASTICSEARCH_API_KEY and ELASTICSEARCH_USERNAME are both set; keep the one that is meant")
    if environment.username:
        login = f"{environment.username}:{environment.password.get_secret_value()}"
    if key:
        return f"ApiKey {_base64(key) if ':' in key else key}"
    return f"Basic {_base64(login)}" if login else ""


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
            f"{index!r} is no name for an index; have lower-case letters, digits, '-', '_' and '.', "
            f"a letter or digit first, at most {_LONGEST_INDEX} bytes"
        )
    return index


def _existing(path: str) -> str:
    if path and not Path(path).exists():
        raise ValueError(f"ELASTICSEARCH_CA_CERTS names {path}, which does not exist")
    return path


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 600:  # noqa: PLR2004
        raise ValueError(f"elasticsearch's timeout is {text!r}; have seconds between 0 and 600")
    return seconds


def _dead_letters(index: str) -> Path:
    """Beside the journal, wherever that was moved to."""
    journal = os.environ.get("FLYWHEEL_LOG_JOURNAL")
    home = Path(journal).parent if journal else user_state_path("flywheel-log")
    return home / "dead-letters" / f"{index}.jsonl"
