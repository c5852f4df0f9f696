"""A set of objects by identity, each for as long as it lives, whether or not it can be hashed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from weakref import ref


class IdentitySet:
    """A weak set of objects by identity; what cannot be referred to weakly is kept alive until it is discarded."""

    def __init__(self) -> None:
        self._by_id: dict[int, Callable[[], Any]] = {}

    def add(self, item: Any) -> None:
        """Remember *item*."""
        key = id(item)
        try:
            self._by_id[key] = ref(item, lambda _: self._by_id.pop(key, None))
        except TypeError:
            self._by_id[key] = lambda: item

    def discard(self, item: Any) -> None:
        """Forget *item*, if it is there."""
        self._by_id.pop(id(item), None)

    def __iter__(self) -> Iterator[Any]:
        return iter([item for find in list(self._by_id.values()) if (item := find()) is not None])

    def __len__(self) -> int:
        return len(self._by_id)
