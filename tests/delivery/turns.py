"""Another turn between any two instructions of a call, as threads, finalisers and handlers of signals take theirs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest


def with_a_turn(at: int, turn: Callable[[], object], call: Callable[[], object], where: str) -> bool:
    """Make *call*, and take *turn* at the instruction number *at* of its code in files whose names begin with *where*.

    Returns whether there were so many.
    """
    left = at

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        frame.f_trace_opcodes = frame.f_code.co_filename.startswith(where)
        if event == "opcode":
            left -= 1
            if left == 0:
                sys.settrace(None)
                turn()
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # Before, or 3.12 shows no instruction of anybody's.
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return left <= 0


def turns_before(monkeypatch: pytest.MonkeyPatch, owner: type, method: str) -> threading.local:
    """Have *method* of *owner* begin with the `turn` of its thread, once, where the returned object has been given one.

    Unlike instructions, which CPython 3.12.1 cannot show of two threads at once, this can be done in many.
    """
    mine, original = threading.local(), getattr(owner, method)

    def interrupted(*given: Any, **named: Any) -> Any:
        if (turn := vars(mine).pop("turn", None)) is not None:
            turn()
        return original(*given, **named)

    monkeypatch.setattr(owner, method, interrupted)
    return mine
