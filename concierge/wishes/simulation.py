"""Replays a restock under a policy, many times over by a seeded chance: hours until sold, people disappointed per unit.

Time is counted in waking hours, as the hold is: nobody answers asleep. Everybody who is told and wants the piece but
finds none left is disappointed; so is who wants it after her hold has lapsed, unless a unit lies free by then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from heapq import heappop, heappush
from math import log
from random import Random
from statistics import fmean
from typing import Final

from concierge.wishes.waves import bounded_offers

# What a house without a past assumes: half of those who answer do so within two and a half waking hours.
ASSUMED_DELAYS: Final = tuple(2.5 * -log(1 - (number + 0.5) / 20) / log(2) for number in range(20))
_EFFORT: Final = 20_000
_MOST_RUNS: Final = 200
_LEAST_RUNS: Final = 20


class Manner(StrEnum):
    """How people are told: the two rules of the house, and two ways others go about it, to compare with."""

    ONE_PER_UNIT = "one_per_unit"
    BOUNDED = "bounded"
    EVERYONE = "everyone"
    HOURLY = "hourly"  # each hour one mail for every unit that is left, nothing held


@dataclass(frozen=True, slots=True)
class Terms:
    """A policy as far as it decides how fast and to how many; `awake` is the number of waking hours in a day.

    `taken` and `passed` are the house's own history, which the bounded rule adds to the prior.
    """

    manner: Manner
    alpha: float = 0.05
    prior_taken: float = 1.0
    prior_passed: float = 3.0
    taken: int = 0
    passed: int = 0
    hold_hours: float = 24.0
    awake: float = 14.0
    desk_hours: float = 0.0


@dataclass(frozen=True, slots=True)
class Situation:
    """A restock: so many units, so many waiting, and how people have answered so far.

    `chance` is that of one of them wanting it still; `delays` are waking hours until somebody answered (a sample);
    `spoken` is the share of refusals that are said, so that the unit goes on before the hold lapses.
    """

    units: int
    waiting: int
    chance: float
    delays: tuple[float, ...] = ASSUMED_DELAYS
    spoken: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One replay: waking hours until the last unit was sold (None: some were left), units sold, people told."""

    hours: float | None
    sold: int
    told: int
    disappointed: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Many replays together; `hours` are hours of the clock on the wall, over the runs in which all was sold."""

    runs: int
    hours: float | None
    slow_hours: float | None
    sold_out: float
    told: float
    disappointed: float
    disappointed_per_unit: float


@dataclass(slots=True)
class _Course:
    """Where one replay stands."""

    free: int
    waiting: int
    open: int = 0
    told: int = 0
    wanting: int = 0
    sold: int = 0


def forecast(situation: Situation, terms: Terms, *, seed: int = 1, runs: int | None = None) -> Forecast:
    """What is to be expected of `terms`, from as many replays as take about a tenth of a second."""
    needed = situation.waiting if terms.manner is Manner.EVERYONE else min(situation.waiting, situation.units * 8)
    times = runs or max(_LEAST_RUNS, min(_MOST_RUNS, _EFFORT // max(1, needed)))
    chance = Random(seed)  # noqa: S311 it only has to be the same every time
    outcomes = [replay(situation, terms, chance) for _ in range(times)]
    hours = sorted(on_the_wall(each.hours, terms.awake) for each in outcomes if each.hours is not None)
    disappointed = fmean(each.disappointed for each in outcomes)
    return Forecast(
        runs=times,
        hours=fmean(hours) if hours else None,
        slow_hours=hours[int(0.9 * (len(hours) - 1))] if hours else None,
        sold_out=len(hours) / times,
        told=fmean(each.told for each in outcomes),
        disappointed=disappointed,
        disappointed_per_unit=disappointed / situation.units,
    )


def replay(situation: Situation, terms: Terms, chance: Random) -> Outcome:
    """One restock from the first mail to the last answer that matters."""
    return _Replay(situation, terms, chance).run()


def on_the_wall(waking_hours: float, awake: float) -> float:
    """Hours of the clock on the wall until so many waking hours have passed, from the moment people wake."""
    if awake >= 24:
        return waking_hours
    days = max(0, -int(-waking_hours // awake) - 1) if waking_hours > 0 else 0
    return days * 24 + (waking_hours - days * awake)


@lru_cache(maxsize=20_000)
def _bears(units: int, terms: Terms, at_most: int) -> int:
    return bounded_offers(units, taken=terms.taken, passed=terms.passed, policy=terms, at_most=at_most)


class _Replay:
    """The events of one replay in their order: a mail that is read, an answer, a hold that lapses."""

    def __init__(self, situation: Situation, terms: Terms, chance: Random) -> None:
        self._situation, self._terms, self._chance = situation, terms, chance
        self._course = _Course(free=situation.units, waiting=situation.waiting)
        self._events: list[tuple[float, int, Callable[[float, int], None], int]] = []
        self._number = 0
        self._lapsed: set[int] = set()
        self._closed: set[int] = set()
        self._sold_at = 0.0

    def run(self) -> Outcome:
        """Follow every event until all is sold or nobody is left to hear from."""
        course = self._course
        self._tell(0.0)
        if self._terms.manner is Manner.HOURLY:
            self._at(1.0, self._strike, 0)
        while self._events and course.free:
            at, _, happen, person = heappop(self._events)
            happen(at, person)
        hours = self._sold_at if course.free == 0 else None
        return Outcome(hours, course.sold, course.told, course.wanting - course.sold)

    def _tell(self, now: float) -> None:
        for _ in range(self._may_tell()):
            self._offer(now + self._terms.desk_hours)

    def _may_tell(self) -> int:
        course, terms = self._course, self._terms
        if terms.manner is Manner.EVERYONE:
            return course.waiting
        if terms.manner is Manner.HOURLY:
            return min(course.waiting, course.free)
        if terms.manner is Manner.ONE_PER_UNIT:
            return min(course.waiting, course.free - course.open)
        most = _bears(course.free, terms, course.waiting + course.open)
        return max(0, min(course.waiting, most - course.open))

    def _offer(self, opens: float) -> None:
        course, situation = self._course, self._situation
        person = course.told
        course.waiting, course.open, course.told = course.waiting - 1, course.open + 1, course.told + 1
        if self._terms.manner in (Manner.ONE_PER_UNIT, Manner.BOUNDED):
            self._at(opens + self._terms.hold_hours, self._lapse, person)
        if self._chance.random() < situation.chance:
            course.wanting += 1
            self._at(opens + self._chance.choice(situation.delays), self._want, person)
        elif self._chance.random() < situation.spoken:
            self._at(opens + self._chance.choice(situation.delays), self._pass, person)

    def _want(self, now: float, person: int) -> None:
        course = self._course
        if person in self._lapsed:
            if self._terms.manner is Manner.ONE_PER_UNIT and course.free <= course.open:
                return  # what is left is held for others
        else:
            self._close(person)
        course.sold, course.free = course.sold + 1, course.free - 1
        self._sold_at = now

    def _pass(self, now: float, person: int) -> None:
        if person not in self._lapsed:
            self._close(person)
            self._go_on(now)

    def _lapse(self, now: float, person: int) -> None:
        if person not in self._closed:
            self._lapsed.add(person)
            self._close(person)
            self._go_on(now)

    def _strike(self, now: float, person: int) -> None:
        self._tell(now)
        if self._course.waiting:
            self._at(now + 1.0, self._strike, person)

    def _go_on(self, now: float) -> None:
        if self._terms.manner in (Manner.ONE_PER_UNIT, Manner.BOUNDED):
            self._tell(now)

    def _close(self, person: int) -> None:
        self._closed.add(person)
        self._course.open -= 1

    def _at(self, when: float, happen: Callable[[float, int], None], person: int) -> None:
        self._number += 1
        heappush(self._events, (when, self._number, happen, person))
