"""Sets a replay up: a restock as it was or as one imagines it, the house's own past, and the policies to compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from concierge.reports.chances import chance
from concierge.reports.figures import HouseCount
from concierge.wishes.simulation import ASSUMED_DELAYS, Forecast, Manner, Situation, Terms, forecast
from concierge.wishes.waves import BoundedPolicy

MOST_UNITS: Final = 500
MOST_WAITING: Final = 5_000


class SharingPolicy(BoundedPolicy, Protocol):
    """What of a wave policy decides how fast a restock sells; a saved one is one, and so is what a form holds."""

    @property
    def rule(self) -> str: ...
    @property
    def hold_hours(self) -> float: ...
    @property
    def wakes_at(self) -> int: ...
    @property
    def sleeps_at(self) -> int: ...
    @property
    def desk_minutes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Compared:
    """What one policy would make of the restock; `name` says which: present, tried, everyone."""

    name: str
    forecast: Forecast


def situation(units: int, waiting: int, house: HouseCount) -> Situation:
    """A restock among people who answer as the house's have; assumed delays fill in while few have answered."""
    said = house.said_no + house.lapsed
    return Situation(
        units=max(1, min(units, MOST_UNITS)),
        waiting=max(1, min(waiting, MOST_WAITING)),
        chance=chance(house.answers, house.prior),
        delays=(*house.delays, *ASSUMED_DELAYS) if len(house.delays) < len(ASSUMED_DELAYS) else tuple(house.delays),
        spoken=house.said_no / said if said else 0.0,
    )


def terms(policy: SharingPolicy, house: HouseCount) -> Terms:
    """A policy as the simulation knows it, with the house's history beside its prior."""
    awake = policy.sleeps_at - policy.wakes_at
    return Terms(
        manner=Manner(policy.rule),
        alpha=policy.alpha,
        prior_taken=policy.prior_taken,
        prior_passed=policy.prior_passed,
        taken=house.answers.taken,
        passed=house.answers.refused,
        hold_hours=policy.hold_hours,
        awake=float(awake if 0 < awake <= 24 else 24),
        desk_hours=policy.desk_minutes / 60,
    )


def compare(restock: Situation, policies: Sequence[tuple[str, Terms]]) -> list[Compared]:
    """The same restock under each policy by the same chance, and what telling everybody at once would do."""
    awake = policies[0][1].awake if policies else 24.0
    everyone = ("everyone", Terms(Manner.EVERYONE, awake=awake))
    return [Compared(name, forecast(restock, each)) for name, each in (*policies, everyone)]
