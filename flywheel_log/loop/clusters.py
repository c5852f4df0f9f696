"""What calls have in common: clusters of similar prompts, by the words they use; needs the extra `[analysis]`."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flywheel_log.event import Event

from .conversation import conversation
from .extra import need

MOST = 5000
"""So many calls are looked at; of more, a random sample that is always the same."""

_SEED = 0
_LONGEST = 2000
_FEW = 20
_WORDS, _EXAMPLES = 5, 3


@dataclass(frozen=True)
class Cluster:
    """Calls with similar prompts.

    Attributes:
        count: how many they are, of those looked at; `share`: of all of these, 0 to 1.
        words: what they have in common, the most telling word first.
        examples: ids of the calls nearest to the cluster's middle.
    """

    count: int
    share: float
    words: list[str]
    examples: list[str]


def clusters(events: Iterable[Event], count: int) -> list[Cluster]:
    """Divide *events* into at most *count* clusters by what was last asked, the largest cluster first.

    Words are weighted by TF-IDF and divided by k-means; the same events give the same clusters.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    text, cluster = need("sklearn.feature_extraction.text", "analysis"), need("sklearn.cluster", "analysis")
    asked = _sample(events, random.Random(_SEED))
    if not asked:
        return []
    # A word of one prompt alone brings nothing together.
    weighing = text.TfidfVectorizer(max_features=MOST, sublinear_tf=True, min_df=1 if len(asked) < _FEW else 2)
    try:
        matrix = weighing.fit_transform([words for _, words in asked])
    except ValueError:  # there is not one word in them
        return []
    distinct = len({words for _, words in asked})
    model = cluster.KMeans(n_clusters=min(count, distinct), random_state=_SEED, n_init=3)
    distances, names = model.fit_transform(matrix), list(weighing.get_feature_names_out())
    found = [
        _cluster(number, middle, [identity for identity, _ in asked], distances, names)
        for number, middle in enumerate(model.cluster_centers_)
    ]
    return sorted((one for one in found if one.count), key=lambda one: (-one.count, one.words))


def _cluster(
    number: int, middle: Iterable[float], ids: list[str], distances: list[list[float]], names: list[str]
) -> Cluster:
    members = [place for place, row in enumerate(distances) if min(range(len(row)), key=row.__getitem__) == number]
    telling = sorted(zip(middle, names, strict=True), key=lambda pair: (-pair[0], pair[1]))[:_WORDS]
    nearest = sorted(members, key=lambda place: (distances[place][number], ids[place]))[:_EXAMPLES]
    return Cluster(
        len(members),
        len(members) / len(ids),
        [str(name) for weight, name in telling if weight > 0],
        [ids[place] for place in nearest],
    )


def _sample(events: Iterable[Event], chance: random.Random) -> list[tuple[str, str]]:
    """Keep ids and texts of `MOST` events, each with the same chance, in one pass."""
    kept: list[tuple[str, str]] = []
    for number, (identity, text) in enumerate(_asked(events)):
        if number < MOST:
            kept.append((identity, text))
        elif (place := chance.randrange(number + 1)) < MOST:
            kept[place] = (identity, text)
    return kept


def _asked(events: Iterable[Event]) -> Iterator[tuple[str, str]]:
    for event in events:
        turns = [turn for turn in conversation(event).asked if turn.text]
        last = next((turn.text for turn in reversed(turns) if turn.role == "user"), turns[-1].text if turns else "")
        if last:
            yield event.get("id") or event["timestamp"], last[:_LONGEST]
