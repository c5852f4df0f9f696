"""Who judges answers after the call. A judge is a module of this folder, with `judge(event)`, named in the settings.

A judge looks at a recorded call, as it was written and with the `text` of its `retrieval_docs`; it may take its time.
What it returns, some of `quality`, `safety` and `hallucination_flag`, becomes feedback on the call; None: no verdict.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import Judge


def find(judge: Judge | str) -> Judge:
    """Return the judge called *judge*, or *judge* itself where it is a function.

    Raises:
        ValueError: there is none of that name; the message lists those there are.
        TypeError: it is neither a name nor a function.
    """
    if callable(judge):
        return judge
    if not isinstance(judge, str):
        raise TypeError(f"a judge is a name or a function of an event; got {type(judge).__name__}")
    if judge not in names():
        raise ValueError(f"judge {judge!r} is unknown; expected one of {', '.join(names())}")
    found: Judge = import_module(f"{__name__}.{judge}").judge
    return found


def names() -> list[str]:
    """Return the names of the judges that come with the package."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def name_of(judge: Judge | str) -> str:
    """Return the name under which the verdicts of *judge* are filed."""
    return judge if isinstance(judge, str) else str(getattr(judge, "__name__", type(judge).__name__))
