"""What a replay changes in a request: its model, and the text of its system (or user's) message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Literal, Protocol

from flywheel_log.event import JSON, Event
from flywheel_log.loop.conversation import text_of
from flywheel_log.pipeline.fingerprint import hash_of

Role = Literal["system", "user"]
_ROLES: dict[Role, tuple[str, ...]] = {"system": ("system", "developer"), "user": ("user",)}


class Template(Protocol):
    """What `flywheel_log.Prompt` is: a text with variables, a name and a version."""

    name: str
    version: str
    template: str
    variables: tuple[str, ...]

    def format(self, **variables: Any) -> str:
        """Return the text with *variables* in their places."""

    def stamp(self, variables: Mapping[str, Any]) -> JSON:
        """Return what events carry as `prompt`."""


class Unfit(Exception):
    """A request cannot be replayed; its argument is the reason, a key of `REASONS`."""


@dataclass(frozen=True)
class Text:
    """A text that replaces a message as it is, under the name of a version."""

    text: str
    version: str


@dataclass(frozen=True)
class Change:
    """What is new.

    Attributes:
        model: the model asked; None leaves it.
        prompt: the new text, or the new template of a `Prompt`, which is filled in with the logged variables.
        role: whose message it replaces. Where nobody spoke for the system, a new text is put first.
    """

    model: str | None = None
    prompt: Text | Template | None = None
    role: Role = "system"

    def __bool__(self) -> bool:
        return self.model is not None or self.prompt is not None

    def of(self, event: Event) -> JSON:
        """Return the request of *event* as it is to be sent; *event* is left as it is.

        Raises:
            Unfit: the new prompt does not go with this request.
        """
        request = dict(event["request"])
        if self.model is not None:
            request["model"] = self.model
        if isinstance(self.prompt, Text):
            return _replaced(request, self.role, _plain(self.prompt.text, event), lambda _: True)
        if self.prompt is not None:
            values = _variables(self.prompt, event)
            found = [str(value) for value in values.values()]
            return _replaced(
                request, self.role, self.prompt.format(**values), lambda text: all(one in text for one in found)
            )
        return request

    def stamp(self, event: Event) -> JSON:
        """Return what the replay of *event* carries as `prompt`, as a field; nothing where the prompt stays."""
        if self.prompt is None:
            return {}
        said = event.get("prompt") or {}
        if not isinstance(self.prompt, Text):
            return {"prompt": self.prompt.stamp(_variables(self.prompt, event))}
        name = {"name": said["name"]} if said.get("name") else {}
        return {"prompt": {**name, "version": self.prompt.version, "template_hash": hash_of(self.prompt.text)}}


def _plain(text: str, event: Event) -> str:
    """Return *text*, unless it is the template that *event* has the variables for: it would be sent with its braces."""
    variables = set((event.get("prompt") or {}).get("variables") or ())
    if variables and variables & _fields(text):
        raise Unfit("unfilled")
    return text


def _fields(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name}
    except ValueError:  # braces that are none of a template
        return set()


def _variables(template: Template, event: Event) -> JSON:
    said = event.get("prompt") or {}
    if said.get("name") != template.name:
        raise Unfit("other_prompt")
    logged = said.get("variables") or {}
    if not set(template.variables) <= set(logged):
        raise Unfit("variables")
    # A new wording may do without some; which message it replaces is found by those that it keeps.
    return {name: logged[name] for name in template.variables}


def _replaced(request: JSON, role: Role, text: str, fits: Callable[[str], bool]) -> JSON:
    key = "messages" if "messages" in request else "input"
    given = request[key]
    if role == "system" and request.get("instructions"):
        return _checked(request, "instructions", text, fits)
    if isinstance(given, str):
        return _checked(request, key, text, fits) if role == "user" else {**request, "instructions": text}
    spoken = [at for at, one in enumerate(given) if isinstance(one, dict) and one.get("role") in _ROLES[role]]
    at = next((at for at in spoken if fits(text_of(given[at].get("content")))), None)
    if at is not None:
        changed = {**given[at], "content": _content(given[at].get("content"), text)}
        return {**request, key: [*given[:at], changed, *given[at + 1 :]]}
    if spoken or role == "user" or not fits(""):
        raise Unfit("prompt_not_found")
    return {**request, key: [{"role": "system", "content": text}, *given]}


def _checked(request: JSON, key: str, text: str, fits: Callable[[str], bool]) -> JSON:
    if not fits(text_of(request[key])):
        raise Unfit("prompt_not_found")
    return {**request, key: text}


def _content(content: Any, text: str) -> Any:
    """Return *text* in the place of all texts of *content*; its pictures and files stay."""
    if not isinstance(content, list):
        return text
    spoken = [at for at, part in enumerate(content) if isinstance(part, dict) and isinstance(part.get("text"), str)]
    if not spoken:
        return [{"type": "text", "text": text}, *content]
    kept = [part for at, part in enumerate(content) if at not in spoken[1:]]
    kept[spoken[0]] = {**content[spoken[0]], "text": text}
    return kept
