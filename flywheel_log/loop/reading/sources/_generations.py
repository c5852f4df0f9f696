"""The files of a log at one moment, held open: whatever is renamed, compressed or deleted then, each is read once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from flywheel_log.loop.reading import progress
from flywheel_log.process import compression
from flywheel_log.sinks import RetryLater
from flywheel_log.sinks.file.sharing import locked

_TRIES = 50
_PATIENCE_S = 1.0

Identity = tuple[int, int]


class Held:
    """One file of a log, open, under whatever name it bears by now.

    Attributes:
        path: the name that it had.
        data: its bytes, as they are.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = progress.opened(path)

    @property
    def packed(self) -> bool:
        """Whether it is compressed."""
        return compression.is_compressed(self.path)

    @property
    def size(self) -> int:
        """How many bytes it has by now."""
        return os.fstat(self.data.fileno()).st_size

    @property
    def written_ns(self) -> int:
        """When it was last written to, in nanoseconds since 1970."""
        return os.fstat(self.data.fileno()).st_mtime_ns

    @property
    def identity(self) -> Identity:
        """What tells it from all other files, whatever its name."""
        return identity(os.fstat(self.data.fileno()))

    def lines(self, begin: int = 0) -> Iterator[bytes]:
        """Yield its lines; those behind the one in which byte *begin* of a plain file lies, if that is not the first.

        Raises:
            OSError: it is compressed and damaged; what is before the damage was yielded.
        """
        if self.packed:
            with compression.reading(self.data, self.path) as lines:
                yield from lines
            return
        self.data.seek(begin)
        if begin:
            self.data.readline()
        yield from self.data

    def is_in_place(self) -> bool:
        """Tell whether its path still is its name."""
        try:
            return identity(self.path.stat()) == self.identity
        except FileNotFoundError:
            return False


def identity(status: os.stat_result) -> Identity:
    """Return what tells the file of *status* from all others."""
    return (status.st_dev, status.st_ino)


@contextmanager
def held(log: Path, files: Callable[[], list[Path]]) -> Iterator[list[Held]]:
    """Open what *files* returns, files of *log*, in its order and each file once, for a `with` block.

    Our own writers rotate nothing while that goes on. Others do, and a rotation gives one file's name to the next: so
    what is named is looked at again after all is open, and opened anew if it has changed.

    Raises:
        OSError: a file cannot be opened.
    """
    for attempt in range(1, _TRIES + 1):
        with ExitStack() as open_files:
            with _locked(log):
                found = _opened(files(), open_files)
                settled = [(one.path, one.identity) for one in found] == _named(files())
            if settled or attempt == _TRIES:
                yield [*{one.identity: one for one in found}.values()]
                return


@contextmanager
def _locked(log: Path) -> Iterator[None]:
    """Hold the lock under which a log is rotated, if it can be had.

    The system does not promise that a folder which is listed while files are renamed in it lists all of them.
    """
    with ExitStack() as lock:
        with suppress(OSError, RetryLater):
            lock.enter_context(locked(log, _PATIENCE_S, os.O_RDONLY))
        yield


def _opened(paths: list[Path], open_files: ExitStack) -> list[Held]:
    found = []
    for path in paths:
        try:
            one = Held(path)
        except FileNotFoundError:  # renamed or deleted since it was listed; there will be another look
            continue
        open_files.callback(one.data.close)
        found.append(one)
    return found


def _named(paths: list[Path]) -> list[tuple[Path, Identity]]:
    """The files that bear these names now; one that vanishes at this very moment makes the answer another one."""
    found = []
    for path in paths:
        with suppress(FileNotFoundError):
            found.append((path, identity(path.stat())))
    return found
