"""Select the fields that are written, by path: `user_id`, `metadata.email`, `request.messages.content`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from ..event import JSON, Event, Wire
from ..serialise import loads

ALWAYS = ("timestamp", "kind", "client_id", "workload_id", "status")
_PRICED_BY = ("provider", "model", "input_tokens", "output_tokens", "cached_tokens")
_Tree = dict[str, "_Tree"]


class Selection:
    """A processor that leaves fields out; a path goes through lists, to each of their items.

    Args:
        allow: only these are kept, and `ALWAYS`; nothing means all.
        deny: these are left out, also of what is allowed.
    """

    def __init__(self, allow: Sequence[str], deny: Sequence[str]) -> None:
        needed = _PRICED_BY if "cost_usd" in allow else ()  # The price is found behind the journal.
        self._allow = _tree([*ALWAYS, *needed, *allow]) if allow else None
        self._deny = _tree(deny)

    def __bool__(self) -> bool:
        return bool(self._allow or self._deny)

    def __call__(self, _: Any, __: str, event: Event) -> Event:
        """Return *event* without the fields that are not wanted."""
        fields: Any = event
        if self._allow is not None:
            fields = _kept(fields, self._allow)
        return cast(Event, _left(fields, self._deny))


def _tree(paths: Iterable[str]) -> _Tree:
    """The paths as a tree of their names; below the end of a path there is nothing, which stands for everything."""
    tree: _Tree = {}
    for path in sorted(paths, key=len):
        *above, last = path.split(".")
        branch = tree
        for name in above:
            if name in branch and not branch[name]:
                break  # A shorter path has all of this.
            branch = branch.setdefault(name, {})
        else:
            branch[last] = {}
    return tree


def _kept(value: Any, wanted: _Tree) -> Any:
    def keep(fields: JSON) -> JSON:
        kept = {key: fields[key] for key in fields if key in wanted}
        return {key: _kept(item, wanted[key]) if wanted[key] else item for key, item in kept.items()}

    return _each(value, keep)


def _left(value: Any, unwanted: _Tree) -> Any:
    def leave(fields: JSON) -> JSON:
        left = {key: item for key, item in fields.items() if unwanted.get(key) != {}}
        return {key: _left(item, unwanted[key]) if key in unwanted else item for key, item in left.items()}

    return _each(value, leave)


def _each(value: Any, change: Callable[[JSON], JSON]) -> Any:
    if isinstance(value, Wire):
        value = loads(value.raw)
    if isinstance(value, dict):
        return change(value)
    return [_each(item, change) for item in value] if isinstance(value, list) else value
