"""The names of NVIDIA's guide, what they take, and what happens without LangChain or without a backend."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from langchain_core.callbacks import BaseCallbackHandler

import flywheel_log
from flywheel_log.langchain import (
    ElasticsearchLogHandler,
    FlywheelLogHandler,
    GenericLogHandler,
    create_langchain_callbacks,
)

WITHOUT = """
import langchain_core.callbacks, sys, types
sys.modules["{name}"] = {instead}
import flywheel_log
try:
    import flywheel_log.langchain
except ImportError as error:
    print(error)
"""


def test_the_names_of_the_guide_are_the_handler() -> None:
    assert (GenericLogHandler, ElasticsearchLogHandler) == (FlywheelLogHandler, FlywheelLogHandler)
    assert isinstance(GenericLogHandler(workload_id="chat"), BaseCallbackHandler)


async def test_there_are_callbacks_without_any_configuration() -> None:
    (handler,) = await create_langchain_callbacks(workload_id="chat")
    assert isinstance(handler, FlywheelLogHandler)


async def test_there_are_callbacks_where_elasticsearch_is_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "http://127.0.0.1:9")
    assert len(await create_langchain_callbacks(workload_id="chat")) == 1


async def test_there_are_no_callbacks_where_recording_is_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_LOG_DISABLED", "true")
    assert await create_langchain_callbacks(workload_id="chat") == []


async def test_there_are_no_callbacks_without_a_sink() -> None:
    flywheel_log.configure(sinks=[])
    assert await create_langchain_callbacks(workload_id="chat") == []


async def test_wrong_settings_are_said_and_give_no_callbacks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FLYWHEEL_LOG_SAMPLE", "lots")
    assert await create_langchain_callbacks(workload_id="chat") == []
    assert "sample" in caplog.text


async def test_a_field_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"colour is not a field of an event; expected one of .*user_id"):
        FlywheelLogHandler("chat", colour="red")
    with pytest.raises(TypeError, match="colour"):
        await create_langchain_callbacks(workload_id="chat", colour="red")


@pytest.mark.parametrize(
    ("name", "instead"),
    [("langchain_core.callbacks", "None"), ("langchain_core.messages", "types.ModuleType('of an old version')")],
)
def test_without_a_langchain_that_will_do_the_extra_is_named_and_all_else_works(
    tmp_path: Path, name: str, instead: str
) -> None:
    program = WITHOUT.format(name=name, instead=instead)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "LangChain is missing or too old; `pip install -U 'flywheel-log[langchain]'` helps\n"


def test_nobody_imports_langchain_who_does_not_ask_for_it(tmp_path: Path) -> None:
    program = "import sys, flywheel_log; flywheel_log.instrument(); print('langchain_core' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "False\n"
