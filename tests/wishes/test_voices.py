"""In whose name an offer is written, whoever is away; and what is shown beside it: rules by hand-made cases."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.accounts.absences import Away
from concierge.wishes.similar import MOST, Candidate, Taste, choose_similar, points_of
from concierge.wishes.voices import Colleague, Voice, call_the_roll, choose_voice, is_at_work

ROME = ZoneInfo("Europe/Rome")
TUESDAY = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)  # 11:30 in Rome
WEEK = {str(day): [["09:00", "13:00"], ["14:00", "18:00"]] for day in range(5)}


def colleague(number: int = 1, *, language: str = "en", may: bool = True, hours: dict | None = None) -> Colleague:
    return Colleague(number, f"N{number}", language, may, ROME, WEEK if hours is None else hours)


NADIA, CHIARA = colleague(1), colleague(2, language="it")
AWAY = colleague(3, hours={"6": [["09:00", "10:00"]]})
LEFT = colleague(4, may=False)


def voice(
    owner: int | None, *staff: Colleague, language: str = "en", customer: int = 7, desk: int = 60
) -> Voice | None:
    roster = call_the_roll(staff, now=TUESDAY, desk=timedelta(minutes=desk))
    return choose_voice(owner, roster, customer_id=customer, language=language)


def test_her_own_editor_writes_when_she_is_there() -> None:
    assert voice(1, NADIA, CHIARA) == Voice(NADIA)


def test_a_colleague_covers_for_her_while_she_is_away_and_the_customer_stays_hers() -> None:
    found = voice(3, AWAY, NADIA)
    assert found == Voice(NADIA, covers_for=AWAY)
    assert found.owner is AWAY


def test_whoever_has_left_hands_her_customers_on() -> None:
    found = voice(4, LEFT, NADIA)
    assert found is not None and (found.writer, found.covers_for, found.owner) == (NADIA, LEFT, NADIA)


def test_with_nobody_there_her_own_editor_writes_all_the_same() -> None:
    assert voice(3, AWAY) == Voice(AWAY)
    assert voice(4, LEFT, AWAY) == Voice(AWAY, LEFT)
    assert voice(4, LEFT) is None


def test_without_a_desk_no_hours_matter() -> None:
    roster = call_the_roll([AWAY, NADIA], now=TUESDAY, desk=None)
    assert choose_voice(3, roster, customer_id=7, language="en") == Voice(AWAY)


@pytest.mark.parametrize("customer", range(6))
def test_somebody_of_nobodys_gets_one_who_speaks_her_language_and_keeps_her(customer: int) -> None:
    staff = [colleague(each, language="it" if each % 2 else "en") for each in range(1, 6)]
    found = voice(None, *staff, language="it", customer=customer)
    assert found is not None and found.writer.language == "it" and found.covers_for is None
    assert found == voice(None, *reversed(staff), language="it", customer=customer)
    assert voice(None, *staff, language="fr", customer=customer) is not None


@pytest.mark.parametrize(
    ("hours", "at", "within", "there"),
    [
        (WEEK, "2026-05-12T08:59", 0, False),
        (WEEK, "2026-05-12T09:00", 0, True),
        (WEEK, "2026-05-12T13:00", 0, False),
        (WEEK, "2026-05-12T13:00", 60, True),
        (WEEK, "2026-05-15T18:00", 60 * 62, False),  # Friday evening: not before Monday at nine
        (WEEK, "2026-05-15T18:00", 60 * 63, True),
        ({}, "2026-05-16T03:00", 0, True),
        ({"0": []}, "2026-05-16T03:00", 0, True),
        ({"1": [["20:00", "24:00"]]}, "2026-05-12T23:59", 0, True),
        ({"1": [["20:00", "24:00"]]}, "2026-05-13T00:00", 0, False),
    ],
)
def test_who_is_at_work_by_her_own_clock(hours: dict, at: str, within: int, there: bool) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=ROME).astimezone(UTC)
    assert is_at_work(colleague(hours=hours), moment, timedelta(minutes=within)) is there


def on_leave(who: Colleague, until: int = 20, *, named: int | None = None) -> Colleague:
    return replace(who, absences=(Away(date(2026, 5, 11), date(2026, 5, until), named),))


OMAR = colleague(5, language="it")


def test_whom_she_named_writes_while_she_is_on_leave_and_the_customer_stays_hers() -> None:
    nadia = on_leave(NADIA, named=5)
    found = voice(1, nadia, CHIARA, OMAR, language="it", customer=2)
    assert found == Voice(OMAR, covers_for=nadia)
    assert found.owner is nadia
    assert voice(1, on_leave(NADIA), CHIARA, OMAR, customer=2) == Voice(CHIARA, on_leave(NADIA))  # today's rule
    assert voice(1, replace(NADIA, absences=()), CHIARA, OMAR) == Voice(NADIA)


def test_whom_she_named_writes_at_any_hour_but_not_while_she_is_on_leave_herself() -> None:
    at_home = replace(AWAY, id=5)
    nadia = on_leave(NADIA, named=5)
    assert voice(1, nadia, CHIARA, at_home) == Voice(at_home, nadia)
    assert voice(1, nadia, CHIARA, on_leave(OMAR)) == Voice(CHIARA, nadia)
    assert voice(1, nadia, CHIARA, replace(OMAR, may_answer=False)) == Voice(CHIARA, nadia)
    named_another = on_leave(OMAR, named=2)
    assert voice(1, nadia, colleague(3), CHIARA, named_another) == Voice(CHIARA, nadia)


def test_two_who_named_each_other_are_covered_by_a_third_and_else_write_themselves() -> None:
    nadia, chiara = on_leave(NADIA, named=2), on_leave(CHIARA, named=1)
    assert voice(1, nadia, chiara, OMAR) == Voice(OMAR, nadia)
    assert voice(2, nadia, chiara, OMAR) == Voice(OMAR, chiara)
    assert voice(1, nadia, chiara) == Voice(nadia)


def test_with_nobody_at_work_who_is_only_at_home_writes_for_who_is_on_leave() -> None:
    at_home, nadia = replace(AWAY, id=5), on_leave(NADIA)
    assert voice(1, nadia, at_home) == Voice(at_home, nadia)
    assert voice(5, nadia, at_home) == Voice(at_home)


@pytest.mark.parametrize(
    ("until", "at", "within", "there"),
    [
        (13, "2026-05-12T10:00", 60, False),  # it ends tomorrow
        (13, "2026-05-12T10:00", 60 * 24, False),
        (13, "2026-05-12T10:00", 60 * 47, True),  # Thursday at nine, within the desk's time
        (13, "2026-05-13T23:30", 20, False),
        (13, "2026-05-14T08:59", 0, False),
        (13, "2026-05-14T09:00", 0, True),
        (12, "2026-05-13T09:00", 0, True),
        (20, "2026-05-10T10:00", 60 * 24 * 9, False),  # Sunday, and then she is on leave
        (20, "2026-05-08T17:59", 60 * 24 * 9, True),  # Friday, the minute before she goes
    ],
)
def test_who_is_on_leave_is_not_at_work_on_those_days_of_her_own(until: int, at: str, within: int, there: bool) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=ROME).astimezone(UTC)
    assert is_at_work(on_leave(NADIA, until), moment, timedelta(minutes=within)) is there


def test_who_is_back_at_midnight_is_there_if_nobody_knows_her_hours() -> None:
    nadia = on_leave(colleague(1, hours={}), 12)
    late = datetime(2026, 5, 12, 23, 30, tzinfo=ROME)
    assert [is_at_work(nadia, late, timedelta(minutes=each)) for each in (29, 31)] == [False, True]
    far_east = replace(nadia, zone=ZoneInfo("Pacific/Auckland"))
    assert is_at_work(far_east, late)  # it is the next day there


NO_TASTE = Taste()
ASKED = Candidate("S-36", 1, "sandals", "Turquoise", "Mirelle", 42_000, frozenset({"EU 36"}), frozenset({"satin"}))


def piece(number: int, **change: object) -> Candidate:
    values = {"category": "sandals", "colour": "Coral", "designer": "Ori", "price_cents": 42_000, "tags": frozenset()}
    return Candidate(sku=f"P-{number}", product_id=number, fits=frozenset({"EU 36"}), **(values | change))  # type: ignore[arg-type]


def shown(*stock: Candidate, taste: Taste = NO_TASTE, sizes: tuple[str, ...] = ("EU 36", "UK 3")) -> tuple[str, ...]:
    return choose_similar(ASKED, stock, taste, sizes=sizes)


def test_the_nearest_comes_first_and_three_at_most() -> None:
    same_colour, same_designer = piece(2, colour="turquoise"), piece(3, designer="Mirelle")
    near, far = piece(4), piece(5, price_cents=60_000)
    assert shown(far, near, same_designer, same_colour) == ("P-2", "P-3", "P-4")
    assert len(shown(*(piece(number) for number in range(2, 9)))) == MOST


def test_only_her_size_another_product_and_what_she_has_not() -> None:
    taste = Taste(owned=frozenset({2}), disliked=frozenset({3}), ceiling_cents=50_000)
    other_size = Candidate("P-6", 6, "sandals", "Coral", "Ori", 42_000, frozenset({"EU 38"}))
    assert shown(piece(1), piece(2), piece(3), piece(4, price_cents=50_001), other_size, taste=taste) == ()
    assert shown(piece(5, price_cents=50_000), taste=taste) == ("P-5",)
    no_size = Candidate("P-7", 7, "sandals", "Coral", "Ori", 42_000)
    assert shown(no_size) == ("P-7",)


def test_two_pieces_with_too_little_in_common_are_not_shown_beside_each_other() -> None:
    assert shown(piece(2, category="bags")) == ()
    assert shown(piece(2, category="bags", colour="Turquoise")) == ("P-2",)


def test_a_like_piece_at_twice_the_price_is_not_shown_for_its_kind_alone() -> None:
    assert shown(piece(2, price_cents=84_000)) == ()
    assert shown(piece(2, price_cents=84_000, colour="Turquoise")) == ("P-2",)


def test_what_she_liked_before_counts_and_what_she_did_not_counts_more() -> None:
    plain = points_of(ASKED, piece(2), Taste())
    assert points_of(ASKED, piece(2), Taste(liked_designers=frozenset({"Ori"}))) == plain + 1
    assert points_of(ASKED, piece(2), Taste(disliked_designers=frozenset({"Ori"}))) == plain - 2


numbers = st.tuples(st.integers(1, 6), st.sampled_from(["Turquoise", "Coral"]), st.integers(1, 9))


@given(st.lists(numbers, max_size=8), st.randoms())
@settings(max_examples=40)
def test_the_order_of_the_shelf_is_no_matter(rows: list[tuple[int, str, int]], chance) -> None:
    stock = [
        Candidate(f"{place}", product, "sandals", colour, "Ori", price * 9_000, frozenset({"EU 36"}))
        for place, (product, colour, price) in enumerate(rows)
    ]
    found = shown(*stock)
    chance.shuffle(stock)
    assert shown(*stock) == found
    by_sku = {each.sku: each.product_id for each in stock}
    assert len({by_sku[each] for each in found}) == len(found) <= MOST and 1 not in {by_sku[each] for each in found}
