"""How a page of documentation is run: its Python in order, in one namespace, and its `$ flywheel-log …` lines.

An author does nothing special. Commands must exit with 0; one that is meant to fail ends in `# exits with 1`. They must
say the words that are shown below them, but for paths. What cannot run here is preceded by a line
`<!-- not run: the reason -->`, and what is shown of another run by `<!-- of another run: the reason -->`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sybil import Document, Example, Region
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

import flywheel_log

_FENCES = RawFencedCodeBlockLexer(re.compile(r"[ \t]*(?P<language>\w+)[^\n]*\n"))
_NOT_RUN = re.compile(r"<!-- not run: (?P<reason>\S[^\n]*?) -->\s*\Z")
_OTHER_RUN = re.compile(r"<!-- of another run: (?P<reason>\S[^\n]*?) -->\s*\Z")
_WORD = re.compile(r"[A-Za-z]{4,}")
_PROMPT = re.compile(r"^\s*\$ (?P<command>.*?\bflywheel-log\b.*?)(?:\s+# exits with (?P<status>\d+))?$", re.MULTILINE)
_SHELLS = {"console", "sh", "shell", "bash"}
_run_python = PythonEvaluator()
_doctests = DocTestStringParser(DocTestEvaluator())


def read(page: Path) -> Document:
    """Return *page* with its blocks that run as examples, in order."""
    document = Document.parse(str(page), _runnable)
    document.namespace["__name__"] = "__main__"
    return document


def left_out(page: Path) -> list[str]:
    """Return the reasons for which blocks of *page* are not run."""
    document = Document.parse(str(page))
    return [reason for region in _FENCES(document) if (reason := _reason(document, region, _NOT_RUN))]


def _runnable(document: Document) -> Iterator[Region]:
    for region in _FENCES(document):
        if _reason(document, region, _NOT_RUN):
            continue
        region.parsed = region.lexemes["source"]
        language = region.lexemes["language"]
        if language in _SHELLS and _PROMPT.search(region.parsed):
            region.evaluator = partial(_run_commands, compared=_reason(document, region, _OTHER_RUN) is None)
            yield region
        elif language in {"python", "py", "pycon"}:
            yield from _python(document, region)


def _python(document: Document, region: Region) -> Iterator[Region]:
    if not region.parsed.lstrip().startswith(">>>"):
        region.evaluator = _run_python
        yield region
        return
    for doctest in _doctests(region.parsed, document.path):
        doctest.adjust(region, region.parsed)
        yield doctest


def _reason(document: Document, region: Region, kind: re.Pattern[str]) -> str | None:
    marker = kind.search(document.text, 0, region.start)
    return marker["reason"] if marker else None


def _run_commands(example: Example, *, compared: bool) -> str | None:
    flywheel_log.flush()
    prompts = [*_PROMPT.finditer(example.parsed)]
    ends = [*(prompt.start() for prompt in prompts[1:]), len(example.parsed)]
    for prompt, end in zip(prompts, ends, strict=True):
        expected = int(prompt["status"] or 0)
        status, said = _run(prompt["command"])
        if status != expected:
            return f"{prompt['command']!r} exits with {status}, the page says {expected}:\n{said}"
        stale = _words(example.parsed[prompt.end() : end]) - _words(said)
        if compared and stale:
            return f"{prompt['command']!r} does not say {', '.join(sorted(stale))}, as the page does:\n{said}"
    return None


def _run(command: str) -> tuple[int, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S602 - the page's own shell line is what is tested
        command,
        shell=True,
        env=os.environ | {"PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def _words(text: str) -> set[str]:
    return {word for token in text.split() if "/" not in token for word in _WORD.findall(token)}
