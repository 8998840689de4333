"""The policy page: replays that a hand can reckon, saving with its audit and new ranks, and who may do it."""

import re
from itertools import product

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.accounts.models import Role
from concierge.audit import AuditEntry
from concierge.catalogue.stock_models import Restock
from concierge.config import Config
from concierge.db import Sessions
from concierge.reports import jobs
from concierge.reports.models import Reranking
from concierge.wishes.models import Wish, WishVariant
from concierge.wishes.offer_models import Rule, WavePolicy
from concierge.wishes.simulation import Manner, Situation, Terms, forecast, on_the_wall
from tests.factories import DAY, HOUR, NOW
from tests.reports.conftest import Enter
from tests.wishes.builders import sandals, save_policy, share_out, wish_for

FORM = {
    "rule": "bounded", "alpha": "5", "prior_taken": "1", "prior_passed": "3", "hold_hours": "24", "wakes_at": "8",
    "sleeps_at": "22", "head_starts": "vip: 14\ngold: 2,5", "tier_share": "50", "desk_minutes": "0", "restock": "",
    "units": "1", "waiting": "2",
}  # fmt: skip
FINGERPRINT = re.compile(r'name="replayed"[^>]*value="(\w+)"')


def replayed(client: FlaskClient, **change: str) -> dict[str, str]:
    """The form as it stands after a replay."""
    page = client.post("/wishes/policy/replay", data=FORM | change)
    assert page.status_code == 200
    found = FINGERPRINT.search(page.text)
    assert found
    return FORM | change | {"replayed": found[1]}


# Two wait for one unit; everybody answers two waking hours after her mail; a hold is four hours.


def plain(chance: float, spoken: float = 0.0) -> Situation:
    return Situation(units=1, waiting=2, chance=chance, delays=(2.0,), spoken=spoken)


@pytest.mark.parametrize(
    ("manner", "chance", "spoken", "reckoned"),
    [
        # everyone takes: the first has it after two hours; whoever was told beside her finds none
        (Manner.ONE_PER_UNIT, 1.0, 0.0, (1, 1.0, 2.0, 0.0)),
        (Manner.BOUNDED, 1.0, 0.0, (1, 1.0, 2.0, 0.0)),
        (Manner.EVERYONE, 1.0, 0.0, (2, 1.0, 2.0, 1.0)),
        # each hour a mail for what is left: the second is told before the first has bought
        (Manner.HOURLY, 1.0, 0.0, (2, 1.0, 2.0, 1.0)),
        # nobody takes: all are told, nothing is sold, nobody is disappointed
        *((manner, 0.0, spoken, (2, 0.0, None, 0.0)) for manner, spoken in product(Manner, (0.0, 1.0))),
    ],
)
def test_a_replay_is_what_a_hand_reckons(manner: Manner, chance: float, spoken: float, reckoned: tuple) -> None:
    """People told, runs that sold out, hours until then, people disappointed."""
    found = forecast(plain(chance, spoken), Terms(manner, hold_hours=4.0, awake=24.0), runs=20)
    assert (found.told, found.sold_out, found.hours, found.disappointed) == reckoned
    assert found.disappointed_per_unit == found.disappointed


def test_a_bold_policy_tells_more_than_there_are_units() -> None:
    """P(both want it) = 1/3 under Beta(1, 1), which α = ½ bears: both are told, one of them is disappointed."""
    bold = Terms(Manner.BOUNDED, alpha=0.5, prior_taken=1.0, prior_passed=1.0, hold_hours=4.0, awake=24.0)
    found = forecast(plain(1.0), bold, runs=20)
    assert (found.told, found.hours, found.disappointed) == (2, 2.0, 1.0)


def test_a_pass_that_is_said_frees_the_unit_before_the_hold_is_over() -> None:
    """The first of two passes with luck: whoever says so does after two hours, whoever does not holds it for four."""
    terms = Terms(Manner.ONE_PER_UNIT, hold_hours=4.0, awake=24.0)
    said, silent = (forecast(plain(0.5, spoken), terms, seed=3, runs=100) for spoken in (1.0, 0.0))
    assert said.hours is not None
    assert silent.hours is not None
    assert 2.0 < said.hours < 4.0 < silent.slow_hours == 6.0
    assert said.disappointed == 0.0


@pytest.mark.parametrize(
    ("waking", "awake", "wall"), [(2, 24, 2), (14, 14, 14), (15, 14, 25), (29, 14, 49), (0, 14, 0)]
)
def test_waking_hours_on_the_wall(waking: float, awake: float, wall: float) -> None:
    assert on_the_wall(waking, awake) == wall


def test_a_policy_is_saved_once_it_was_replayed(marta: FlaskClient, session: Session) -> None:
    form = replayed(marta)
    # changed since: shown anew, nothing saved
    assert marta.post("/wishes/policy", data=form | {"alpha": "6"}).status_code == 200
    assert marta.post("/wishes/policy", data=FORM).status_code == 200
    assert session.scalars(sa.select(WavePolicy)).all() == []
    session.rollback()
    answer = marta.post("/wishes/policy", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/wishes/policy")
    saved = session.scalars(sa.select(WavePolicy)).one()
    assert (saved.rule, saved.alpha, saved.head_starts) == (Rule.BOUNDED, 0.05, {"vip": 14.0, "gold": 2.5})
    assert saved.saved_by and saved.saved_by.name == "Marta Lindqvist"
    entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.verb == "policy.saved")).one()
    assert (entry.subject_type, entry.subject_id, entry.editor_id) == ("wave_policy", saved.id, saved.saved_by_id)


NONSENSE = [
    {"alpha": "0"}, {"alpha": "nan"}, {"tier_share": "101"}, {"sleeps_at": "8"}, {"head_starts": "vip"},
    {"head_starts": "vip: 999"}, {"rule": "mine"}, {"units": "0"}, {"hold_hours": "inf"},
]  # fmt: skip


def test_a_policy_that_makes_no_sense_is_not_even_replayed(marta: FlaskClient, session: Session) -> None:
    for change, path in product(NONSENSE, ("/wishes/policy/replay", "/wishes/policy")):
        assert marta.post(path, data=FORM | change).status_code == 422, change
    assert session.scalars(sa.select(WavePolicy)).all() == []


def test_other_head_starts_rank_the_waiting_wishes_anew(
    marta: FlaskClient, session: Session, sessions: Sessions, config: Config
) -> None:
    (size,) = sandals(session)
    save_policy(session, head_starts={"vip": 1})
    vip = wish_for(session, size, name="Chloé", tier="vip", now=NOW)
    plain_one = wish_for(session, size, name="Barbara", now=NOW - 3 * DAY)
    moved = wish_for(session, size, name="Anna", tier="vip", now=NOW - HOUR)
    moved.moved_at, moved.moved_because = NOW, "A wedding on Saturday."
    kept = moved.rank_at
    session.commit()
    assert vip.rank_at == NOW - DAY
    marta.post("/wishes/policy", data=replayed(marta))
    assert jobs.rank_anew(config, sessions) == 1
    session.expire_all()
    assert (vip.rank_at, plain_one.rank_at, moved.rank_at) == (NOW - 14 * DAY, NOW - 3 * DAY, kept)
    ranks = {each.wish_id: each.rank_at for each in session.scalars(sa.select(WishVariant))}
    assert ranks == {each.id: each.rank_at for each in session.scalars(sa.select(Wish)).unique()}
    run = session.scalars(sa.select(Reranking)).one()
    assert run.finished_at is not None and run.moved == 1
    session.rollback()
    # the same head starts again: nothing to rank
    marta.post("/wishes/policy", data=replayed(marta, alpha="7"))
    assert session.scalar(sa.select(sa.func.count()).select_from(Reranking)) == 1


GETS = ["/wishes/demand", "/wishes/restocks", "/wishes/offers", "/wishes/policy", "/wishes/offers.csv"]
POSTS = ["/wishes/policy", "/wishes/policy/replay"]


def test_what_is_for_merchandisers_is_not_for_editors(enter: Enter, client: FlaskClient, session: Session) -> None:
    nadia, omar = enter("Nadia Ferrant", Role.EDITOR), enter("Omar Haddad", Role.ADMIN)
    for path in GETS:
        codes = [each.get(path).status_code for each in (client, nadia, omar)]
        assert codes == [302, 403, 200], path
    form = replayed(omar)
    for path in POSTS:
        assert nadia.post(path, data=form).status_code == 403
        assert client.post(path, data=form).status_code == 302
    assert session.scalars(sa.select(WavePolicy)).all() == []
    for path in ("/wishes", "/wishes/rows", "/wishes/board.csv", "/wishes/rows.csv"):
        assert nadia.get(path).status_code == 200


def test_a_past_restock_is_chosen_by_its_name_colour_and_size(session: Session, enter: Enter):
    variant = sandals(session, s36=3)[0]
    wish_for(session, variant, now=NOW - DAY)
    session.add(restock := Restock(variant=variant, units=3, at=NOW))
    session.flush()
    share_out(session, variant, now=NOW)
    session.commit()
    page = enter("Marta Lindqvist", Role.MERCHANDISER).get("/wishes/policy").text
    options = re.findall(rf'<option[^>]*value="{restock.id}"[^>]*>([^<]+)<', page)
    assert len(options) == 1 and options[0].startswith("Calanque sandals, Turquoise, EU 36: 3 units on ")
