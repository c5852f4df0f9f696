"""The progress of a command: a bar on standard error, on a terminal, for what is sent, or read for over a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from flywheel_log.loop.reading import progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

AFTER_S = 1.0

_shown: list[Bar] = []


class Bar:
    """A bar that shows itself when its time has come, and clears its line when it is done.

    Args:
        screen: where.
        clock: tells the seconds.
    """

    def __init__(self, screen: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._screen, self._clock = screen, clock
        self._since = clock()
        self._done = self._total = 0
        self._unit = "bytes"
        self._live: Progress | None = None

    def begin(self, total: int, unit: str) -> None:
        """Expect *total* more; where something of this pass has been read, it is over, and another begins."""
        if self._done or unit != self._unit:
            self.hide(again=False)
            self._done = self._total = 0
        self._total, self._unit = self._total + total, unit

    def advance(self, count: int, note: str = "") -> None:
        """Count what is done, and show it, with a *note* on how it goes."""
        self._done += count
        if self._live is None and self._clock() - self._since >= AFTER_S:
            self.show()
        if self._live is not None:
            self._live.update(self._live.task_ids[0], completed=min(self._done, self._total), description=note)

    def hide(self, *, again: bool = True) -> None:
        """Clear the line, for somebody else writes; shown *again* after a second of silence, else at the next news."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        if again:
            self._since = self._clock()

    def show(self) -> None:
        """Show what is expected, before its time has come."""
        from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        amount = DownloadColumn() if self._unit == "bytes" else MofNCompleteColumn()
        columns = (BarColumn(), amount, "{task.description}", TimeRemainingColumn())
        # Standard output is not taken along: it may be a file.
        self._live = Progress(
            *columns, console=self._screen, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._live.add_task("", total=self._total)
        self._live.start()


@contextmanager
def progress_shown() -> Iterator[Bar | None]:
    """Show how far everything comes that is read in the block, if standard error is a terminal: yields the bar."""
    if _shown or not sys.stderr.isatty():
        yield next(iter(_shown), None)
        return
    from rich.console import Console

    bar = Bar(Console(stderr=True))
    _shown.append(bar)
    try:
        with progress.told_to(bar):
            yield bar
    finally:
        _shown.clear()
        bar.hide()


@contextmanager
def sends_shown(of: int) -> Iterator[Callable[[str], None]]:
    """Show how many of the block's requests are done; yields what is called after each, with a note on how it goes."""
    with progress_shown() as bar:
        if bar is None:
            yield lambda _: None
            return
        bar.begin(of, "requests")
        bar.show()
        yield partial(bar.advance, 1)


def clear_line() -> None:
    """Take the bar away where there is one, before something else is written."""
    for bar in _shown:
        bar.hide()
