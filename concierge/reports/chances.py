"""How likely it is that somebody still wants what she wished for, by the age of the wish, from the house's own past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# A wish is so many days old at most; the last age has no end.
AGES: Final = (7, 30, 90, 180)
COUNT: Final = len(AGES) + 1


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of the offers made to wishes of one age: taken, or not (passed, not now, lapsed)."""

    taken: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before anybody answered: as if so many had taken and so many refused (Beta distribution)."""

    taken: float
    refused: float

    @property
    def mean(self) -> float:
        """The chance it stands for; a half when it says nothing at all."""
        together = self.taken + self.refused
        return self.taken / together if together > 0 else 0.5


# Before anybody saved a policy: one in four.
UNINFORMED: Final = Prior(1.0, 3.0)


def bounds(age: int, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Confirmed at or after the first and before the second moment is to be of this age; None where there is no end."""
    earliest = now - timedelta(days=AGES[age]) if age < len(AGES) else None
    latest = now - timedelta(days=AGES[age - 1]) if age > 0 else None
    return earliest, latest


def chance(answers: Answers, prior: Prior) -> float:
    """The mean of what is believed after these answers: (taken + prior) ÷ (all answers + prior)."""
    asked = answers.taken + answers.refused + prior.taken + prior.refused
    return (answers.taken + prior.taken) / asked if asked > 0 else prior.mean


def chances(history: Sequence[Answers], prior: Prior) -> list[float]:
    """The chance at each age."""
    return [chance(answers, prior) for answers in history]


def likely(units_by_age: Sequence[int], at_each_age: Sequence[float]) -> float:
    """How many of these units would be taken: Σ units × chance."""
    return sum(units * share for units, share in zip(units_by_age, at_each_age, strict=True))
