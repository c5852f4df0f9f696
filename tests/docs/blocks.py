"""How a page of documentation is run: its Python in order, in one namespace, and its `$ flywheel-log …` lines.

An author does nothing special. Commands must exit with 0; one that is meant to fail ends in `# exits with 1`. What
cannot run here is preceded by a line `<!-- not run: the reason -->`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from sybil import Document, Example, Region
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

import flywheel_log

_FENCES = RawFencedCodeBlockLexer(re.compile(r"[ \t]*(?P<language>\w+)[^\n]*\n"))
_NOT_RUN = re.compile(r"<!-- not run: (?P<reason>\S[^\n]*?) -->\s*\Z")
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
    return [reason for region in _FENCES(document) if (reason := _reason(document, region))]


def _runnable(document: Document) -> Iterator[Region]:
    for region in _FENCES(document):
        if _reason(document, region):
            continue
        region.parsed = region.lexemes["source"]
        language = region.lexemes["language"]
        if language in _SHELLS and _PROMPT.search(region.parsed):
            region.evaluator = _run_commands
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


def _reason(document: Document, region: Region) -> str | None:
    marker = _NOT_RUN.search(document.text, 0, region.start)
    return marker["reason"] if marker else None


def _run_commands(example: Example) -> str | None:
    flywheel_log.flush()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for prompt in _PROMPT.finditer(example.parsed):
        expected = int(prompt["status"] or 0)
        done = subprocess.run(  # noqa: S602 - the page's own shell line is what is tested
            prompt["command"],
            shell=True,
            env=os.environ | {"PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != expected:
            said = done.stdout + done.stderr
            return f"{prompt['command']!r} exits with {done.returncode}, the page says {expected}:\n{said}"
    return None
