"""An error of the file system in words for the user."""

from __future__ import annotations

from pathlib import Path


def explained(error: OSError) -> str:
    """Return which file it is and what is wrong with it; errors of our own say so themselves."""
    if error.errno is None or error.strerror is None or error.filename is None:
        return str(error)
    name = error.filename.decode(errors="replace") if isinstance(error.filename, bytes) else str(error.filename)
    why = f"{name}: {error.strerror[:1].lower()}{error.strerror[1:]}"
    return f"{why}{_whose(Path(name))}" if isinstance(error, PermissionError) else why


def _whose(path: Path) -> str:
    """Logs can be read by their owner only, so an error says who that is."""
    try:
        return f"; it is {path.owner()}'s, who alone may read what flywheel_log writes"
    except (OSError, KeyError):
        return ""
