"""Tells PyInstaller, when it makes a program of one file, which modules are found only at run time."""

from __future__ import annotations

from pathlib import Path


def hook_dirs() -> list[str]:
    """Return where the hooks are, for the entry point `pyinstaller40`.

    Source: https://pyinstaller.org/en/stable/hooks.html#provide-hooks-with-package
    """
    return [str(Path(__file__).parent)]
