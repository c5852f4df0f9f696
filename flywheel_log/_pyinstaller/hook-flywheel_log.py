"""PyInstaller's hook for flywheel_log: what the front door and the folders that are registries import by name."""

from PyInstaller.utils.hooks import collect_submodules, copy_metadata  # type: ignore[import-untyped]

import flywheel_log

_REGISTRIES = ("capture.surfaces", "judges", "loop.reading.sources", "projection", "sinks")

hiddenimports = [
    *flywheel_log._HOME.values(),  # noqa: SLF001 - the front door's own list
    *(module for registry in _REGISTRIES for module in collect_submodules(f"flywheel_log.{registry}")),
]
datas = copy_metadata("flywheel-log")
