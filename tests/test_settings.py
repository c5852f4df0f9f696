"""A wrong setting fails at once, and its error names both sides."""

from __future__ import annotations

import logging

import pytest

import flywheel_log
from flywheel_log import config


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"content": "no"}, "content: Input should be 'on' or 'off'; got 'no'"),
        ({"client_id": ""}, "client_id: String should have at least 1 character; got ''"),
        ({"workload_id": ""}, "workload_id: String should have at least 1 character; got ''"),
        ({"client_id": 3}, "client_id: Input should be a valid string; got 3"),
        ({"client_id": None}, "client_id: Input should be a valid string; got None"),
        ({"sinks": None}, "sinks: Input should be a list; got None"),
        (
            {"sinks": "kafka:x"},
            "sinks: sink 'kafka' is unknown; expected one of elasticsearch, file, otlp, stdout, structlog",
        ),
        (
            {"sinks": "file:a.log?rotate=1"},
            "sinks: sink 'file' has no parameter rotate; expected one of format, keep, rotate_mb",
        ),
        (
            {"sinks": "my.log"},
            "expected one of elasticsearch, file, otlp, stdout, structlog; did you mean file:my.log?",
        ),
        ({"sinks": "stdout"}, "expected one of elasticsearch, file, otlp, stdout, structlog; did you mean stdout:?"),
        (
            {"sinks": "https://user:secret@search.example"},
            "structlog; for Elasticsearch write elasticsearch: and set ELASTICSEARCH_URL to this URL",
        ),
        (
            {"sample": 2},
            "sample: Input should be less than or equal to 1, or a mapping, in the environment a JSON object; got 2",
        ),
        ({"sample": {"chat": 2}}, "wrongly: sample.chat: Input should be less than or equal to 1; got 2"),
        ({"processors": [3]}, "processors.0: Input should be callable; got 3"),
        ({"judges": [3]}, "judges.0: Input should be callable, or a valid string; got 3"),
        ({"processors": [lambda event: event]}, "processors: <lambda> takes (event); expected (logger, method, event)"),
        ({"judges": [lambda one, two: {}]}, "judges: <lambda> takes (one, two); expected (event)"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(arguments: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match="flywheel_log is configured wrongly") as raised:
        config.load(**arguments)
    assert told in str(raised.value)


def test_a_key_is_not_shown_in_an_error() -> None:
    with pytest.raises(ValueError, match="redact_key") as raised:
        config.load(redact_key=12345678)
    assert "12345678" not in str(raised.value)


def test_an_argument_that_is_no_setting_is_named_beside_the_settings() -> None:
    with pytest.raises(TypeError, match=r"^contnet is not a setting; did you mean content\?$"):
        config.load(contnet="off")
    with pytest.raises(TypeError, match=r"^SINKS is not a setting; did you mean sinks\?$"):
        config.load(SINKS="stdout:")


def test_kinds_to_redact_may_be_a_set() -> None:
    assert config.load(redact={"pii"}).redact == config.load(redact=frozenset({"pii"})).redact == ("pii",)
    with pytest.raises(
        ValueError, match=r"redact: expected some of secrets, pii, names, or 'off' alone; got {'pii': True}"
    ):
        config.load(redact={"pii": True})


def test_a_misspelt_variable_fails_instead_of_being_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_LOG_CONTNET", "off")
    with pytest.raises(
        ValueError, match=r"^FLYWHEEL_LOG_CONTNET is not a setting; did you mean FLYWHEEL_LOG_CONTENT\?$"
    ):
        config.load()
    monkeypatch.delenv("FLYWHEEL_LOG_CONTNET")
    monkeypatch.setenv("FLYWHEEL_LOG_COLOUR", "red")
    with pytest.raises(
        ValueError, match=r"^FLYWHEEL_LOG_COLOUR is not a setting; expected one of FLYWHEEL_LOG_SINKS, FLYWHEEL_LOG"
    ):
        config.load()


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("PRICES", "gpt=1", "prices: Input should be a mapping, in the environment a JSON object; got 'gpt=1'"),
        ("SAMPLE", '{"chat": .5', "sample: this is not JSON (double each backslash): Expecting value"),
        ("REDACT_PATTERNS", r'{"staff": "E\d+"}', r'got {"staff": "E\d+"}'),
        (
            "PROCESSORS",
            "mine.py",
            "processors: functions cannot be given by name; write configure(processors=[…]); got",
        ),
    ],
)
def test_a_variable_that_is_no_mapping_is_named_with_what_it_should_be(
    variable: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"FLYWHEEL_LOG_{variable}", value)
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the text is what is looked at
        config.load()
    assert told in str(raised.value)


def test_mappings_are_read_from_variables_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_LOG_PRICES", '{"own": {"input": 1}}')
    monkeypatch.setenv("FLYWHEEL_LOG_SAMPLE", '{"chat": 0.5}')
    monkeypatch.setenv("FLYWHEEL_LOG_REDACT_PATTERNS", r'{"staff": "E\\d+"}')
    found = config.load()
    assert (found.prices, found.sample, found.redact_patterns) == (
        {"own": {"input": 1.0}},
        {"chat": 0.5},
        {"staff": r"E\d+"},
    )
    monkeypatch.setenv("FLYWHEEL_LOG_SAMPLE", ".5")
    assert config.load().sample == 0.5


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_LOG_CONTNET", "off")
    monkeypatch.setenv("FLYWHEEL_LOG_REDUCT", "pii")
    monkeypatch.setenv("FLYWHEEL_LOG_MEDIA", "no")
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the text is what is looked at
        config.load()
    assert str(raised.value) == (
        "FLYWHEEL_LOG_CONTNET is not a setting; did you mean FLYWHEEL_LOG_CONTENT?; "
        "FLYWHEEL_LOG_REDUCT is not a setting; did you mean FLYWHEEL_LOG_REDACT?; "
        "flywheel_log is configured wrongly: media: Input should be 'trim', 'reference' or 'keep'; got 'no'"
    )


def test_the_seeds_variable_names_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_CLIENT_ID", "aiva")
    assert config.load().client_id == "aiva"
    assert config.load(client_id="other").client_id == "other"


def test_an_elasticsearch_url_turns_its_sink_on_beside_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "http://127.0.0.1:9200")
    assert config.load().sinks == ("file:genai.log", "elasticsearch:")
    assert config.load(sinks=["stdout:"]).sinks == ("stdout:",)


def test_wrong_settings_do_not_harm_a_decorated_function_but_are_explained(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FLYWHEEL_LOG_SINKS", "kafka:x")
    with caplog.at_level(logging.ERROR, logger="flywheel_log"):
        assert flywheel_log.logged_llm(lambda text: text.upper())("hi") == "HI"
    assert "sink 'kafka' is unknown" in caplog.text


def test_what_cannot_be_called_cannot_be_decorated() -> None:
    with pytest.raises(TypeError, match="logged_llm decorates functions; got 'summary'"):
        flywheel_log.logged_llm("summary")  # type: ignore[call-overload]
