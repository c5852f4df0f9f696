"""`nemo`: what NVIDIA's NeMo Customizer trains on and its Evaluator asks, in the folders in which they look for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flywheel_log.event import JSON

from ..example import Example
from . import Format
from ._lines import write_lines
from ._template import spelt_out


def _write(path: Path, part: str, examples: Sequence[Example]) -> int:
    """Write chats to train and to validate, requests with their responses to evaluate."""
    return write_lines(path, map(_asked_and_answered if part == "eval" else _chat, examples))


def _chat(one: Example) -> JSON:
    """Tool arguments are objects here, and every message of the assistant has content."""
    tools = {"tools": one.tools} if one.tools else {}
    return {"messages": [spelt_out(message) for message in (*one.messages, one.answer or {})], **tools}


def _asked_and_answered(one: Example) -> JSON:
    tools = {"tools": one.tools} if one.tools else {}
    request = {"messages": [{"content": "", **message} for message in one.messages], **tools}
    return {"request": request, "response": {"choices": [{"message": spelt_out(one.answer or {})}]}}


FORMAT = Format(
    _write,
    {"train": "training/train_data.jsonl", "validation": "validation/val_data.jsonl", "eval": "eval/eval_data.jsonl"},
)
