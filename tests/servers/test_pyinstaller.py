"""A program made by PyInstaller takes along what is found only at run time: the front door's homes, the registries."""

from __future__ import annotations

import pkgutil
import runpy
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import flywheel_log

# What programs do not use, but people at their terminals: commands, the formats of datasets, the stand-in server.
NOT_OF_PROGRAMS = {"flywheel_log.cli", "flywheel_log.loop.export.formats", "flywheel_log.standin.surfaces"}


def registries() -> set[str]:
    """The folders whose modules are found by looking."""
    root = Path(str(flywheel_log.__file__)).parent
    found = {one.parent: one.read_text(encoding="utf-8") for one in root.rglob("__init__.py")}
    return {
        ".".join(folder.relative_to(root.parent).parts)
        for folder, source in found.items()
        if "iter_modules(__path__)" in source
    }


def test_the_hook_names_what_is_found_at_run_time() -> None:
    [announced] = [point for point in entry_points(group="pyinstaller40") if point.module.startswith("flywheel_log.")]
    [folder] = announced.load()()
    hook = runpy.run_path(str(Path(folder) / "hook-flywheel_log.py"))
    found = {f"{name}.{one.name}" for name in registries() - NOT_OF_PROGRAMS for one in modules(name)}
    assert len(found) > 20
    assert found <= set(hook["hiddenimports"])
    assert {getattr(flywheel_log, name).__module__ for name in flywheel_log.__all__} <= set(hook["hiddenimports"])
    assert hook["datas"]


def modules(package: str) -> list[pkgutil.ModuleInfo]:
    return list(pkgutil.iter_modules(import_module(package).__path__))
