"""Settings, from arguments, the `FLYWHEEL_LOG_*` environment or defaults, checked as early as possible."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from inspect import iscoroutinefunction, signature
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, NonNegativeFloat, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .event import Event
from .process.state_directory import state_directory
from .sinks import open_sink
from .wording import mistakes, suggestion

PREFIX = "FLYWHEEL_LOG_"
_NEEDED = frozenset({"id", "kind", "timestamp"})
_FIELDS = frozenset(Event.__annotations__) | {"trimmed", "unserialisable"}
Processor = Callable[[Any, str, Event], Event]
Name = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Rates = dict[Literal["input", "output", "cached"], NonNegativeFloat]

Judge = Callable[[Event], Mapping[str, Any] | None]


def _default_sinks() -> tuple[str, ...]:
    told = os.environ.get("ELASTICSEARCH_URL") or os.environ.get("ELASTICSEARCH_CLOUD_ID")
    return ("file:genai.log", "elasticsearch:") if told else ("file:genai.log",)


class Sinks(BaseSettings):
    """The one setting that a reader needs: where events end, and so where they can be read."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, populate_by_name=True
    )

    sinks: Annotated[tuple[str, ...], NoDecode] = Field(default_factory=_default_sinks)

    @field_validator("sinks", mode="before")
    @classmethod
    def _listed(cls, value: str | Sequence[str]) -> Collection[str]:
        return _split(value)

    @field_validator("sinks")
    @classmethod
    def _known(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            open_sink(url).close()  # Opening touches nothing; it reads the URL, and says what is wrong with it.
        return urls


class Settings(Sinks):
    """Everything `flywheel_log.configure(...)` takes; each has an environment variable `FLYWHEEL_LOG_<NAME>`.

    Attributes:
        sinks: where events go, as URLs; in the environment, separated by commas. By default `file:genai.log`, and
            also `elasticsearch:` if `ELASTICSEARCH_URL` or `ELASTICSEARCH_CLOUD_ID` is set.
        client_id: the application (the blueprint's tenant).
        workload_id: the task, if neither the call nor its context names one.
        journal: directory of the journal; every program of a user may share it.
        journal_quota_mb: how much of the disk the journal may take, in megabytes.
        content: "off" records numbers only: no prompts, no outputs.
        usage: whether to request the token counts of a stream if the caller does not: "auto" asks only OpenAI's and
            Azure's hosts. The counts are hidden from the caller, unless it reads the stream with `iter_raw`.
        max_event_kb: an event larger than this, in kilobytes, is trimmed.
        media: base64 media above 64 KB: "trim" keeps its type and size, "reference" also its SHA-256, "keep" all.
        embeddings: "reference" keeps dimensions, norm and hash of a vector, "keep" the vector.
        infrastructure: "on" stamps host, pid and, with `flywheel-log[infra]`, CPU, memory and GPU on every event.
        judges: what judges answers after the call: "grounding", "moderation", functions of an event; in the
            environment only names, separated by commas.
        judged: the share of the answers that is judged, 0 to 1.
        disabled: record nothing at all.
        redact: what is replaced before anything is written, as a comma list: "secrets", "pii" (e-mail, phone, card,
            IBAN, IP, SSN), "names" (of people and places; needs the extra `[pii]`); "off" replaces nothing.
        redact_with: "mask" (`[email]`), "pseudonym" (`[email:3f9a52c07b1e]`, the same for the same value), "drop".
        redact_key: the key of the pseudonyms; without one, each process has pseudonyms of its own.
        redact_patterns: your own regular expressions, by the kind that replaces the value.
        redact_model: the spaCy model that finds names: a package or a directory.
        reasoning: "keep" it, "mask" it by its length, or "hash" it by its length and hash.
        sample: the share of the calls that is kept, 0 to 1; or shares by workload, `"*"` for all others.
        sample_first: how many events of each workload are kept each hour, whatever `sample` says.
        fields_allow: the only fields that are written, as paths: `user_id`, `metadata.email`,
            `request.messages.content`; separated by commas in the environment. `cost_usd` keeps its token counts, too.
        fields_deny: the fields that are left out, in the same form.
        prices: dollars per million tokens, for models that the price list does not have:
            `{"my-model": {"input": 0.5, "output": 1.5, "cached": 0.1}}`.
        durability: "fsync" lets a call return only when its record is safe even from a power failure.
        processors: your own structlog processors, run before anything is written; not in the environment.
    """

    client_id: Name = Field("default", validation_alias=AliasChoices(f"{PREFIX}CLIENT_ID", "ELASTICSEARCH_CLIENT_ID"))
    workload_id: Name = "default"
    journal: Path = Field(default_factory=lambda: state_directory() / "journal")
    journal_quota_mb: int = Field(1024, ge=16)
    content: Literal["on", "off"] = "on"
    usage: Literal["auto", "always", "never"] = "auto"
    max_event_kb: int = Field(1024, ge=16)
    media: Literal["trim", "reference", "keep"] = "trim"
    embeddings: Literal["reference", "keep"] = "reference"
    infrastructure: Literal["on", "off"] = "on"
    judges: Annotated[tuple[Judge | str, ...], NoDecode] = ()
    judged: float = Field(1.0, ge=0, le=1)
    disabled: bool = False
    redact: Annotated[tuple[Literal["secrets", "pii", "names"], ...], NoDecode] = ("secrets",)
    redact_with: Literal["mask", "drop", "pseudonym"] = "mask"
    redact_key: SecretStr | None = None
    redact_patterns: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    redact_model: str = "en_core_web_sm"
    reasoning: Literal["keep", "mask", "hash"] = "keep"
    sample: Annotated[Share | dict[str, Share], NoDecode] = 1.0
    sample_first: int = Field(10, ge=0)
    fields_allow: Annotated[tuple[str, ...], NoDecode] = ()
    fields_deny: Annotated[tuple[str, ...], NoDecode] = ()
    prices: Annotated[dict[str, Rates], NoDecode] = Field(default_factory=dict)
    durability: Literal["journal", "fsync"] = "journal"
    processors: Annotated[tuple[Processor, ...], NoDecode] = ()

    @field_validator("judges", "fields_allow", "fields_deny", mode="before")
    @classmethod
    def _lists(cls, value: str | Sequence[str]) -> Collection[str]:
        return _split(value)

    @field_validator("redact_patterns", "sample", "prices", mode="before")
    @classmethod
    def _mapped(cls, value: Any) -> Any:
        if not isinstance(value, str) or not value.lstrip().startswith("{"):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f"this is not JSON (double each backslash): {error}; got {value}") from None

    @field_validator("fields_allow", "fields_deny")
    @classmethod
    def _of_events(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for name, *below in (path.split(".") for path in paths):
            if name not in _FIELDS:
                raise ValueError(f"{name} is not a field of an event; {suggestion(name, sorted(_FIELDS))}")
            if not all(re.fullmatch(r"[^*\[\]]*[^\W\d][^*\[\]]*", key) for key in below):
                raise ValueError(f"{name}.{'.'.join(below)}: a path has only names; it reaches into lists by itself")
        return paths

    @field_validator("fields_deny")
    @classmethod
    def _dispensable(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        if needed := sorted(_NEEDED & set(paths)):
            raise ValueError(f"{needed[0]} is needed by all readers; deny any field but {', '.join(sorted(_NEEDED))}")
        return paths

    @field_validator("processors", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError(f"functions cannot be given by name; write configure(processors=[…]); got {value!r}")
        return value

    @field_validator("judges", "processors")
    @classmethod
    def _plain(cls, functions: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        wanted = ("event",) if info.field_name == "judges" else ("logger", "method", "event")
        for one in filter(callable, functions):  # Judges of ours are named.
            name = getattr(one, "__name__", type(one).__name__)
            if iscoroutinefunction(one) or iscoroutinefunction(getattr(one, "__call__", None)):  # noqa: B004 - its kind
                raise ValueError(f"{name} is a coroutine function, which nobody awaits; pass a plain function")
            try:
                signature(one).bind(*wanted)
            except TypeError:
                raise ValueError(f"{name} takes {signature(one)}; expected ({', '.join(wanted)})") from None
            except ValueError:  # Some that are written in C do not tell.
                continue
        return functions

    @field_validator("redact", mode="before")
    @classmethod
    def _said(cls, words: Any) -> Collection[str]:
        given = [*_split(words)] if isinstance(words, (str, list, tuple, set, frozenset)) else [words]
        if given == ["off"]:
            return ()
        if not given or any(one not in ("secrets", "pii", "names") for one in given):
            raise ValueError(f"expected some of secrets, pii, names, or 'off' alone; got {words!r}")
        return given

    @field_validator("redact_patterns")
    @classmethod
    def _bearable(cls, patterns: dict[str, str]) -> dict[str, str]:
        from .backtracking import ambiguous  # Few have patterns, and it takes the parser of `re`.

        for kind, expression in patterns.items():
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", kind):
                raise ValueError(f"the kind {kind!r} is not a valid name; use letters, digits, - and _, at most 40")
            try:
                slow = ambiguous(expression)
            except (re.error, OverflowError, RecursionError) as error:
                raise ValueError(f"the pattern of {kind!r} is not a regular expression: {error}") from None
            if slow:
                raise ValueError(f"the pattern of {kind!r} matches in many ways, for ever: {expression}")
        return patterns


def _split(value: str | Collection[str]) -> Collection[str]:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def load(**arguments: Any) -> Settings:
    """Read the settings: *arguments* over environment over defaults.

    Raises:
        TypeError: an argument is not a setting; the message names the one that was meant, or all.
        ValueError: a value is wrong; the message names the setting, the value's problem and what is allowed.
    """
    for name in sorted(set(arguments) - set(Settings.model_fields)):
        raise TypeError(f"{name} is not a setting; {suggestion(name, sorted(Settings.model_fields))}")
    wrong = [*_misspelt()]
    try:
        settings = Settings(**arguments)
    except ValidationError as error:
        wrong.append(_readable(error))
    if wrong:
        raise ValueError("; ".join(wrong))
    return settings


def sinks() -> tuple[str, ...]:
    """Read the sinks of the environment, or the default ones, whatever the other settings are.

    Raises:
        ValueError: they are wrong; as `load`.
    """
    try:
        return Sinks().sinks
    except ValidationError as error:
        raise ValueError(_readable(error)) from None


def _misspelt() -> Iterator[str]:
    """Yield what is wrong with the names of the environment's variables."""
    known = [f"{PREFIX}{setting.upper()}" for setting in Settings.model_fields]
    for name in sorted(name for name in os.environ if name.startswith(PREFIX) and name.upper() not in known):
        yield f"{name} is not a setting; {suggestion(name, known, PREFIX)}"


def _readable(error: ValidationError) -> str:
    return f"flywheel_log is configured wrongly: {mistakes(error.errors(), secret=('redact_key',))}"
