"""Sizes in every system, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.catalogue.sizes import SYSTEMS, all_systems, convert, kind_of, system_of

SHOES = [str(each / 2).removesuffix(".0") for each in range(68, 87)]


@pytest.mark.parametrize(
    ("kind", "size", "system", "written"),
    [
        ("shoes", "36", "EU", {"EU": "36", "IT": "36", "FR": "37", "UK": "3", "US": "6"}),
        ("shoes", "36.5", "IT", {"EU": "36.5", "IT": "36.5", "FR": "37.5", "UK": "3.5", "US": "6.5"}),
        ("clothes", "40", "IT", {"EU": "34", "IT": "40", "FR": "36", "UK": "8", "US": "4"}),
        ("clothes", "0", "US", {"EU": "30", "IT": "36", "FR": "32", "UK": "4", "US": "0"}),
    ],
)
def test_a_size_is_written_as_the_designer_shops_write_it(kind: str, size: str, system: str, written: dict[str, str]):
    assert all_systems(kind, size, system) == written


@given(st.sampled_from(SHOES), st.sampled_from(SYSTEMS))
def test_there_and_back_is_the_same_size(size: str, to: str):
    there = convert("shoes", size, "EU", to)
    assert there is not None
    assert convert("shoes", there, to, "EU") == size


@pytest.mark.parametrize(
    ("kind", "size", "system"),
    [
        ("shoes", "36.25", "EU"), ("shoes", "12", "EU"), ("clothes", "41", "IT"), ("shoes", "M", "EU"),
        ("shoes", "nan", "EU"), ("rings", "52", "EU"), ("shoes", "36", "JP"), ("", "", ""),
    ],
)  # fmt: skip
def test_what_is_on_no_ladder_is_not_guessed(kind: str, size: str, system: str):
    assert convert(kind, size, system, "UK") is None


def test_halves_may_be_written_as_people_do():
    assert convert("shoes", "36½", "EU", "UK") == convert("shoes", "36,5", "EU", "UK") == "3.5"


def test_kinds_and_countries():
    assert [kind_of(each) for each in ("sandals", "dresses", "jewellery", "belts")] == ["shoes", "clothes", "", ""]
    assert [system_of(each) for each in ("it", "GB", "US", "DE", "")] == ["IT", "UK", "US", "EU", "EU"]
