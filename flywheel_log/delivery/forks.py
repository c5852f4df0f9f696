"""What happens to deliveries when the process forks."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

from .. import loading
from ..health import health


class Forking(Protocol):
    """What has something to do around a fork."""

    def before_fork(self) -> None:
        """In the parent, before."""

    def after_fork(self) -> None:
        """In the parent, after."""

    def forget(self) -> None:
        """In the child."""


_watched: weakref.WeakSet[Forking] = weakref.WeakSet()
_held: list[Forking] = []


def watch(something: Forking) -> None:
    """Call *something* around every fork, for as long as it lives."""
    _watched.add(something)


def _before() -> None:
    loading.before_fork()
    for something in list(_watched):
        something.before_fork()
        _held.append(something)


def _in_parent() -> None:
    while _held:
        _held.pop().after_fork()
    loading.after_fork()


def _in_child() -> None:
    health.reset()
    loading.forget()
    while _held:
        _held.pop().forget()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
