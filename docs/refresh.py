"""Bring the generated parts of the reference up to date: `python docs/refresh.py`; `--check` only names the stale.

A part stands between the lines `<!-- generated: KIND NAME -->` and `<!-- end -->`; everything around it is written by
hand. What a part says comes from the program itself: its commands, its settings, its public names.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import typer
from pydantic import AliasChoices

import flywheel_log
from flywheel_log import cli, config

REFERENCE = Path(__file__).parent / "reference"
PART = re.compile(r"(<!-- generated: (?P<kind>\w+) ?(?P<name>\w*) -->\n).*?(<!-- end -->)", re.DOTALL)
SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):$")
ENTRY = re.compile(r"^(?P<names>\*{0,2}\w+(?:, \*{0,2}\w+)*): (?P<text>.*)$")
WIDEST = 110
KINDS: dict[object, str] = {
    bool: "`true`, `false`",
    dict: "a JSON object",
    float: "a number",
    int: "a whole number",
    str: "text",
    tuple: "a comma list",
    "journal": "a directory",
    "judges": "names, functions",
    "processors": "functions",
    "redact_key": "text",
    "sample": "a number, a JSON object",
    "sinks": "URLs",
}
MADE_DEFAULTS = {
    "sinks": "`file:genai.log`; with `ELASTICSEARCH_URL` set, `elasticsearch:` too",
    "journal": "`flywheel-log/journal` in the user's state directory; without a home, among the temporary files",
}


def refreshed(page: str) -> str:
    """Return the text of a *page* with its parts as the program says them now."""
    return PART.sub(lambda part: f"{part[1]}\n{PARTS[part['kind']](part['name']).strip()}\n\n{part[4]}", page)


def lacking(page: str) -> list[str]:
    """Return the public names that the front door's *page* says nothing about, and those it invents."""
    told = {part["name"] for part in PART.finditer(page) if part["kind"] == "name"}
    return sorted(told ^ set(flywheel_log.__all__))


def commands(_: str) -> str:
    """Every command with its arguments and options."""
    program: Any = typer.main.get_command(cli.app())
    return "\n\n".join("\n".join(_command(name, one)) for name, one in sorted(program.commands.items()))


def _command(name: str, command: Any) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    shown = " ".join(f"[{one.metavar or one.name.upper()}]{'...' * (one.nargs == -1)}" for one in arguments)
    yield f"## `flywheel-log {name}`\n"
    yield f"    flywheel-log {name} {'[OPTIONS] ' * bool(options)}{shown}".rstrip() + "\n"
    yield inspect.cleandoc(command.help or "").replace("[", r"\[") + "\n"  # Plain text: it has no links.
    yield "| | meaning | default |\n|---|---|---|"
    for one in [*arguments, *options]:
        ways = one.opts if one in options else [one.metavar or one.name.upper()]
        value = (one.metavar or "").replace("|", ", ") if one in options else ""
        spelled = " ".join([*(f"`{way}`" for way in ways), value]).rstrip()
        text = (one.help or "").partition("[default: ")
        default = text[2].rstrip("]") or (one.show_default if isinstance(one.show_default, str) else _shown(one))
        yield f"| {spelled} | {' '.join(text[0].split())} | {' '.join(default.split())} |"


def _shown(parameter: Any) -> str:
    return "" if parameter.default in (None, False, "") or callable(parameter.default) else f"`{parameter.default}`"


def settings(_: str) -> str:
    """Every setting with its variable, default, values and meaning."""
    entries = _entries(inspect.getdoc(config.Settings) or "")
    meanings = {name: text for names, text in entries for name in names.split(", ")}
    if untold := sorted(set(config.Settings.model_fields) - set(meanings)):
        raise ValueError(f"the docstring of Settings says nothing about {', '.join(untold)}")
    rows = [
        f"| `{one}` | {_variables(one, field)} | {_default(one, field)} | {_values(one, field)} | {meanings[one]} |"
        for one, field in config.Settings.model_fields.items()
    ]
    return "\n".join(["| setting | environment | default | values | meaning |", "|---|---|---|---|---|", *rows])


def _variables(name: str, field: Any) -> str:
    if name == "processors":
        return ""
    aliases = field.validation_alias.choices if isinstance(field.validation_alias, AliasChoices) else None
    return ", ".join(f"`{one}`" for one in aliases or [config.PREFIX + name.upper()])


def _default(name: str, field: Any) -> str:
    default = field.get_default(call_default_factory=True)
    if isinstance(default, tuple):
        default = ",".join(default)
    empty = default is None or default in ("", {})
    return MADE_DEFAULTS.get(name) or ("" if empty else f"`{str(default).lower()}`")


def _values(name: str, field: Any) -> str:
    if get_args(field.annotation) and all(isinstance(one, str) for one in get_args(field.annotation)):
        return ", ".join(f"`{one}`" for one in get_args(field.annotation))
    least = next((one.ge for one in field.metadata if hasattr(one, "ge")), None)
    kind = KINDS.get(name) or KINDS.get(get_origin(field.annotation) or field.annotation, "")
    return f"{kind}, at least {least}" if least is not None else kind


def name(public: str) -> str:
    """A public name: its signature, and what its docstring says."""
    thing = getattr(flywheel_log, public)
    title = f"## `{public}`"
    if public == "Event":
        return f"{title}\n\n{_prose(thing)}"
    return f"{title}\n\n```text\n{_signature(public, thing)}\n```\n\n{_prose(thing)}"


def _signature(public: str, function: Any) -> str:
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    kinds = [one.kind for one in parameters]
    given = list(map(_parameter, parameters))
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        given.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    if inspect.Parameter.POSITIONAL_ONLY in kinds:
        given.insert(kinds.count(inspect.Parameter.POSITIONAL_ONLY), "/")
    returns = signature.return_annotation
    end = ")" if returns in (inspect.Signature.empty, "None") else f") -> {returns}"
    whole = f"{public}({', '.join(given)}{end}"
    return whole if len(whole) <= WIDEST else f"{public}(\n    " + ",\n    ".join(given) + f",\n{end}"


def _parameter(one: inspect.Parameter) -> str:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(one.kind, "")
    default = "" if one.default is inspect.Parameter.empty else f" = {one.default!r}"
    return f"{stars}{one.name}: {one.annotation}{default}"


def _prose(thing: Any) -> str:
    lines, entries = [], dict(_entries(inspect.getdoc(thing) or ""))
    told = False
    for line in (inspect.getdoc(thing) or "").splitlines():
        found = ENTRY.match(line[4:]) if line.startswith("    ") else None
        if SECTION.match(line):
            lines += [f"**{line}**", ""]
        elif found:
            lines.append(f"- `{found['names']}`: {entries[found['names']]}")
        elif not (told and line.startswith("     ")):
            lines.append(line.removeprefix("    "))
        told = found is not None or (told and line.startswith("     "))
    return "\n".join(lines)


def _entries(doc: str) -> Iterator[tuple[str, str]]:
    """The entries `name: text` of all sections of *doc*, each on one line."""
    names, text = "", ""
    for line in doc.splitlines():
        found = ENTRY.match(line[4:]) if line.startswith("    ") else None
        if found or not line.startswith("     "):
            if names:
                yield names, text
            names, text = (found["names"], found["text"]) if found else ("", "")
        else:
            text += f" {line.strip()}"
    if names:
        yield names, text


PARTS = {"commands": commands, "settings": settings, "name": name}


def main() -> int:
    """Write what is stale, or with `--check` only name it; return 1 where something has to be done by hand."""
    check = "--check" in sys.argv[1:]
    stale = []
    for page in sorted(REFERENCE.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        fresh = refreshed(text)
        if fresh != text and not check:
            page.write_text(fresh, encoding="utf-8")
        stale += [f"{page.name} is stale; run python docs/refresh.py"] * (fresh != text and check)
    stale += [f"front-door.md: {one}" for one in lacking((REFERENCE / "front-door.md").read_text(encoding="utf-8"))]
    print(*stale, sep="\n", end="\n" * bool(stale))
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
