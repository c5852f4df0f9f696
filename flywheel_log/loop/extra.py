"""Libraries that only some commands need, and that are installed with an extra of the package."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def need(module: str, extra: str) -> Any:
    """Import *module*.

    Raises:
        ModuleNotFoundError: it is not installed; the message says how to.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        message = f"{error.name} is not installed; install it with: pip install 'flywheel-log[{extra}]'"
        raise ModuleNotFoundError(message, name=error.name) from None
