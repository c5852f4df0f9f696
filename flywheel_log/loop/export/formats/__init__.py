"""What datasets look like on disk: a format is a module of this folder; `trl_dpo` is `--format trl-dpo`."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path

from ..example import Example


def named(suffix: str) -> dict[str, str]:
    """Return the files of the sets of a dataset, one for each, whose names end in *suffix*."""
    return {part: f"{part}.{suffix}" for part in ("train", "validation", "eval")}


@dataclass(frozen=True)
class Format:
    """What the module of a format has as `FORMAT`.

    Attributes:
        write: writes the examples of a set (`train`, `validation`, `eval`) to a path, and returns how many rows
            they are.
        files: the file of each set, inside the dataset's folder.
        pairs: whether it tells better answers from worse ones, and so takes those that were rated bad too.
        media: what it takes besides texts: in whose messages, by the role, parts of which type; None for all.
    """

    write: Callable[[Path, str, Sequence[Example]], int]
    files: Mapping[str, str] = field(default_factory=partial(named, "jsonl"))
    pairs: bool = False
    media: Collection[tuple[str, str]] | None = None


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
    found: Format = import_module(f"{__name__}.{name.replace('-', '_')}").FORMAT
    return found
