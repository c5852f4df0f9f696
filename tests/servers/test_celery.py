"""Celery's prefork pool: a task's calls are recorded by the child that runs it, and delivered at the pool's end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import flywheel_log

# One process is producer, in-memory broker and worker; its children run the tasks.
PROGRAM = """
import os
import threading
import time

import flywheel_log
from celery import Celery
from celery.signals import worker_process_shutdown, worker_ready
from openai import OpenAI

flywheel_log.configure(sinks=["file:genai.log"])
flywheel_log.instrument()
app = Celery("shop", broker="memory://")
app.conf.update(worker_hijack_root_logger=False, task_ignore_result=True)


@app.task(name="ask")
def ask(user):
    with flywheel_log.context(user_id=user, metadata={"pid": os.getpid()}), OpenAI() as client:
        client.chat.completions.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": "hi"}])
    open(f"done-{user}", "w").close()


@worker_process_shutdown.connect
def deliver(**_):
    flywheel_log.shutdown(60)


@worker_ready.connect
def produce(sender, **_):
    for number in range(8):
        ask.delay(f"u{number}")
    threading.Thread(target=stop, args=[sender], daemon=True).start()


def stop(consumer):
    while not all(os.path.exists(f"done-u{number}") for number in range(8)):
        time.sleep(0.05)
    consumer.app.control.broadcast("shutdown")


options = ["--pool=prefork", "--concurrency=2", "--loglevel=ERROR", "--without-gossip", "--without-mingle"]
app.worker_main(["worker", *options])
"""


@pytest.mark.usefixtures("openai_environment")
def test_each_task_is_one_record_of_the_child_that_ran_it(tmp_path: Path) -> None:
    program = tmp_path / "shop.py"
    program.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run([sys.executable, program], cwd=tmp_path, timeout=100, check=False)
    assert done.returncode == 0
    events = list(flywheel_log.read(tmp_path / "genai.log"))
    assert sorted(event["user_id"] for event in events) == [f"u{number}" for number in range(8)]
    runs = {(event["id"].partition("-")[0], event["metadata"]["pid"]) for event in events}
    assert len(runs) == len({run for run, _ in runs}) == len({pid for _, pid in runs})
