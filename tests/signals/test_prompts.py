"""`Prompt`: rendering, errors, and the stamp on calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from flywheel_log import Prompt
from flywheel_log.event import Event

SUPPORT = Prompt("support", version=3, template='Answer {question} as {{"persona": "{persona}"}}.')


def test_variables_go_to_their_places() -> None:
    assert SUPPORT.format(question="why?", persona="Ada") == 'Answer why? as {"persona": "Ada"}.'


def test_a_value_is_never_read_as_a_template() -> None:
    assert SUPPORT.format(question="{persona}", persona="{0}") == 'Answer {persona} as {"persona": "{0}"}.'


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "nothing"),
        ({"question": "?"}, "question"),
        ({"question": "?", "persona": "A", "x": 1}, "persona, question, x"),
    ],
)
def test_what_does_not_fit_names_both_sides(given: dict[str, Any], named: str) -> None:
    with pytest.raises(TypeError) as raised:
        SUPPORT.format(**given)
    assert str(raised.value) == f"prompt 'support' version '3' needs persona, question; got {named}"


@pytest.mark.parametrize("template", ["{}", "{0}", "{user.name}", "{user[name]}", "{a b}", "{a:{b}}"])
def test_a_variable_has_a_plain_name(template: str) -> None:
    with pytest.raises(ValueError, match=r"prompt 'p': a variable is a plain name like \{question\}; got \{"):
        Prompt("p", "1", template)


@pytest.mark.parametrize("template", ["{", "}", "{% if x %}}", "{a!}"])
def test_braces_that_do_not_match_are_told_with_the_prompts_name(template: str) -> None:
    with pytest.raises(ValueError, match=r"prompt 'p': .*; a literal brace is doubled"):
        Prompt("p", "1", template)


@pytest.mark.parametrize("template", [None, b"text"])
def test_a_template_is_a_string(template: Any) -> None:
    with pytest.raises(TypeError, match=f"prompt 'p': a template is a string; got {type(template).__name__}"):
        Prompt("p", "1", template)


def test_a_variable_may_have_any_name() -> None:
    assert Prompt("p", "1", "{self} and {class}").format(**{"self": "me", "class": "first"}) == "me and first"


def test_a_call_made_with_it_carries_the_prompt(events: list[Event], ask: Callable[..., Any]) -> None:
    with SUPPORT.using(question="why?", persona="Ada") as text:
        ask(text)
    ask()
    assert [event.get("prompt") for event in events] == [
        {
            "name": "support",
            "version": "3",
            "template_hash": SUPPORT.template_hash,
            "variables": {"question": "why?", "persona": "Ada"},
        },
        None,
    ]


def test_it_works_in_coroutines(events: list[Event], ask: Callable[..., Any]) -> None:
    async def run() -> None:
        with Prompt("greet", "1", "Hello").using() as text:
            await asyncio.to_thread(ask, text)

    asyncio.run(run())
    assert events[0]["prompt"] == {"name": "greet", "version": "1", "template_hash": "3c5c8a1fdb206886"}


def test_another_wording_has_another_hash() -> None:
    assert Prompt("p", "1", "a").template_hash != Prompt("p", "1", "b").template_hash
