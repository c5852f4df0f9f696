"""Datasets from logs: to fine-tune, to evaluate, to prefer one answer over another; with a manifest to repeat them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from flywheel_log.event import JSON, Event

from ..feedback import Feedbacks
from .choose import choose
from .clean import Cleaner
from .example import Example
from .formats import Format, find, names
from .recipe import Dedup, Recipe
from .shelf import Kept, Shelf, Shelved
from .split import split

__all__ = ["MANIFEST", "Dedup", "Recipe", "export", "names"]

MANIFEST = "manifest.json"

_READABLE = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def export(
    events: Iterable[Event],
    feedbacks: Feedbacks,
    folder: Path,
    *,
    form: str = "openai",
    recipe: Recipe | None = None,
    made_from: Mapping[str, object] | None = None,
) -> JSON:
    """Write the calls among *events* as a dataset of the format *form* into *folder*, and return its manifest.

    The folder (0700) gets one file (0600) for each set of the *recipe* that has rows, and `manifest.json`: format,
    recipe, what it was *made_from* (the log and the filters), counts, and rows and SHA-256 of each file. They take the
    place of a dataset that was there; where there are no rows, nothing is written, and that one stays. The same log and
    recipe give the same bytes. Meanwhile the examples lie in a nameless file; a kilobyte of each is in memory.

    Raises:
        ValueError: the format is unknown, or what to redact.
        FileExistsError: *folder* holds something other than a dataset.
        NotADirectoryError: *folder* is a file.
        ModuleNotFoundError: the format or the recipe needs a library that is not installed.
    """
    written, recipe = find(form), recipe or Recipe()
    counted = Counter[str]()
    clean = Cleaner(recipe.redact)
    with _staged(folder) as stage, Shelf(stage, clean) as shelf:
        calls = _counted(events, counted)
        examples, dropped = choose(calls, feedbacks, recipe, shelf, pairs=written.pairs, media=written.media)
        sets = {name: Shelved(shelf.get, some) for name, some in split(examples, recipe).items()}
        manifest = {
            "flywheel_log": version("flywheel-log"),
            "format": form,
            "made_from": dict(made_from or {}),
            "recipe": recipe.described(),
            "counts": {"calls": counted["calls"], "taken": len(examples), "dropped": dict(sorted(dropped.items()))},
            "files": dict(_write(written, stage, sets)),
            **_contents(examples),
        }
        if manifest["files"]:
            _private(stage / MANIFEST).write_bytes(orjson.dumps(manifest, option=_READABLE))
    return manifest


def _counted(events: Iterable[Event], counted: Counter[str]) -> Iterator[Event]:
    for event in events:
        counted["calls"] += event.get("kind") == "llm"
        yield event


def _write(form: Format, folder: Path, sets: Mapping[str, Sequence[Example]]) -> Iterator[tuple[str, JSON]]:
    """Write a file for each set that has rows; there are loaders that take no others if one of them is empty."""
    for part, examples in sets.items():
        name = form.files[part]
        path = _private(folder / name)
        if rows := form.write(path, part, examples):
            with path.open("rb") as written:
                digest = hashlib.file_digest(written, "sha256").hexdigest()
            yield name, {"set": part, "rows": rows, "sha256": digest}
        else:
            path.unlink()


def _contents(examples: Sequence[Kept]) -> JSON:
    """Return what the examples are of, so that a dataset can be told from another without opening it."""
    times = [one.timestamp for one in examples]
    return {
        "prompt_versions": dict(sorted(Counter(one.prompt for one in examples if one.prompt).items())),
        "models": dict(sorted(Counter(one.model for one in examples).items())),
        "tools": dict(sorted(Counter(one.tool for one in examples if one.tool).items())),
        "first": min(times, default=None),
        "last": max(times, default=None),
    }


@contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """Give the block a folder to write a dataset to, which then takes the place of the one in *folder*.

    If none is written, or it does not become whole, all stays as it was. Raises as `export`.
    """
    if folder.is_file():
        raise NotADirectoryError(f"{folder} is a file; name a folder for the dataset")
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).exists():
        raise FileExistsError(f"{folder} holds something else already; name a new folder, or one with a {MANIFEST}")
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with TemporaryDirectory(prefix=".", dir=folder) as stage:
            yield Path(stage)
            if (Path(stage) / MANIFEST).exists():
                _replace(Path(stage), folder)
    finally:
        if is_new and not any(folder.iterdir()):
            folder.rmdir()


def _replace(stage: Path, folder: Path) -> None:
    """Put the files of *stage* in the place of those that the manifest in *folder* names, the manifest last."""
    new = _files(stage)
    for name in new:
        (folder / name).parent.mkdir(exist_ok=True, mode=0o700)
        (stage / name).replace(folder / name)
    for name in _files(folder) - new:
        (folder / name).unlink(missing_ok=True)
    (stage / MANIFEST).replace(folder / MANIFEST)


def _files(folder: Path) -> set[str]:
    """The files that the manifest in *folder* names and that may lie in it; none if it is no manifest of ours."""
    try:
        named = orjson.loads((folder / MANIFEST).read_bytes())["files"]
    except (OSError, ValueError, TypeError, KeyError):
        return set()
    return {name for name in named if ".." not in Path(name).parts and not Path(name).is_absolute()}


def _private(path: Path) -> Path:
    """Make a file that only its owner can read, and return its path."""
    path.parent.mkdir(exist_ok=True, mode=0o700)
    path.touch(0o600, exist_ok=False)
    return path
