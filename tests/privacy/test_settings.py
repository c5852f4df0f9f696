"""The settings of privacy: what they take, from arguments and environment, and what they refuse."""

from __future__ import annotations

import pytest

from flywheel_log import config


@pytest.mark.parametrize(
    ("value", "families"), [("secrets,pii", ("secrets", "pii")), ("off", ()), (["names"], ("names",))]
)
def test_the_families_to_redact_are_a_list_of_words(value: object, families: tuple[str, ...]) -> None:
    assert config.load(redact=value).redact == families


def test_the_environment_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_LOG_REDACT", "pii")
    monkeypatch.setenv("FLYWHEEL_LOG_REDACT_PATTERNS", '{"customer": "C-[0-9]{6}"}')
    monkeypatch.setenv("FLYWHEEL_LOG_REDACT_KEY", "k")
    monkeypatch.setenv("FLYWHEEL_LOG_SAMPLE", '{"chat": 0.1, "*": 1}')
    monkeypatch.setenv("FLYWHEEL_LOG_FIELDS_DENY", "user_id, metadata.email")
    monkeypatch.setenv("FLYWHEEL_LOG_PRICES", '{"m": {"input": 1}}')
    settings = config.load()
    assert settings.model_dump(include={"redact", "redact_patterns", "sample", "fields_deny", "prices"}) == {
        "redact": ("pii",),
        "redact_patterns": {"customer": "C-[0-9]{6}"},
        "sample": {"chat": 0.1, "*": 1.0},
        "fields_deny": ("user_id", "metadata.email"),
        "prices": {"m": {"input": 1.0}},
    }
    assert "k" not in repr(settings.redact_key)


def test_one_share_in_the_environment_is_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_LOG_SAMPLE", "0.25")
    assert config.load().sample == 0.25


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"redact": "none"}, "expected some of secrets, pii, names, or 'off' alone; got 'none'"),
        ({"redact": ""}, "expected some of secrets, pii, names, or 'off' alone; got ''"),
        ({"redact": "pii,off"}, "expected some of secrets, pii, names, or 'off' alone; got 'pii,off'"),
        ({"redact": True}, "expected some of secrets, pii, names, or 'off' alone; got True"),
        ({"redact_patterns": {"a b": "x"}}, "the kind 'a b' is not a valid name"),
        ({"redact_patterns": {"a": "("}}, "the pattern of 'a' is not a regular expression: missing \\)"),
        ({"redact_patterns": {"a": "(x+)+y"}}, "the pattern of 'a' matches in many ways"),
        ({"redact_patterns": {"a": "x{99999999999}"}}, "the pattern of 'a' is not a regular expression"),
        ({"sample": 1.5}, "less than or equal to 1"),
        ({"prices": {"m": {"imput": 1.0}}}, "'input', 'output' or 'cached'"),
    ],
)
def test_what_is_wrong_is_said_when_it_is_configured(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config.load(**settings)
