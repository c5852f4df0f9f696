"""Methods of other people's classes, replaced by ours, and put back."""

from __future__ import annotations

from collections.abc import Callable
from inspect import unwrap
from typing import Any


class Patches:
    """The methods that are replaced at present, each once."""

    def __init__(self) -> None:
        self._installed: dict[tuple[Any, str], Any] = {}

    def wrap(self, cls: type, name: str, replace: Callable[[Any], Any]) -> None:
        """Put what *replace* makes of it (with its `__wrapped__`) in place of the method *name* of *cls*, if any."""
        owner = next((base for base in cls.__mro__ if name in vars(base)), None)
        if owner is not None:
            self.wrap_own(owner, name, replace)

    def wrap_own(self, owner: Any, name: str, replace: Callable[[Any], Any]) -> None:
        """As `wrap`, for what *owner*, a class or an object, has itself under *name*."""
        if not self._is_reached(owner, name):
            self._installed[owner, name] = replace(vars(owner)[name])
            setattr(owner, name, self._installed[owner, name])

    def _is_reached(self, owner: Any, name: str) -> bool:
        """Whether ours is called still: a library that puts back what it found before us has thrown ours out."""
        ours = self._installed.get((owner, name))
        return ours is not None and unwrap(vars(owner)[name], stop=lambda method: method is ours) is ours

    def undo(self) -> None:
        """Put the methods back, unless another library has wrapped ours since: then ours stay, and pass on."""
        for (owner, name), wrapped in list(self._installed.items()):
            if vars(owner).get(name) is wrapped:
                setattr(owner, name, wrapped.__wrapped__)
                del self._installed[owner, name]


def bindable(method: Any) -> Any:
    """*method*, which may be another library's wrapper, as something whose `__get__` binds it; a mock has none."""
    return method if hasattr(type(method), "__get__") else staticmethod(method)
