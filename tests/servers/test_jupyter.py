"""A notebook in a real kernel: cells, also with `await`, are recorded, and a restart loses nothing."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat
import pytest

import flywheel_log

SETUP = """
import flywheel_log
from openai import AsyncOpenAI, OpenAI

flywheel_log.configure(sinks=["file:genai.log"], client_id="notebook")
client = flywheel_log.instrument(OpenAI())
messages = [{"role": "user", "content": "hi"}]
"""
CELLS = [
    SETUP,
    'client.chat.completions.create(model="gpt-4.1-mini", messages=messages);',
    SETUP,
    'await flywheel_log.instrument(AsyncOpenAI()).chat.completions.create(model="gpt-4.1-mini", messages=messages);',
    "with flywheel_log.context(user_id='u42'):\n    client.responses.create(model='gpt-4.1-mini', input='hi')",
    "flywheel_log.flush()\nprint(len(list(flywheel_log.read('genai.log'))))",
]


@pytest.mark.usefixtures("openai_environment")
@pytest.mark.filterwarnings("ignore")  # of the kernel's client
def test_the_cells_of_a_notebook_are_recorded(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=90, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert notebook.cells[-1].outputs[0].text == "3\n"
    events = list(flywheel_log.read(tmp_path / "genai.log"))
    assert [(event["surface"], event.get("user_id")) for event in events] == [
        ("chat.completions", None),
        ("chat.completions", None),
        ("responses", "u42"),
    ]
