"""How a dataset is made, in a form that its manifest can repeat."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from flywheel_log.event import JSON

Dedup = Literal["exact", "near", "none"]


@dataclass(frozen=True)
class Recipe:
    """How a dataset is made.

    Attributes:
        eval_share, validation_share: which shares of the examples (0 to 1) evaluate and validate; the rest trains.
        seed: another seed divides them otherwise; the same seed always alike, whatever the order of the log.
        dedup: leave out examples that are equal to others (`exact`), or similar too (`near`), or none.
        similarity: from which share of common word triples on two texts are similar.
        max_tokens: leave out longer examples; 0 for none.
        unsafe: take even what is marked unsafe for training.
        replays: take the answers of `replay` too, of which there may be many to one question.
        redact: what is replaced in what is written, as the setting `redact` names it: `secrets,pii`; nothing by
            default, as the log is redacted already. The other settings of redaction hold, too.

    Raises:
        ValueError: the shares are more than the whole.
    """

    eval_share: float = 0.1
    validation_share: float = 0.1
    seed: int = 0
    dedup: Dedup = "exact"
    similarity: float = 0.85
    max_tokens: int = 0
    unsafe: bool = False
    replays: bool = False
    redact: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.eval_share + self.validation_share <= 1 or min(self.eval_share, self.validation_share) < 0:
            raise ValueError(
                f"eval share {self.eval_share:g} and validation share {self.validation_share:g} are not parts of 1"
            )

    @property
    def shares(self) -> dict[str, float]:
        """The share of each set, that of the training first."""
        train = 1 - self.eval_share - self.validation_share
        return {"train": train, "validation": self.validation_share, "eval": self.eval_share}

    def described(self) -> JSON:
        """Return the recipe as JSON."""
        return asdict(self)
