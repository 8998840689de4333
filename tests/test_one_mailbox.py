"""A house that compared addresses as they were typed, brought to one form for one mailbox."""

import importlib.util

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.migration import MigrationContext
from alembic.operations import Operations

from concierge import schema
from concierge.accounts.commands import add_mailbox
from concierge.accounts.models import AddressTaken, Role
from concierge.accounts.queries import find_editor_by_email, find_mailbox, read_house
from concierge.addresses import Address, normalise
from concierge.audit import AuditEntry
from concierge.catalogue.stock_models import Purchase
from concierge.config import house_folder
from concierge.conversations.likenesses import Acquaintance, Doubt, look_like
from concierge.customers.models import CustomerAddress
from concierge.customers.queries import find_customer_by_address, find_writer, search_customers
from concierge.inbound.authenticity import is_authentic
from concierge.inbound.parsed import Verdict
from concierge.mailing.models import Delivery, DeliveryState, Suppression, SuppressionReason
from concierge.mailing.queries import find_suppression, list_suppressed
from concierge.mailing.suppressing import suppress as suppress_address
from concierge.wishes.models import WishRequest, WishWay
from tests.catalogue.builders import make_product
from tests.factories import DAY, NOW, make_customer, make_editor, make_mailbox, sign_in

BUECHER, PUNY = "anna@bücher.example", "anna@xn--bcher-kva.example"
LONG, SHARP = "anna@strasse.example", "anna@straße.example"


def before(address: str) -> str:
    """What was compared until now."""
    return address.strip().casefold()


def as_before(session, customer, *addresses: str, primary: int = 0) -> list[CustomerAddress]:
    """These are hers, as they were kept until now."""
    customer.addresses = [
        CustomerAddress(address=each, normalised=before(each), is_primary=place == primary, created_at=NOW)
        for place, each in enumerate(addresses)
    ]
    session.flush()
    return customer.addresses


def suppress(session, address: str, **values) -> Suppression:
    fields = {"reason": SuppressionReason.UNSUBSCRIBED, "evidence": "She said so.", "created_at": NOW}
    suppression = Suppression(normalised=before(address), **fields | values)
    session.add(suppression)
    session.flush()
    return suppression


@pytest.fixture
def bring_up(config, session):
    """Commits what is there, and has the migration run on it."""

    def go() -> None:
        session.commit()
        alembic = schema.alembic_config(config)
        command.stamp(alembic, "0035")
        command.upgrade(alembic, "0036")
        command.stamp(alembic, "head")
        session.expire_all()

    return go


def test_everything_that_is_compared_is_in_the_new_form_and_what_was_typed_stays(session, bring_up):
    [hers] = as_before(session, make_customer(session), "Anna@Bücher.example")
    [variant] = make_product(session, sizes={"36": 0}).variants
    mail = {"key": "a", "purpose": "reply", "message_id": "<a>", "subject": "", "content": {}, "due_at": NOW}
    delivery = Delivery(
        **mail, state=DeliveryState.SENT, created_at=NOW, to_address=BUECHER.upper(), to_normalised=BUECHER
    )
    bought = {"source": "shop", "variant_id": variant.id, "price_cents": 1, "at": NOW, "received_at": NOW}
    purchases = [Purchase(**bought, external_id=each, normalised=each) for each in (BUECHER, "b@example.com", "")]
    asked = {"way": WishWay.FORM, "language": "en", "words": "Yes", "created_at": NOW, "product_id": variant.product_id}
    request = WishRequest(**asked, address="anna+shop@bücher.example", normalised=BUECHER)
    kept = suppress(session, BUECHER)
    session.add_all([delivery, *purchases, request])
    bring_up()
    assert (hers.address, hers.normalised) == ("Anna@Bücher.example", PUNY)
    assert (delivery.to_address, delivery.to_normalised) == (BUECHER.upper(), PUNY)
    assert [each.normalised for each in purchases] == [PUNY, "b@example.com", ""]
    assert (request.normalised, kept.normalised) == (PUNY, PUNY)


def test_two_spellings_of_one_customer_become_one_address_and_the_other_is_written_down(session, bring_up):
    customer = make_customer(session)
    puny, buecher, _third = as_before(session, customer, PUNY, BUECHER, "anna@example.com", primary=1)
    gone = puny.id
    bring_up()
    assert [(each.id, each.address, each.normalised, each.is_primary) for each in customer.addresses] == [
        (buecher.id, BUECHER, PUNY, True),
        (buecher.id + 1, "anna@example.com", "anna@example.com", False),
    ]
    [entry] = session.scalars(sa.select(AuditEntry).where(AuditEntry.verb == "customer.address_folded"))
    assert (entry.subject_id, entry.details["address"], entry.details["number"]) == (customer.id, PUNY, gone)


@pytest.mark.parametrize(
    ("typed", "owner"), [((BUECHER, PUNY), 1), ((PUNY, BUECHER), 0), ((BUECHER, "anna@bu\u0308cher.example"), 0)]
)
def test_two_customers_stay_two_and_lose_nothing(session, bring_up, typed, owner):
    """The mailbox is whose mails name it so already, else of the one known longest; the other row stays as it was."""
    people = [make_customer(session, name) for name in ("Anna Rossi", "Bea Rossi")]
    for person, address in zip(people, typed, strict=True):
        as_before(session, person, address)
    bring_up()
    assert [each.address for each in people] == list(typed)
    assert people[owner].addresses[0].normalised == PUNY
    assert people[1 - owner].addresses[0].normalised == before(typed[1 - owner])
    assert find_customer_by_address(session, BUECHER) is people[owner]


@pytest.mark.parametrize(("released", "standing"), [(BUECHER, PUNY), (PUNY, BUECHER)])
def test_one_suppression_that_stands_holds_both_spellings_back(session, bring_up, released, standing):
    over = suppress(session, released, released_at=NOW + DAY, released_because="She asked for it.")
    stands = suppress(session, standing, reason=SuppressionReason.COMPLAINT)
    bring_up()
    assert find_suppression(session, BUECHER) is find_suppression(session, PUNY) is stands
    assert (over.normalised, over.released_because) == (PUNY, "She asked for it.")
    assert session.scalar(sa.select(sa.func.count(Suppression.id))) == 2


def test_of_two_domains_that_were_taken_for_one_both_stay_suppressed(session, bring_up):
    """straße is not strasse (IDNA 2008); small letters had made one of them."""
    customer = make_customer(session)
    [hers] = as_before(session, customer, SHARP)
    suppress(session, SHARP)
    [variant] = make_product(session, sizes={"36": 0}).variants
    bought = {"source": "shop", "variant_id": variant.id, "price_cents": 1, "at": NOW, "received_at": NOW}
    purchases = [
        Purchase(**bought, external_id=str(each), customer_id=each, normalised=before(SHARP))
        for each in (customer.id, None)
    ]
    session.add_all(purchases)
    bring_up()
    assert hers.normalised == normalise(SHARP) == "anna@xn--strae-oqa.example"
    for address in (SHARP, LONG):
        assert find_suppression(session, address).evidence == "She said so."
    assert [each.normalised for each in purchases] == [normalise(SHARP), LONG]


def test_what_is_no_domain_stays_as_it_is(session, bring_up):
    [hers] = as_before(session, make_customer(session), "anna@ü..example")
    kept = suppress(session, "☕@a_ü.example")
    bring_up()
    assert (hers.normalised, kept.normalised) == ("anna@ü..example", "☕@a_ü.example")


def test_migrating_twice_changes_nothing_more(session, bring_up):
    as_before(session, make_customer(session), SHARP)
    suppress(session, SHARP)
    bring_up()
    count = session.scalar(sa.select(sa.func.count(Suppression.id)))
    bring_up()
    assert session.scalar(sa.select(sa.func.count(Suppression.id))) == count == 2


def test_going_back_holds_back_whoever_was_held_back(session, config, bring_up):
    [hers] = as_before(session, make_customer(session), BUECHER)
    bring_up()
    session.add(Suppression(normalised=PUNY, reason=SuppressionReason.COMPLAINT, created_at=NOW))
    session.commit()
    spec = importlib.util.spec_from_file_location(
        "one_mailbox", house_folder("migrations") / "versions/0036_one_mailbox_one_form.py"
    )
    migration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(migration)
    with Operations.context(MigrationContext.configure(session.connection())):
        migration.downgrade()
    session.commit()
    session.expire_all()
    assert hers.normalised == BUECHER
    assert {each.normalised for each in session.scalars(sa.select(Suppression))} == {PUNY, BUECHER}


def test_a_house_at_a_domain_in_other_letters_is_found_in_either_and_shown_as_it_was_typed(session):
    omar = make_editor(session, "Omar Haddad", role=Role.ADMIN)
    care = add_mailbox(session, address="Care@Bücher.example", brand="Bücher", language="en", by=omar, now=NOW)
    session.flush()
    assert (care.address, care.domain) == ("care@bücher.example", "xn--bcher-kva.example")
    for address in ("care@bücher.example", "care+key@XN--BCHER-KVA.example"):
        assert find_mailbox(session, address) is care
        assert read_house(session).find_mailboxes([address]) == [care]
        with pytest.raises(AddressTaken):
            add_mailbox(session, address=address.replace("+key", ""), brand="B", language="en", by=omar, now=NOW)
    known = Acquaintance(domains={Address("", care.address).domain})
    assert look_like(Address("Nadia", "nadia@xn--bcher-kva.example"), known) == ()
    [doubt] = look_like(Address("Nadia", "nadia@bücherx.example"), known)  # the control
    assert doubt.doubt is Doubt.OURS


def test_a_colleague_signs_in_however_her_domain_is_written(client, session):
    nadia = make_editor(session, email="nadia@bücher.example")
    session.commit()
    assert find_editor_by_email(session, "Nadia@xn--bcher-kva.example") is nadia
    nadia.email = "nadia@xn--bcher-kva.example"
    session.commit()
    sign_in(client, nadia)


def test_her_mail_is_hers_in_either_spelling_and_so_is_what_she_does_not_want(session, client):
    make_mailbox(session)
    anna = make_customer(session, "Anna Rossi", BUECHER)
    assert find_writer(session, PUNY).id == anna.id
    nadia = make_editor(session)
    suppress_address(session, PUNY, reason=SuppressionReason.MANUAL, by=nadia, now=NOW)
    session.commit()
    assert list_suppressed(session, [normalise(BUECHER)]) == {PUNY: SuppressionReason.MANUAL}
    session.commit()  # SQLite: from here on the pages write
    sign_in(client, nadia)
    for sought, shown in (("bücher.example", 1), ("xn--bcher", 1), ("anna@bücher.example", 1), ("bea", 0)):
        page = client.get("/mail-out", query_string={"show": "suppressed", "q": sought}).get_data(as_text=True)
        assert page.count("Why anna@bücher.example may be mailed again") == shown, sought
    assert [each.name for each in search_customers(session, "bücher").customers] == ["Anna Rossi"]


def test_a_mail_is_from_where_it_says_in_either_spelling():
    sender = Address("Anna", BUECHER)
    assert is_authentic(sender.domain, [Verdict("", "dkim", "pass", "xn--bcher-kva.example")]) is True
    assert is_authentic(sender.domain, [Verdict("", "dkim", "pass", "bucher.example")]) is None  # the control
