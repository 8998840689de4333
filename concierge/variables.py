"""The variables the house is set up by: all that are given, and those that are no setting of ours."""

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from dotenv import dotenv_values

from concierge.imap_settings import possible_variables, split_variable

# Read by the tests and by the house's own processes.
_NOT_SETTINGS = ("CONCIERGE_TEST", "CONCIERGE_LIFELINE")


def given_variables() -> dict[str, str | None]:
    """Every CONCIERGE_ variable by its name in capitals; the environment's word counts before that of `.env`."""
    both = {**dotenv_values(".env"), **os.environ}
    return {name.upper(): value for name, value in both.items() if name.upper().startswith("CONCIERGE_")}


def unknown_variables(given: Mapping[str, str | None], settings: Sequence[str]) -> list[str]:
    """A line for each CONCIERGE_ variable that is none of these settings, most likely misspelt."""
    known = [*settings, *possible_variables(given)]
    unknown = sorted(each for each in set(given).difference(known) if not each.startswith(_NOT_SETTINGS))
    return [
        f"{each}: is no setting of the house{_perhaps(each, known)}" for each in unknown if not split_variable(each)
    ]


def _perhaps(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.8)
    return f"; do you mean {near[0]}?" if near else "; .env.example lists them all"
