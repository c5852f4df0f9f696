"""Settings: arguments over `FLYWHEEL_LOG_*` environment over defaults, checked at the earliest moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_state_path
from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .event import Event
from .sinks import opener

PREFIX = "FLYWHEEL_LOG_"
Processor = Callable[[Any, str, Event], Event]
Judge = Callable[[Event], Mapping[str, Any] | None]


def _default_sinks() -> tuple[str, ...]:
    return ("file:genai.log", "elasticsearch:") if os.environ.get("ELASTICSEARCH_URL") else ("file:genai.log",)


class Settings(BaseSettings):
    """Everything `flywheel_log.configure(...)` takes; each has an environment variable `FLYWHEEL_LOG_<NAME>`.

    Attributes:
        sinks: where events end, as URLs; a comma list in the environment. By default `file:genai.log`, and
            `elasticsearch:` beside it where `ELASTICSEARCH_URL` is set.
        client_id: the application (the blueprint's tenant); `ELASTICSEARCH_CLIENT_ID` is honoured.
        workload_id: the task, where neither the call nor its context names one.
        journal: directory of the journal; every program of a user may share it.
        journal_quota_mb: how much of the disk the journal may take, in megabytes.
        content: "off" records numbers only: no prompts, no outputs.
        usage: ask a stream for its token counts when the caller does not: "auto" asks OpenAI's and Azure's hosts only.
        max_event_kb: an event larger than this, in kilobytes, is trimmed.
        media: base64 media above 64 KB: "trim" leaves its type and size, "reference" its SHA-256 too, "keep" all.
        embeddings: "reference" keeps dimensions, norm and hash of a vector, "keep" the vector.
        infrastructure: "on" stamps host, pid and, with `flywheel-log[infra]`, CPU, memory and GPU on every event.
        judges: who judges answers after the call: "grounding", "moderation", functions of an event; names only, as a
            comma list, in the environment.
        judged: the share of the answers that they judge, 0 to 1.
        disabled: record nothing at all.
        processors: the user's own structlog processors, run before anything is written; not in the environment.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, populate_by_name=True
    )

    sinks: Annotated[tuple[str, ...], NoDecode] = Field(default_factory=_default_sinks)
    client_id: str = Field("default", validation_alias=AliasChoices(f"{PREFIX}CLIENT_ID", "ELASTICSEARCH_CLIENT_ID"))
    workload_id: str = "default"
    journal: Path = Field(default_factory=lambda: user_state_path("flywheel-log") / "journal")
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
    processors: tuple[Processor, ...] = ()

    @field_validator("sinks", "judges", mode="before")
    @classmethod
    def _split(cls, value: str | Sequence[str]) -> Sequence[str]:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("sinks")
    @classmethod
    def _known(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            opener(url)
        return urls

    @model_validator(mode="after")
    def _callable(self) -> Settings:
        for processor in self.processors:
            if not callable(processor):
                raise ValueError(f"a processor must be callable; got {type(processor).__name__}")
        return self


def load(**arguments: Any) -> Settings:
    """Read the settings: *arguments* over environment over defaults.

    Raises:
        TypeError: an argument is not a setting; the message lists the settings.
        ValueError: a value is wrong; the message names the setting, the value's problem and what is allowed.
    """
    unknown = sorted(set(arguments) - set(Settings.model_fields))
    if unknown:
        raise TypeError(f"{', '.join(unknown)} is no setting; have {', '.join(sorted(Settings.model_fields))}")
    try:
        return Settings(**arguments)
    except ValidationError as error:
        raise ValueError(_readable(error)) from None


def _readable(error: ValidationError) -> str:
    lines = [f"{'.'.join(map(str, problem['loc'])) or 'settings'}: {problem['msg']}" for problem in error.errors()]
    return "flywheel_log is configured wrongly: " + "; ".join(lines)
