"""Writing down who the customers are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Protocol, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import audit
from concierge.addresses import is_address, normalise
from concierge.customers import queries
from concierge.customers.models import (
    AddressOfAnother,
    Consent,
    Customer,
    CustomerAddress,
    CustomerDate,
    CustomerSize,
    LastAddress,
    NoAddress,
    NoSuchDay,
    NoWords,
    UnknownPlace,
)
from concierge.customers.offsets import Sighting, add_sighting
from concierge.customers.zones import guess_from_mails, known_zone, zones_in
from concierge.rows import insert_row, read_rows

# The purpose of mails that nobody wrote to her in person.
UNASKED = "plan"
_CHANGEABLE = {"name", "first_name", "language", "country", "timezone", "notes"}


class _Editor(Protocol):
    @property
    def id(self) -> int: ...


def add_customer(
    session: Session,
    *,
    name: str,
    first_name: str,
    address: str,
    language: str,
    language_guessed: bool = True,
    now: datetime,
) -> Customer:
    """Make somebody known to the house by her first address; raises NoAddress, AddressOfAnother."""
    _expect_free(session, address)
    writer = add_writer(
        session,
        name=name,
        first_name=first_name,
        address=address,
        language=language,
        language_guessed=language_guessed,
        now=now,
    )
    return session.get_one(Customer, writer.id)


_customers, _addresses = (cast("sa.Table", each.__table__) for each in (Customer, CustomerAddress))
_UNKNOWN = {"country": "", "timezone": "", "offsets": [], "mail_zone": "", "notes": "", "tier": ""}
_ADD = (
    sa.insert(_customers)
    .values(
        {
            name: sa.bindparam(name)
            for name in (*_UNKNOWN, "name", "first_name", "language", "language_guessed", "created_at")
        }
    )
    .returning(_customers.c.id)
)
_NOTE = sa.update(_customers).where(_customers.c.id == sa.bindparam("number"))


def add_writer(
    session: Session,
    *,
    name: str,
    first_name: str,
    address: str,
    language: str,
    language_guessed: bool = True,
    sighting: Sighting | None = None,
    now: datetime,
) -> queries.Writer:
    """`add_customer` for the mail of somebody nobody knew a moment ago, with what its date tells; raises NoAddress.

    Should another worker have made her known meanwhile, the database refuses it (IntegrityError).
    """
    address = address.strip()
    if not is_address(address):
        raise NoAddress
    values = _UNKNOWN | {"language": language, "language_guessed": language_guessed, "created_at": now}
    values |= _named(name, first_name) | _seen_from((), sighting, country="", language=language)
    [(number,)] = read_rows(session, _ADD, values)
    first = {"customer_id": number, "address": address, "normalised": normalise(address), "created_at": now}
    insert_row(session, _addresses, first | {"is_primary": True})
    return queries.Writer(number, name[:200], language, is_new=True)


def note_writer(
    session: Session, writer: queries.Writer, *, name: str, first_name: str, sighting: Sighting | None
) -> queries.Writer:
    """What a mail of hers tells besides what it says: her name, if we know none, and by which clock it was written."""
    values = {} if writer.name or not name else _named(name, first_name)
    values |= _seen_from(writer.offsets, sighting, country=writer.country, language=writer.language)
    if values:
        session.execute(_NOTE.values(values), {"number": writer.id})
    return replace(writer, name=str(values.get("name", writer.name)))


def _named(name: str, first_name: str) -> dict[str, Any]:
    return {"name": name[:200], "first_name": first_name[:100]}


def _seen_from(offsets: Sequence[Any], sighting: Sighting | None, *, country: str, language: str) -> dict[str, Any]:
    """The offsets with the one of this mail, and the zone they speak for; nothing when it tells nothing new."""
    if sighting is None:
        return {}
    before = _sightings(offsets)
    seen = add_sighting(before, replace(sighting, at=sighting.at.replace(second=0, microsecond=0)))
    if seen == before:
        return {}
    zone = guess_from_mails(seen, country=country, language=language)
    return {"offsets": [[each.at.isoformat(), each.minutes] for each in seen], "mail_zone": zone}


def _new_address(session: Session, address: str, *, now: datetime, is_primary: bool) -> CustomerAddress:
    _expect_free(session, address)
    address = address.strip()
    return CustomerAddress(address=address, normalised=normalise(address), is_primary=is_primary, created_at=now)


def _expect_free(session: Session, address: str) -> None:
    """Raises NoAddress, AddressOfAnother."""
    if not is_address(address.strip()):
        raise NoAddress
    known = sa.select(CustomerAddress.id).where(CustomerAddress.normalised == normalise(address))
    if session.scalar(known) is not None:
        raise AddressOfAnother


def change_customer(session: Session, customer: Customer, *, by: _Editor, now: datetime, **changes: str) -> None:
    """Change her name, language or what is noted of her; a language an editor sets is no longer a guess."""
    assert changes.keys() <= _CHANGEABLE, changes
    changed = {field: value for field, value in changes.items() if getattr(customer, field) != value}
    if "language" in changes:
        customer.language_guessed = False
    for field, value in changed.items():
        setattr(customer, field, value)
    if changed.keys() & {"country", "language"}:
        _guess_zone(customer)
    if changed:
        audit.record(session, "customer.changed", customer, by=by, now=now, fields=sorted(changed))


def place_customer(session: Session, customer: Customer, *, by: _Editor, now: datetime, **place: str) -> None:
    """Write down her `country` (ISO 3166) or her `timezone` (IANA), "" for not known; raises UnknownPlace."""
    zone, country = place.get("timezone", ""), place.get("country", "")
    if (zone and known_zone(zone) is None) or (country and not zones_in(country)):
        raise UnknownPlace
    change_customer(session, customer, by=by, now=now, **place)


def _guess_zone(customer: Customer) -> None:
    seen = _sightings(customer.offsets or ())
    customer.mail_zone = guess_from_mails(seen, country=customer.country, language=customer.language)


def _sightings(offsets: Sequence[Any]) -> tuple[Sighting, ...]:
    return tuple(Sighting(datetime.fromisoformat(at), minutes) for at, minutes in offsets)


def put_in_tier(session: Session, customer: Customer, tier: str, *, by: _Editor, now: datetime) -> None:
    """Write down her tier, "" for none; what it is worth in a queue is decided above."""
    if customer.tier != tier:
        before, customer.tier = customer.tier, tier
        audit.record(session, "customer.tier_set", customer, by=by, now=now, before=before, tier=tier)


def set_sizes(
    session: Session, customer: Customer, sizes: Mapping[str, tuple[str, str]], *, by: _Editor, now: datetime
) -> None:
    """Replace her sizes: kind → (system, value), e.g. shoes → (EU, 36); an empty value is no size."""
    wanted = {kind: size for kind, size in sizes.items() if size[1]}
    if {each.kind: (each.system, each.value) for each in customer.sizes} == wanted:
        return
    known = {each.kind: each for each in customer.sizes}
    for kind, (system, value) in wanted.items():
        if kind in known:
            known[kind].system, known[kind].value = system, value
        else:
            customer.sizes.append(CustomerSize(kind=kind, system=system, value=value))
    customer.sizes = [each for each in customer.sizes if each.kind in wanted]
    audit.record(session, "customer.sizes_changed", customer, by=by, now=now)


def add_address(session: Session, customer: Customer, address: str, *, by: _Editor, now: datetime) -> None:
    """She writes from this address too; raises NoAddress, AddressOfAnother."""
    customer.addresses.append(_new_address(session, address, now=now, is_primary=False))
    audit.record(session, "customer.address_added", customer, by=by, now=now)


def remove_address(session: Session, customer: Customer, address_id: int, *, by: _Editor, now: datetime) -> None:
    """She no longer writes from there; raises LastAddress. Another becomes the one we write to if need be."""
    leaving = [each for each in customer.addresses if each.id == address_id]
    if not leaving:
        return
    if len(customer.addresses) == 1:
        raise LastAddress
    customer.addresses.remove(leaving[0])
    if leaving[0].is_primary:
        customer.addresses[0].is_primary = True
    audit.record(session, "customer.address_removed", customer, by=by, now=now)


def prefer_address(session: Session, customer: Customer, address_id: int, *, by: _Editor, now: datetime) -> None:
    """We write to this one of her addresses."""
    if any(each.id == address_id for each in customer.addresses):
        for each in customer.addresses:
            each.is_primary = each.id == address_id
        audit.record(session, "customer.address_preferred", customer, by=by, now=now)


def show_pictures(session: Session, address: str, *, by: _Editor, now: datetime) -> None:
    """From now on pictures in mails that truly come from this address of a customer's are fetched unasked."""
    found = queries.find_address(session, address)
    if found is not None and found.pictures_at is None:
        found.pictures_at = now
        audit.record(session, "customer.pictures_shown", found.customer, by=by, now=now, address=found.address)


def hide_pictures(session: Session, customer: Customer, address_id: int, *, by: _Editor, now: datetime) -> None:
    """They are fetched only when an editor asks for them, mail by mail, as everybody's are."""
    for each in customer.addresses:
        if each.id == address_id and each.pictures_at is not None:
            each.pictures_at = None
            audit.record(session, "customer.pictures_hidden", customer, by=by, now=now, address=each.address)


def set_date(
    session: Session, customer: Customer, kind: str, month: int, day: int, *, by: _Editor, now: datetime
) -> CustomerDate:
    """Note a day of every year that matters to her, one of each kind; raises NoSuchDay."""
    kind = " ".join(kind.split()).casefold()
    if not kind or len(kind) > 40 or not kind.isprintable() or not _is_day(month, day):
        raise NoSuchDay
    found = next((each for each in customer.dates if each.kind == kind), None)
    if found is None:
        found = CustomerDate(kind=kind)
        customer.dates.append(found)
    if (found.month, found.day) != (month, day):
        found.month, found.day, found.noted_at = month, day, now
    audit.record(session, "customer.date_set", customer, by=by, now=now, kind=kind)
    session.flush()
    return found


def _is_day(month: int, day: int) -> bool:
    try:
        date(2024, month, day)  # a leap year: somebody is born on the 29th of February
    except ValueError:
        return False
    return True


def remove_date(session: Session, customer: Customer, date_id: int, *, by: _Editor, now: datetime) -> None:
    """It no longer matters; twice is fine."""
    for each in [each for each in customer.dates if each.id == date_id]:
        customer.dates.remove(each)
        audit.record(session, "customer.date_removed", customer, by=by, now=now, kind=each.kind)


def decline_unasked(session: Session, customer: Customer, *, by: _Editor | None, way: str, now: datetime) -> None:
    """She wants no mails that nobody wrote to her in person: every yes to them ends. Twice is fine."""
    held = session.get(Customer, customer.id, with_for_update=True, populate_existing=True) or customer
    withdraw_consent(session, held, purpose=UNASKED, way=way, now=now)
    if held.declined_at is None:
        held.declined_at = now
        audit.record(session, "customer.declined", held, by=by, now=now, way=way)
    session.flush()


def agree_unasked(session: Session, customer: Customer, words: str, *, by: _Editor, now: datetime) -> Consent:
    """She agreed to them: an editor writes down in which words, and where. Raises NoWords."""
    if not words:
        raise NoWords
    accept_unasked(session, customer, by=by, way="editor", now=now)
    proof = {"editor_id": by.id, "noted_at": now.isoformat()}
    return grant_consent(
        session, customer, purpose=UNASKED, words=words, language=customer.language, way="editor", proof=proof, now=now
    )


def accept_unasked(session: Session, customer: Customer, *, by: _Editor | None, way: str, now: datetime) -> None:
    """She does not mind them after all; it is no yes to more. Twice is fine."""
    if customer.declined_at is not None:
        customer.declined_at = None
        audit.record(session, "customer.accepted", customer, by=by, now=now, way=way)
        session.flush()


def grant_consent(
    session: Session,
    customer: Customer,
    *,
    purpose: str,
    words: str,
    language: str,
    way: str,
    proof: dict[str, Any],
    now: datetime,
) -> Consent:
    """Keep her yes to `purpose`, with the words she saw and the proof; each yes is kept beside those before it."""
    consent = Consent(
        customer_id=customer.id,
        purpose=purpose,
        words=words,
        language=language,
        way=way,
        proof=proof,
        granted_at=now,
    )
    session.add(consent)
    audit.record(session, "consent.granted", customer, by=None, now=now, purpose=purpose, way=way)
    session.flush()
    return consent


def withdraw_consent(session: Session, customer: Customer, *, purpose: str, way: str, now: datetime) -> int:
    """End every yes of hers to `purpose`; how many stood. Twice is fine."""
    standing = queries.list_consents(session, customer.id, purpose=purpose, standing_only=True)
    for consent in standing:
        consent.withdrawn_at, consent.withdrawn_way = now, way
    if standing:
        audit.record(session, "consent.withdrawn", customer, by=None, now=now, purpose=purpose, way=way)
        session.flush()
    return len(standing)
