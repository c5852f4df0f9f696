"""Whether a file can take events: what `flywheel-log doctor` reports about it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flywheel_log.process.directories import nearest
from flywheel_log.sinks import BATCH_BYTES, Finding

_MODE = 0o600
_SINKS = "FLYWHEEL_LOG_SINKS"


def check(url: str) -> Iterator[Finding]:
    """Look whether the file of *url* can be written to, by us alone."""
    import shutil  # It takes a while, and the sink has no need of it.

    path = Path(unquote(urlsplit(url).path)).expanduser()
    place = nearest(path.absolute())
    target = Path(os.path.realpath(path))
    if path.is_symlink() and not target.parent.is_dir():
        fix = f"it is a link to {target}, whose directory does not exist; make that, or name another in {_SINKS}"
        yield Finding(f"the file {path}", fix)
    elif place != path.absolute():
        fix = f"{place} cannot be written; make it writable, or name another file in {_SINKS}"
        may = os.access(place, os.W_OK | os.X_OK)
        yield Finding(f"the file {path}, which is created with the first event", "" if may else fix)
    elif path.is_dir():
        yield Finding(f"the file {path}", f"it is a directory; name the log in it, such as file:{path / 'genai.log'}")
    elif not os.access(path, os.W_OK):
        yield Finding(f"the file {path}", f"it cannot be written; make it writable, or name another in {_SINKS}")
    elif not path.is_file():
        yield Finding(f"the pipe or device {path}, from which nothing can be read back")
    elif stat.S_IMODE(path.stat().st_mode) & ~_MODE:
        yield Finding(f"the file {path}", f"others can read it: chmod 600 {path}")
    else:
        full = "its disk is nearly full, so events wait in the journal; free some space"
        yield Finding(f"the file {path}", full if shutil.disk_usage(path).free < BATCH_BYTES else "")
