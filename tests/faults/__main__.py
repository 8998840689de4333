"""`make faults`: everything the tumult can play, one after the other, and a table of what its customers got.

An hour on two cores. `--part 0.1` plays a tenth of the mails and kills, to try it out.
"""

import sys

import click

from tests.faults.tumult import Cast, Outcome, play_cluster, play_workers

_CASTS = tuple(Cast(database, count, preload=True) for database in ("sqlite", "postgresql") for count in (1, 2, 4, 8))
_KILLS = 20
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_HEAD = """\
| database | workers | mails | kills | queued once | taken once | taken twice | lost | of unknown end | seconds |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"""


@click.command()
@click.option("--part", default=1.0, show_default=True, help="This part of the mails and the kills.")
@click.option("--seconds", default=600.0, show_default=True, help="Give up on each after so long.")
@click.option("--only", help="The line whose beginning is this, for instance 'SQLite | 8'.")
def main(part: float, seconds: float, only: str | None) -> None:
    """Play all, and the negative controls; fails if any mail was lost or doubled, or if a control shows nothing."""
    mails, kills = max(20, round(500 * part)), max(2, round(_KILLS * part))
    plays = {_name(cast): cast for cast in _CASTS}
    plays["SQLite | 4, claiming no deliveries"] = Cast("sqlite", 4, careless="deliveries")
    plays["PostgreSQL | 4, claiming no follow-ups"] = Cast("postgresql", 4, careless="follow-ups")
    failed = []
    click.echo(_HEAD)
    for name, cast in plays.items():
        if not only or name.startswith(only):
            outcome = play_workers(cast, mails, 0, kills=0 if cast.careless else kills, most_seconds=seconds)
            click.echo(_line(name, outcome))
            # Who claims nothing must be seen to send twice.
            if bool(cast.careless) != bool(outcome.twice) or not (cast.careless or outcome.is_well):
                failed.append(name)
    name = "PostgreSQL, Redis | 4 (Celery), 2 clocks"
    if not only or name.startswith(only):
        outcome = play_cluster(mails, mails // 5, kills=kills, most_seconds=seconds)
        click.echo(_line(name, outcome))
        failed += [] if outcome.is_well else [name]
    if failed:
        sys.exit(f"not well: {'; '.join(failed)}")


def _name(cast: Cast) -> str:
    return f"{_NAMES[cast.database]} | {cast.count}"


def _line(name: str, outcome: Outcome) -> str:
    once = sum(times == 1 for times in outcome.taken.values())
    numbers = (outcome.wanted, sum(outcome.killed.values()), outcome.queued, once, len(outcome.twice), outcome.lost)
    cells = [*numbers, outcome.uncertain, round(outcome.seconds)]
    return f"| {name} | {' | '.join(str(each) for each in cells)} |"


if __name__ == "__main__":
    main()
