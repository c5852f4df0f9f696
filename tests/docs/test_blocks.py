"""The reader of pages itself: what it runs, what it notices and what it leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest
from sybil.example import SybilFailure

from .blocks import left_out, read

FENCE = "```"


def page(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "page.md"
    path.write_text(text.replace("'''", FENCE), encoding="utf-8")
    return path


def evaluate(path: Path) -> dict[str, object]:
    document = read(path)
    for example in document:
        example.evaluate()
    return document.namespace


def test_python_blocks_of_a_page_share_one_namespace(tmp_path: Path) -> None:
    path = page(tmp_path, "'''python\nwidth = 2\n'''\nand\n'''python title='b.py'\narea = width * 3\n'''\n")
    assert evaluate(path) == {"__name__": "__main__", "width": 2, "area": 6}


def test_an_error_names_the_line_of_the_page(tmp_path: Path) -> None:
    path = page(tmp_path, "# Title\n\n'''python\nfirst = 1\nsecond = 1 / 0\n'''\n")
    with pytest.raises(ZeroDivisionError) as raised:
        evaluate(path)
    assert (str(raised.traceback[-1].path), raised.traceback[-1].lineno + 1) == (str(path), 5)


def test_a_session_with_a_wrong_answer_fails(tmp_path: Path) -> None:
    with pytest.raises(SybilFailure, match="Expected:\n    3\nGot:\n    2"):
        evaluate(page(tmp_path, "'''python\n>>> 1 + 1\n3\n'''\n"))


def test_a_command_that_exits_otherwise_than_shown_fails(tmp_path: Path) -> None:
    with pytest.raises(SybilFailure, match="exits with 7, the page says 0"):
        evaluate(page(tmp_path, "'''console\n$ : flywheel-log; exit 7\n'''\n"))


def test_a_command_may_be_shown_to_fail(tmp_path: Path) -> None:
    path = page(tmp_path, "'''console\n$ : flywheel-log > ran; exit 7  # exits with 7\n'''\n")
    evaluate(path)
    assert (tmp_path / "ran").exists()


def test_a_command_that_does_not_say_what_is_shown_fails(tmp_path: Path) -> None:
    with pytest.raises(SybilFailure, match="does not say second, as the page does"):
        evaluate(page(tmp_path, "'''console\n$ echo /a/b first 2 flywheel-log\n/c/d first 1\nsecond\n'''\n"))


def test_what_is_shown_of_another_run_is_not_compared(tmp_path: Path) -> None:
    text = "<!-- of another run: a model's words -->\n'''console\n$ : flywheel-log > ran\nHello\n'''\n"
    evaluate(page(tmp_path, text))
    assert (tmp_path / "ran").exists()


def test_commands_of_others_and_other_languages_are_not_run(tmp_path: Path) -> None:
    text = "'''sh\n$ touch ran; false\nflywheel-log stats\n'''\n'''json\n{]\n'''\n'''\nplain\n'''\n"
    assert list(read(page(tmp_path, text))) == []


def test_a_block_with_a_reason_is_left_out_and_its_reason_listed(tmp_path: Path) -> None:
    text = "<!-- not run: needs a GPU -->\n'''python\n1 / 0\n'''\n\n'''python\nran = True\n'''\n"
    path = page(tmp_path, text)
    assert (evaluate(path)["ran"], left_out(path)) == (True, ["needs a GPU"])
