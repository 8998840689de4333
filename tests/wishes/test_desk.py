"""The offers desk: what waits there as it will leave, her own words, other pieces, not her, send, send all."""

from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from concierge.accounts.commands import enter_absence
from concierge.accounts.models import Editor, Role
from concierge.audit import AuditEntry
from concierge.mailing.commands import suppress
from concierge.mailing.models import Delivery, DeliveryState, SuppressionReason
from concierge.mailing.sheets import unfold
from concierge.wishes import desk, drafting, release
from concierge.wishes.models import NoReason, Wish, WishEnding, WishState
from concierge.wishes.offer_models import Offer, OfferEnding, OfferState
from tests.catalogue.builders import make_product
from tests.conversations.stories import receive
from tests.factories import DAY, HOUR, MINUTE, NOW, make_customer, make_editor, sign_in
from tests.wishes.builders import FRIDAY, restock, sandals, save_policy, share_out, wish_for

OFFICE = {str(day): [["09:00", "18:00"]] for day in range(5)}


@pytest.fixture
def nadia(session, at):
    nadia = make_editor(session, language="en")
    save_policy(session, desk_minutes=30)
    session.commit()
    return nadia


@pytest.fixture
def her(client: FlaskClient, session, nadia) -> FlaskClient:
    sign_in(client, nadia)
    return client


def waiting(session, nadia, name="Barbara Rossi", variant=None, **values):
    """An offer for her on Nadia's desk."""
    variant = variant or sandals(session)[0]
    wish_for(session, variant, name=name, editor=nadia, **values)
    restock(session, variant)
    offer = session.scalars(sa.select(Offer).order_by(Offer.id.desc())).unique().first()
    session.commit()  # else the test holds the write lock
    return offer


def another(session, code="PALMA"):
    """Another pair of sandals, sold out."""
    [variant] = make_product(session, code, name=f"{code.title()} sandals", sizes={"36": 0}).variants
    return variant


def rows(session, kind):
    found = list(session.scalars(sa.select(kind).order_by(kind.id).execution_options(populate_existing=True)).unique())
    session.commit()
    return found


def page(client: FlaskClient, path="/desk") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def version(offer: Offer) -> str:
    return f"{offer.id}:{drafting.version_of(offer.words)}"


def form(*offers: Offer, **values: object) -> dict[str, object]:
    """What the desk's form says of these, each in a mail of its own."""
    return {"mail": [str(each.id) for each in offers], "version": ",".join(version(each) for each in offers)} | values


def test_what_waits_is_shown_as_it_will_leave(session, her, nadia):
    offer = waiting(session, nadia)
    shown = page(her)
    for words in ("Barbara Rossi", "Calanque sandals", "Turquoise · EU 36", "€420", "Leaves by itself at", "14:30"):
        assert words in shown, words
    assert f'name="mail" value="{offer.id}"' in shown
    assert " required" not in shown  # one form holds it all: a reason left empty must not keep mails from leaving
    assert shown.index('form="desk" hidden') < shown.index('name="send"')  # Enter keeps the words, and sends nothing
    assert 'aria-current="page">Offers <span class="count count--waits">1' in shown


def test_an_empty_desk_and_a_house_that_sends_at_once_say_so(session, her):
    assert "Nothing waits on your desk." in page(her)
    save_policy(session, desk_minutes=0)
    session.commit()
    assert "The wave policy lets offers leave at once." in page(her)


def test_a_colleagues_customers_are_on_her_own_desk(session, her, nadia):
    chiara = make_editor(session, "Chiara Conti")
    waiting(session, chiara)
    assert "Barbara Rossi" not in page(her)
    assert "Barbara Rossi" in page(her, "/desk?whose=all")
    session.expire_all()
    assert desk.count_waiting(session, nadia, now=FRIDAY) == 0


def test_while_her_editor_is_away_a_colleague_finds_it_on_her_desk_and_is_told(session, her, nadia):
    chiara = make_editor(session, "Chiara Conti", working_hours={"0": [["09:00", "10:00"]]})
    waiting(session, chiara)
    shown = page(her)
    assert "Barbara Rossi" in shown
    assert "Chiara is away; Nadia writes for her" in shown
    away, dora = make_editor(session, "Anna Verdi"), make_editor(session, "Dora Neri")
    counts = [desk.count_waiting(session, each, now=FRIDAY) for each in (nadia, chiara, away, dora)]
    assert sorted(counts) == [0, 0, 0, 1]  # one of those who are there, and nobody else, is told


def test_the_mails_of_who_is_on_leave_are_on_the_desk_of_whom_she_named(session, her, nadia):
    chiara, dora = make_editor(session, "Chiara Conti"), make_editor(session, "Dora Neri")
    today = FRIDAY.date()
    enter_absence(session, chiara, first_day=today, last_day=today, stand_in=nadia, by=chiara, now=FRIDAY)
    waiting(session, chiara)
    assert "Chiara is away; Nadia writes for her" in page(her)
    session.expire_all()
    counts = [desk.count_waiting(session, each, now=FRIDAY) for each in (nadia, chiara, dora)]
    assert counts == [1, 0, 0]


def test_several_pieces_of_one_person_are_one_mail(session, config, her, nadia):
    barbara = make_customer(session, timezone="Europe/Rome")
    boots = make_product(session, "BRERA", name="Brera boots", category="boots", sizes={"36": 0}).variants[0]
    waiting(session, nadia, customer=barbara)
    waiting(session, nadia, variant=boots, customer=barbara)
    [bundle] = desk.list_bundles(session, config, editor=nadia, now=FRIDAY)
    assert [each.sku for each in bundle.offers] == ["CAL-TUR-36", "BRERA-36"]
    session.commit()
    assert "Send this one mail" in page(her)


def test_what_is_due_much_later_is_another_mail(session, config, nadia):
    barbara = make_customer(session, timezone="Europe/Rome")
    boots = make_product(session, "BRERA", category="boots", sizes={"36": 0}).variants[0]
    first = waiting(session, nadia, customer=barbara)
    waiting(session, nadia, variant=boots, customer=barbara)
    session.execute(sa.update(Offer).where(Offer.id == first.id).values(leaves_at=FRIDAY + 3 * HOUR))
    assert len(desk.list_bundles(session, config, editor=nadia, now=FRIDAY)) == 2


def test_she_writes_and_her_words_stand_in_the_mail_and_are_never_evaluated(session, store, her, nadia):
    offer = waiting(session, nadia)
    words = 'For June in Positano. {{ config }} {% raw %} <b onclick="x">no</b>\ue0f0name\ue0f1'
    assert her.post("/desk/words", data=form(offer, **{f"words-{offer.id}": words})).status_code == 303
    letter = her.get(f"/desk/offers/{offer.id}/mail")
    assert "For June in Positano. {{ config }} {% raw %} &lt;b onclick" in letter.get_data(as_text=True)
    assert "sandbox" in letter.headers["Content-Security-Policy"]
    [kept] = rows(session, Offer)
    her.post("/desk/send", data=form(kept, send="all", **{f"words-{offer.id}": words}))
    mail = unfold(rows(session, Delivery)[0].content, store.get)
    assert 'For June in Positano. {{ config }} {% raw %} <b onclick="x">no</b> name' in mail.text
    assert "&lt;b onclick" in mail.html
    assert "<b onclick" not in mail.html


def test_a_script_is_told_the_version_and_a_colleagues_words_are_not_written_over(session, her, nadia):
    offer = waiting(session, nadia)
    as_json = {"Accept": "application/json"}
    seen, late = (form(offer, **{f"words-{offer.id}": words}) for words in ("For June.", "Mine."))
    answer = her.post("/desk/words", data=seen, headers=as_json)
    assert answer.json == {"version": f"{offer.id}:{drafting.version_of('For June.')}"}
    assert her.post("/desk/words", data=seen, headers=as_json).status_code == 200  # the same again
    refused = her.post("/desk/words", data=late, headers=as_json)
    assert refused.status_code == 409
    assert "A colleague changed the words" in refused.json["error"]
    assert rows(session, Offer)[0].words == "For June."
    assert her.post("/desk/send", data=late | {"send": "all"}).status_code == 409
    assert rows(session, Delivery) == []


def test_send_this_sends_one_mail_in_her_name_and_twice_is_harmless(session, her, nadia):
    first, second = waiting(session, nadia), waiting(session, nadia, "Chloé Martin", another(session))
    for words in ("1 mail has left.", "1 had left already."):
        answer = her.post("/desk/send", data=form(first, second, send=str(first.id)), follow_redirects=True)
        assert words in answer.get_data(as_text=True)
    sent, kept = rows(session, Offer)
    assert (sent.left_at, sent.editor_id, kept.left_at) == (FRIDAY, nadia.id, None)
    assert len(rows(session, Delivery)) == 1
    assert "Left today" in page(her) and "</a> · Calanque sandals, Turquoise, EU 36<br>" in page(her)


def test_who_sends_a_colleagues_offer_writes_for_her_only_while_she_is_away(session, store, client, nadia):
    away = make_editor(session, "Chiara Conti", working_hours={"0": [["09:00", "10:00"]]})
    omar = make_editor(session, "Omar Haddad", role=Role.ADMIN)
    session.commit()
    sign_in(client, omar)
    for editor, name in ((nadia, "Barbara Rossi"), (away, "Anna Bianchi")):
        waiting(session, editor, name, another(session, name[:4].upper()))
    client.post("/desk/send?whose=all", data=form(*rows(session, Offer), send="all"))
    hers, for_her = (unfold(each.content, store.get) for each in rows(session, Delivery))
    assert (hers.sender.name, for_her.sender.name) == ("Nadia Ferrant", "Omar Haddad")
    assert "is away at the moment" not in hers.text
    assert "Chiara is away at the moment" in for_her.text


def test_nobody_is_woken_and_who_may_not_be_written_to_is_passed_over_with_the_reason(session, her, nadia, at):
    asleep = waiting(session, nadia, customer=make_customer(session, timezone="Australia/Sydney"))
    gone = waiting(session, nadia, "Anna Bianchi", another(session))
    suppress(session, "anna@example.com", reason=SuppressionReason.COMPLAINT, by=nadia, now=FRIDAY)
    session.commit()
    shown = page(her)
    assert "She is asleep; it leaves by itself when she wakes" in shown
    assert "May not leave: she reported one of our mails as unwanted." in shown
    answer = her.post("/desk/send", data=form(asleep, gone, send="all"), follow_redirects=True).get_data(as_text=True)
    assert "1 leaves when she is awake." in answer
    assert "1 may not leave; the reason is below" in answer
    assert "Did not arrive" in answer
    sleeping, withheld = rows(session, Offer)
    assert (sleeping.left_at, sleeping.ended_at) == (None, None)
    assert withheld.ended_because is OfferEnding.BOUNCED


def test_not_her_needs_a_reason_frees_the_unit_for_the_next_and_twice_is_fine(session, config, sessions, her, nadia):
    offer = waiting(session, nadia)
    wish_for(session, offer.variant, name="Chloé Martin", now=FRIDAY, editor=nadia)
    session.commit()
    path, fields = f"/desk/offers/{offer.id}/withdraw", {f"o{offer.id}-again": "month"}
    assert her.post(path, data=form(offer, **fields)).status_code == 422
    fields[f"o{offer.id}-because"] = "She told me she has\tthem."
    for _time in range(2):
        assert her.post(path, data=form(offer, **fields)).status_code == 303
    share_out(session, offer.variant, now=FRIDAY)
    session.commit()
    ended, rolled_on = rows(session, Offer)
    assert ended.ended_because is OfferEnding.WITHDRAWN
    assert rolled_on.customer.name == "Chloé Martin"
    wish = session.get(Wish, ended.wish_id)
    assert (wish.state, wish.rests_until) == (WishState.WAITING, FRIDAY + 30 * DAY)
    [why] = [each for each in rows(session, AuditEntry) if each.verb == "offer.withdrawn"]
    assert (why.editor_id, why.details["because"]) == (nadia.id, "She told me she has them.")


def test_not_her_may_end_her_wish_and_what_was_written_goes_with_her_other_piece(session, nadia):
    barbara = make_customer(session, timezone="Europe/Rome")
    boots = make_product(session, "BRERA", category="boots", sizes={"36": 0}).variants[0]
    first, second = (
        waiting(session, nadia, customer=barbara), waiting(session, nadia, variant=boots, customer=barbara)
    )  # fmt: skip
    drafting.keep_words(
        session, [first.id, second.id], "For June.", version=drafting.version_of(""), by=nadia, now=FRIDAY
    )
    drafting.withdraw_offer(session, first, because="bought", until=None, by=nadia, now=FRIDAY)
    session.flush()
    assert first.wish.ended_because is WishEnding.WITHDRAWN_BY_EDITOR
    assert session.get(Offer, second.id).words == "For June."
    with pytest.raises(NoReason):
        drafting.withdraw_offer(session, second, because=" ", until=None, by=nadia, now=FRIDAY)


def test_what_has_left_can_not_be_changed_at_the_desk(session, sessions, her, nadia, at):
    offer = waiting(session, nadia)
    at(FRIDAY + 31 * MINUTE)
    assert release.release_due(her.application.extensions["concierge"], sessions) == 1
    fields = {f"o{offer.id}-because": "too late"}
    assert her.post(f"/desk/offers/{offer.id}/withdraw", data=form(offer, **fields)).status_code == 409
    assert her.post(f"/desk/offers/{offer.id}/pieces", data=form(offer, remove="X")).status_code == 409
    assert her.get(f"/desk/offers/{offer.id}").status_code == 409
    assert her.get("/desk/offers/999").status_code == 404
    assert rows(session, Offer)[0].state is OfferState.OPEN


@pytest.fixture
def beside(session):
    """What could stand beside the sandals: two in her size, one not, one sold out, a bag without a size."""
    for code, sizes in (("LAGO", {"36": 2}), ("MARE", {"36": 2}), ("ALTO", {"38": 2}), ("VUOTO", {"36": 0})):
        make_product(session, code, name=f"{code.title()} sandals", category="sandals", sizes=sizes)
    make_product(session, "BORSA", name="Borsa bag", category="bags", sizes={"": 1})
    session.flush()


def test_up_to_three_similar_pieces_are_proposed_replaced_and_left_out(session, her, nadia, beside):
    offer = waiting(session, nadia, or_similar=True)
    path = f"/desk/offers/{offer.id}/pieces"
    shown = page(her)
    assert "Lago sandals" in shown
    assert "Mare sandals" in shown
    her.post(path, data=form(offer, remove="LAGO-36"))
    assert rows(session, Offer)[0].similar == ["MARE-36"]
    her.post(path, data=form(offer, add="LAGO-36", instead="MARE-36"))
    assert rows(session, Offer)[0].similar == ["LAGO-36"]
    her.post(path, data=form(offer, remove="LAGO-36"))
    assert rows(session, Offer)[0].similar == ["none"]
    assert "Lago sandals" not in page(her)
    her.post(path, data=form(offer, propose="yes"))
    assert rows(session, Offer)[0].similar == []


def test_only_what_is_there_in_her_size_may_stand_beside_it(session, her, nadia, beside):
    offer = waiting(session, nadia)
    found = page(her, f"/desk/offers/{offer.id}/pieces")
    assert [name for name in ("Lago", "Mare", "Alto", "Vuoto", "Borsa", "Calanque") if f'">{name} ' in found] == [
        "Lago", "Mare", "Borsa",
    ]  # fmt: skip
    assert 'value="MARE-36"' in page(her, f"/desk/offers/{offer.id}/pieces?q=mare")
    assert "Nothing like that" in page(her, f"/desk/offers/{offer.id}/pieces?q=zzz")
    for sku, status in (("ALTO-38", 422), ("VUOTO-36", 422), ("NOBODY", 404), ("LAGO-36", 303)):
        answer = her.post(f"/desk/offers/{offer.id}/pieces", data=form(offer, add=sku))
        assert answer.status_code == status, sku


def test_a_chosen_piece_that_sold_out_meanwhile_is_not_in_the_mail(session, store, her, nadia, beside):
    offer = waiting(session, nadia)
    her.post(f"/desk/offers/{offer.id}/pieces", data=form(offer, add="LAGO-36"))
    [kept] = rows(session, Offer)
    session.execute(sa.text("UPDATE variant SET on_hand = 0 WHERE sku = 'LAGO-36'"))
    session.commit()
    her.post("/desk/send", data=form(kept, send="all"))
    assert "Lago" not in unfold(rows(session, Delivery)[0].content, store.get).text


def test_a_merchandiser_has_no_desk(session, client, nadia):
    marta = make_editor(session, "Marta Lindqvist", role=Role.MERCHANDISER)
    session.commit()
    sign_in(client, marta)
    assert client.get("/desk").status_code == 403
    assert client.post("/desk/send").status_code == 403
    assert 'href="/desk"' not in client.get("/wishes").get_data(as_text=True)


def test_send_all_pressed_by_two_at_once_sends_each_once(session, config, sessions, nadia):
    """A real barrier: both have read the same page, both press."""
    chiara = make_editor(session, "Chiara Conti")
    offers = [
        waiting(session, nadia, f"{name} Rossi", another(session, name.upper()))
        for name in ("Anna", "Bea", "Carla", "Dora")
    ]
    numbers, editors = [each.id for each in offers], [nadia.id, chiara.id]
    session.commit()
    _make_moulds(config, sessions, numbers, editors)
    gate, sent = Barrier(2), []

    def press(editor_id: int) -> None:
        gate.wait()
        with sessions() as mine:
            by = mine.get(Editor, editor_id)
            sent.append(drafting.send_offers(mine, config, numbers, by=by, now=FRIDAY))
            mine.commit()

    pressing = [Thread(target=press, args=(each,)) for each in editors]
    for each in pressing:
        each.start()
    for each in pressing:
        each.join(30)
    assert sum(each.mails for each in sent) == 4
    assert sum(each.gone for each in sent) == 4
    assert len(rows(session, Delivery)) == 4
    assert {each.state for each in rows(session, Delivery)} == {DeliveryState.QUEUED}
    assert all(each.left_at == FRIDAY for each in rows(session, Offer))


def _make_moulds(config, sessions, numbers, editors):
    for editor_id in editors:
        with sessions() as trying:
            by = trying.get(Editor, editor_id)
            try:
                drafting.send_offers(trying, config, numbers, by=by, now=FRIDAY)
            except release.MouldsMissing as missing:
                trying.rollback()
                release.make_moulds(config, sessions, missing.keys)
            trying.rollback()


def test_her_mail_of_that_morning_is_not_taken_for_an_answer(session, her, nadia):
    asked = receive(session, text="Yes please!", at=NOW)
    waiting(session, nadia, customer=asked.conversation.customer, conversation=asked.conversation)
    assert "seems to take" not in page(her, f"/conversations/{asked.conversation_id}/offers")
