"""Which examples a dataset includes, and why it leaves out the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from flywheel_log import projection
from flywheel_log.capture.derive import derive, marks
from flywheel_log.capture.surfaces import surface_named
from flywheel_log.event import Event
from flywheel_log.projection.chat import objects

from ..conversation import kept_by_server
from ..digest import digest
from ..extra import need
from ..feedback import Feedbacks
from ..replay.origin import is_ours, origin
from .example import Example, example
from .recipe import Recipe
from .shelf import Kept, Shelf

_OF_THE_ANSWER = {
    *("error", "incomplete", "length", "content_filter", "refusal"),
    *("invalid_tool_arguments", "hosted_tool", "no_choices", "no_message"),
}
"""What a correction mends; other marks say that the question is not whole either."""

_PERMUTATIONS = 128


def choose(
    events: Iterable[Event],
    feedbacks: Feedbacks,
    recipe: Recipe,
    shelf: Shelf,
    *,
    pairs: bool,
    media: Collection[tuple[str, str]] | None = None,
) -> tuple[list[Kept], Counter[str]]:
    """Put the examples among *events* that a dataset may take on the *shelf*.

    Returns them, oldest first, and how many it may not take, by reason.

    For *pairs* of answers those that were rated bad are taken too. None with other *media* than these (None: with any)
    is taken.
    """
    dropped: Counter[str] = Counter()
    taken = []
    for event in events:
        if event.get("kind") != "llm":
            continue
        found = example(event, feedbacks.on(event))
        reason = _apart(event, recipe) or ("no_chat" if found is None else _refused(found, recipe, pairs=pairs))
        if not reason and media is not None and found is not None and not found.media <= {*media}:
            reason = "media"
        if found is None or reason:
            dropped[reason or ""] += 1
        else:
            taken.append(shelf.put(found))
    kept = _without_duplicates(taken, recipe, shelf)
    dropped["duplicate"] = len(taken) - len(kept)
    return sorted(kept, key=lambda one: (one.timestamp, one.id)), +dropped


def _apart(event: Event, recipe: Recipe) -> str | None:
    """Name what `replay` sent, and no user: a model's verdict of two answers, or another answer to an old question."""
    if not is_ours(event):
        return None
    if origin(event) is None:
        return "judge"
    return None if recipe.replays else "replay"


def _refused(one: Example, recipe: Recipe, *, pairs: bool) -> str | None:
    unsafe = {*map(str, one.event.get("training_unsafe") or ()), *_marks(one.event)} - _of_others(one.event)
    if one.event.get("status", "ok") != "ok":
        unsafe.add(one.event["status"])
    if one.feedback.correction is not None:
        unsafe -= _OF_THE_ANSWER
    if one.is_custom:
        unsafe.add("custom_tool")
    if unsafe and not recipe.unsafe:
        return f"unsafe_{min(unsafe)}"
    if one.answer is None:
        return "no_answer"
    if one.feedback.hallucination and one.feedback.correction is None and not pairs:
        return "hallucination"
    if one.feedback.verdict == "bad" and one.feedback.correction is None and not pairs:
        return "rated_bad"
    return "too_long" if recipe.max_tokens and one.tokens > recipe.max_tokens else None


def _marks(event: Event) -> Iterator[str]:
    """What the answer says of itself, which not all loggers mark; and whether the question is whole."""
    yield from derive(event).get("training_unsafe", ())
    yield from marks(surface_named("chat.completions"), projection.as_chat(event)[1])
    request: Any = event.get("request") or {}
    referred = any(one.get("type") == "item_reference" for one in objects(request.get("input")))
    if referred or kept_by_server(request):
        yield "server_state"


def _of_others(event: Event) -> set[str]:
    """What is only said of other choices than the first, which is the answer that is learnt."""
    response = projection.as_chat(event)[1]
    choices = response.get("choices")
    if not isinstance(choices, list) or len(choices) <= 1:
        return set()
    surface = surface_named("chat.completions")
    return {*marks(surface, response)}.difference(marks(surface, response | {"choices": choices[:1]}))


def _without_duplicates(examples: Sequence[Kept], recipe: Recipe, shelf: Shelf) -> list[Kept]:
    """Of equal (or similar) examples the corrected one is kept, else the one rated good, else the newest."""
    ordered = sorted(examples, key=lambda one: one.rank, reverse=True)
    if recipe.dedup == "none":
        return ordered
    distinct = list({one.content: one for one in reversed(ordered)}.values())[::-1]
    return list(_dissimilar(distinct, recipe.similarity, shelf)) if recipe.dedup == "near" else distinct


def _dissimilar(examples: Sequence[Kept], similarity: float, shelf: Shelf) -> Iterator[Kept]:
    """Yield the examples whose latest turns are not *similarity* alike (0 to 1) to those of an earlier one.

    Instructions and history are no part of that: they are alike in all calls of a workload.
    """
    datasketch = need("datasketch", "datasets")
    index = datasketch.MinHashLSH(threshold=similarity, num_perm=_PERMUTATIONS)
    kept: dict[int, Any] = {}
    for number, one in enumerate(examples):
        sketch = datasketch.MinHash(num_perm=_PERMUTATIONS, seed=1)
        sketch.update_batch(_shingles(shelf.get(one).latest))
        # The index finds what may be alike; the sketches say how much.
        if not any(sketch.jaccard(kept[other]) >= similarity for other in index.query(sketch)):
            index.insert(number, sketch)
            kept[number] = sketch
            yield one


def _shingles(text: str) -> list[bytes]:
    words = text.casefold().split()
    return [digest(words[at : at + 3]) for at in range(max(1, len(words) - 2))]
