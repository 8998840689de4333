"""What comes back for one person within the hour is one mail, each piece with its own hold."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from concierge.accounts.models import Editor
from concierge.catalogue.levels import Report
from concierge.catalogue.stock import report_stock
from concierge.catalogue.stock_models import StockReport
from concierge.wishes import jobs, leaving, release
from concierge.wishes.gathering import DEALT, MOMENT, Coming, wait_until
from concierge.wishes.offer_models import Offer
from tests.factories import HOUR, MINUTE, make_customer, make_editor, make_mailbox
from tests.wishes.builders import FRIDAY, sandals, save_policy, wish_for

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
SETTLED = 5 * MINUTE


@pytest.fixture
def house(session, sessions, config, at):
    """Lets time pass: the shop reports units at their moments; the worker lets mails leave, and shares out, in turns.

    As in a house that runs, sharing out lags behind by some seconds.
    """
    make_editor(session)
    save_policy(session)
    session.commit()

    def pass_time(reports, *, until, begin=FRIDAY, step=2 * SECOND, lag=5 * SECOND):
        waiting, now, shares_at = sorted(reports, key=lambda each: each[0]), begin, begin + SECOND
        while now <= begin + until:
            while waiting and begin + waiting[0][0] <= now:
                after, variant, units = waiting.pop(0)
                report = Report(
                    "shop", f"{variant.sku}{after}", variant.sku, "online", StockReport.SNAPSHOT, units, now
                )
                report_stock(session, report, now=now, policy=config.policy)
                session.commit()
            at(now)
            if now >= shares_at:
                jobs.open_waves(config, sessions)
                shares_at += lag
            release.release_due(config, sessions)
            now += step

    return pass_time


@pytest.fixture
def pair(session, house):
    """Barbara waits for the sandals in two sizes, by two wishes."""
    pieces = sandals(session, s36=0, s38=0)
    barbara = make_customer(session, timezone="Europe/Rome")
    for each in pieces:
        wish_for(session, each, customer=barbara, now=FRIDAY - 3 * DAY)
    session.commit()
    return pieces


def all_offers(session):
    """Every offer as it is now."""
    found = session.scalars(sa.select(Offer).order_by(Offer.id).execution_options(populate_existing=True)).all()
    session.commit()
    return found


def mails(session):
    """How long after Friday at two each offer left, by the mail it left in."""
    found = {}
    for each in all_offers(session):
        found.setdefault(each.delivery_id, []).append(each.left_at and each.left_at - FRIDAY)
    return list(found.values())


@pytest.mark.parametrize("apart", [0, 2, 60, 299])
def test_two_pieces_of_which_one_comes_back_while_the_other_settles_are_one_mail(session, house, pair, apart):
    first, second = pair
    house([(0 * SECOND, first, 1), (apart * SECOND, second, 1)], until=12 * MINUTE)
    [[left, also]] = mails(session)
    assert left == also
    assert (apart == 0 or left > SETTLED) and left <= SETTLED + (apart + 10) * SECOND
    holds = [each.held_until for each in all_offers(session)]
    assert len(holds) == 2 and all(each > FRIDAY + DAY for each in holds)


def test_what_comes_back_meanwhile_is_waited_for_too_but_for_no_longer_than_the_hour(session, house):
    pieces = sandals(session, **{f"s{size}": 0 for size in range(30, 48)})
    barbara = make_customer(session, timezone="Europe/Rome")
    for each in pieces:
        wish_for(session, each, customer=barbara, now=FRIDAY - 3 * DAY)
    session.commit()
    reports = [(number * 4 * MINUTE, each, 1) for number, each in enumerate(pieces)]
    house(reports, until=80 * MINUTE, step=10 * SECOND, lag=20 * SECOND)
    first, second = mails(session)
    assert (len(first), len(second)) == (16, 2)
    assert SETTLED + HOUR <= first[0] == first[-1] <= SETTLED + HOUR + MINUTE


# Of her other wish, which piece comes back while the first settles: why it can't be hers, nor be the same mail.
_OTHERS = {
    "she wants two": {"quantity": 2},
    "she said not now": {"rests_until": FRIDAY + DAY},
    "too late for her": {"needed_by": FRIDAY.date() - DAY},
    "left out for a reason": {"skipped_because": "complaint"},
    "in another language": {"language": "it"},
}


@pytest.mark.parametrize("other", ["sold out", "somebody else's", "from another mailbox", *_OTHERS])
def test_who_is_about_to_get_nothing_else_gets_her_mail_at_once(session, house, other):
    """Negative control: only what may be hers, in the same mail, is waited for."""
    first, second = sandals(session, s36=0, s38=0)
    barbara, chloe = make_customer(session, timezone="Europe/Rome"), make_customer(session, "Chloé Martin")
    wish_for(session, first, customer=barbara, now=FRIDAY - 3 * DAY)
    wish = wish_for(session, second, customer=chloe if other == "somebody else's" else barbara, now=FRIDAY - 3 * DAY)
    for fact, value in _OTHERS.get(other, {}).items():
        setattr(wish, fact, value)
    if other == "from another mailbox":
        wish.mailbox = make_mailbox(session, address="atelier@maison-solenne.example")
    session.commit()
    house([(0 * SECOND, first, 1), (MINUTE, second, 0 if other == "sold out" else 1)], until=SETTLED + 10 * SECOND)
    assert mails(session)[0][0] <= SETTLED + 8 * SECOND


def test_of_what_she_has_already_there_may_be_more_and_nothing_waits_for_it(session, house, pair):
    first, second = pair
    house([(0 * SECOND, second, 2), (6 * MINUTE, first, 1)], until=11 * MINUTE + 10 * SECOND)
    [[_left], [left]] = mails(session)
    assert left <= 11 * MINUTE + 8 * SECOND


def test_nothing_is_kept_for_who_does_not_know_of_it_longer_than_it_would_be_held(session, house, pair):
    save_policy(session, hold_hours=0.05)
    first, second = pair
    house([(0 * SECOND, first, 1), (4 * MINUTE, second, 1)], until=SETTLED + 10 * SECOND)
    assert mails(session) == [[pytest.approx(SETTLED, abs=8 * SECOND)]]


def test_what_is_gone_again_is_waited_for_no_longer_than_it_would_have_taken(session, house, pair):
    first, second = pair
    house([(0 * SECOND, first, 1), (MINUTE, second, 1), (SETTLED + 30 * SECOND, second, 0)], until=8 * MINUTE)
    [[left]] = mails(session)
    assert SETTLED + MINUTE <= left <= SETTLED + MINUTE + 6 * SECOND


def test_nobody_waits_into_her_sleep(session, house, pair):
    """Nine to ten in Rome: the one leaves before she sleeps, the other when she wakes."""
    first, second = pair
    evening = 7 * HOUR + 52 * MINUTE
    house([(0 * SECOND, first, 1), (4 * MINUTE, second, 1)], begin=FRIDAY + evening, until=12 * MINUTE)
    assert [each.left_at is not None for each in all_offers(session)] == [True, False]


def test_an_editor_who_sends_it_waits_for_nothing(session, sessions, config, house, pair):
    first, second = pair
    house([(0 * SECOND, first, 1), (4 * MINUTE, second, 1)], until=6 * MINUTE)
    [offer] = all_offers(session)
    assert (offer.left_at, offer.leaves_at) == (None, FRIDAY + 9 * MINUTE + MOMENT)
    now, editor = FRIDAY + 6 * MINUTE, session.scalar(sa.select(Editor))

    def send(by):
        try:
            return release.release_offers(session, config, leaving.list_chosen(session, [offer.id]), now=now, by=by)
        except release.MouldsMissing as missing:
            session.rollback()
            release.make_moulds(config, sessions, missing.keys)
            return send(by)

    assert [send(None), send(editor)] == [0, 1]


def _wait(*coming, now=FRIDAY, longest=HOUR, is_awake=lambda _moment: True):
    found = [Coming(FRIDAY, each) for each in coming]
    return wait_until(found, now=now, longest=longest, is_awake=is_awake)


def test_how_long_a_mail_waits():
    soon, later = FRIDAY + 3 * MINUTE, FRIDAY + 40 * MINUTE
    assert _wait() is None
    assert _wait(soon) == soon + MOMENT
    assert _wait(soon, later) == later + MOMENT
    assert _wait(soon, later, longest=30 * MINUTE) == soon + MOMENT
    assert _wait(soon, later, is_awake=lambda moment: moment < later) == soon + MOMENT
    assert _wait(FRIDAY + HOUR + SECOND) is None
    # being shared out: looked at again and again, for a minute
    for since in (None, FRIDAY - DAY, FRIDAY):
        assert _wait(since, now=FRIDAY + 30 * SECOND) == FRIDAY + 30 * SECOND + MOMENT
        assert _wait(since, now=FRIDAY + DEALT) is None
    assert _wait(soon, now=soon + 30 * SECOND) == soon + 30 * SECOND + MOMENT
    assert _wait(FRIDAY, longest=0 * SECOND) is None


def test_what_two_workers_have_of_one_person_is_left_to_whoever_has_all_of_it(session, sessions, config, at, pair):
    """On PostgreSQL each may take a part at the same instant; on SQLite one waits for the other."""
    save_policy(session, desk_minutes=5)
    for each in pair:
        each.on_hand = 1
    session.commit()
    at(FRIDAY)
    jobs.open_waves(config, sessions)
    at(later := FRIDAY + 6 * MINUTE)
    first, second = all_offers(session)
    with sessions() as other, sessions() as hers:
        if config.database_url.startswith("postgresql"):
            in_hand = leaving.list_chosen(other, [second.id])
            due = leaving.list_due(hers, now=later, limit=9)
            assert ([each.offer_id for each in in_hand], [each.offer_id for each in due]) == ([second.id], [first.id])
            assert leaving.with_companions(hers, due, until=later) == []
            hers.rollback()
            assert release.release_due(config, sessions) == 0
    assert release.release_due(config, sessions) == 2
    assert len(mails(session)) == 1
