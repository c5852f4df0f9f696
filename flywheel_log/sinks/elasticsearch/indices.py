"""Which indices accept our documents as they are: checked before the first one, and from time to time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from flywheel_log.sinks import RetryLater

from .cluster import Cluster, Unreachable
from .ensure import Unfit, ensure

TRUSTED_S = 30.0
"""Seconds for which an index counts as what it was: somebody may delete it meanwhile, and make an unfit one instead."""


class Indices:
    """The indices of one cluster, and until when each is taken to be fit.

    Args:
        cluster: where they are.
        clock: seconds.
    """

    def __init__(self, cluster: Cluster, clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._clock = clock
        self._until: dict[str, float] = {}

    def unfit(self, indices: Iterable[str]) -> dict[str, Unfit]:
        """Return which of the *indices* would spoil our documents; the others are there, and ready.

        Raises:
            RetryLater: nobody says.
        """
        found: dict[str, Unfit] = {}
        now = self._clock()
        for index in indices:
            if now < self._until.get(index, -math.inf):
                continue
            try:
                ensure(self._cluster, index)
                self._until[index] = now + TRUSTED_S
            except Unfit as error:
                found[index] = error
            except Unreachable as error:
                raise RetryLater(str(error)) from error
        return found

    def doubt(self, index: str) -> None:
        """Look again at *index* before the next document: it is gone, or refuses what it ought to take."""
        self._until.pop(index, None)
