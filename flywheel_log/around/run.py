"""What happens around one run of a decorated callable."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any


class Around:
    """What happens around one run of a decorated callable. None of the methods may raise.

    Attributes:
        under_way: whether the body of the callable runs, if the run keeps account of that. Whoever sees it raise notes
            here that it does not, before any function is called: the handler of a signal may raise in each.
    """

    under_way = False

    def running(self) -> AbstractContextManager[Any]:
        """Enter this whenever the body of the callable runs; a generator's body runs many times."""
        return nullcontext()

    def yielded(self, item: Any) -> None:
        """See what a generator hands out."""

    def returned(self, value: Any) -> Any:
        """See what the callable returned; what this returns is what the caller gets."""
        return value

    def pending(self) -> None:
        """Know that it returned what is to be entered or awaited, and tells nothing before."""

    def entered(self, value: Any) -> Any:
        """See what the context manager it returned gives to its block; what this returns is what the block gets."""
        return value

    def left(self, error: BaseException | None) -> None:
        """See how the block of the context manager it returned ended."""
        if error is None:
            self.returned(None)
        else:
            self.raised(error)

    def raised(self, error: BaseException) -> None:
        """See what the callable raised; a generator that is closed early raises GeneratorExit."""
