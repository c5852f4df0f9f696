"""`Prompt`: a template with a name and a version, stamped on the calls that are made with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from string import Formatter
from typing import Any

from .. import scope
from ..event import JSON
from ..pipeline.fingerprint import hash_of


class Prompt:
    """A prompt template: `Prompt("support", version="3", template="Answer {question} in one sentence.")`.

    Attributes:
        name: what the prompt is for.
        version: which wording it is; any object with a text, as `stats --by prompt.version` shows it.
        template: the text, with variables in braces as for `str.format`; double a literal brace.
        template_hash: 16 hexadecimal digits that change with every character of the template.
        variables: the names of the variables, in the order of the template.

    Raises:
        ValueError: a variable does not have a plain name, or the braces do not match.
        TypeError: the template is not a string.
    """

    def __init__(self, name: str, version: object, template: str) -> None:
        if not isinstance(template, str):
            raise TypeError(f"prompt {name!r}: a template is a string; got {type(template).__name__}")
        self.name = name
        self.version = str(version)
        self.template = template
        self.template_hash = hash_of(template)
        self.variables = _variables(name, template)

    def format(self, /, **variables: Any) -> str:
        """Return the text with *variables* in their places. Values are put in as they are, never read as templates.

        Raises:
            TypeError: a variable is missing or unknown; the message names both sides.
        """
        if set(variables) != set(self.variables):
            needed, given = (", ".join(sorted(names)) or "nothing" for names in (self.variables, variables))
            raise TypeError(f"prompt {self.name!r} version {self.version!r} needs {needed}; got {given}")
        return self.template.format(**variables)

    @contextmanager
    def using(self, /, **variables: Any) -> Iterator[str]:
        """Give the block the text with *variables* in their places, and stamp `prompt` on the calls made inside.

        Works in coroutines too: the stamp follows into what is awaited and started inside.

        Raises:
            TypeError: a variable is missing or unknown.
        """
        text = self.format(**variables)
        with scope.context(prompt=self.stamp(variables)):
            yield text

    def stamp(self, variables: Mapping[str, Any]) -> JSON:
        """Return what events carry as `prompt`."""
        stamp: JSON = {"name": self.name, "version": self.version, "template_hash": self.template_hash}
        return stamp | ({"variables": dict(variables)} if variables else {})


def _variables(name: str, template: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for variable, form in _fields(name, template):
        if not variable.isidentifier() or "{" in form:
            got = f"{{{variable}{':' * bool(form)}{form}}}"
            raise ValueError(f"prompt {name!r}: a variable is a plain name like {{question}}; got {got}")
        found[variable] = None
    return tuple(found)


def _fields(name: str, template: str) -> list[tuple[str, str]]:
    """What stands in the braces of *template*: name and format. Raises ValueError where they do not match."""
    try:
        return [(field, form or "") for _, field, form, _ in Formatter().parse(template) if field is not None]
    except ValueError as error:
        raise ValueError(f"prompt {name!r}: {error}; a literal brace is doubled") from None
