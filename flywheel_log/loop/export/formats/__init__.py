"""What datasets look like on disk: a format is a module of this folder; `trl_dpo` is `--format trl-dpo`."""

from __future__ import annotations

import pkgutil
from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ..example import Example


class Format(Protocol):
    """What the module of a format is.

    Attributes:
        PAIRS: whether it tells better answers from worse ones, and so takes those that were rated bad too.
        MEDIA: what it takes besides texts: in whose messages, by the role, parts of which type; None for all.
        FILES: the file of each set (`train`, `validation`, `eval`), inside the dataset's folder.
    """

    PAIRS: bool
    MEDIA: Collection[tuple[str, str]] | None
    FILES: dict[str, str]

    def write(self, path: Path, part: str, examples: Sequence[Example]) -> int:
        """Write *examples*, which are those of the set *part*, to *path* and return how many rows they are."""


def names() -> list[str]:
    """Return the names of all formats."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name.replace("_", "-") for name in modules if not name.startswith("_"))


def find(name: str) -> Format:
    """Return the format called *name*.

    Raises:
        ValueError: there is none; the message lists those that there are.
        ModuleNotFoundError: it needs a library that is not installed.
    """
    if name not in names():
        raise ValueError(f"format {name!r} is unknown; expected one of {', '.join(names())}")
    return cast(Format, import_module(f"{__name__}.{name.replace('-', '_')}"))
