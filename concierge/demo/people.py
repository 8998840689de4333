"""Brings the demo house's people in: mailboxes, editors with faces, customers; and the editors' templates."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor, Mailbox, Role, SignOff
from concierge.accounts.passwords import hash_password
from concierge.addresses import normalise
from concierge.blobs import BlobStore
from concierge.conversations.models import Conversation, Direction, Message
from concierge.customers.commands import note_writer
from concierge.customers.models import Customer, CustomerAddress, CustomerSize
from concierge.customers.offsets import Sighting
from concierge.customers.queries import find_writer
from concierge.demo.goods import picture, read
from concierge.demo.timing import at_her_desk
from concierge.templating.models import Template, TemplateVersion


def bring_mailboxes(session: Session, *, now: datetime) -> dict[str, Mailbox]:
    """Open the house's addresses; by language."""
    house = read("house")
    mailboxes = {
        each["language"]: Mailbox(
            address=each["address"], brand=house["brand"], language=each["language"], created_at=now
        )
        for each in house["mailbox"]
    }
    session.add_all(mailboxes.values())
    session.flush()
    return mailboxes


def bring_editors(session: Session, blobs: BlobStore, *, now: datetime) -> dict[str, Editor]:
    """Employ the four editors, all with the house's demo password; by their keys."""
    house = read("house")
    password = hash_password(house["password"])
    editors = {each["key"]: _editor(each, blobs.put(picture(each["key"])), password, now) for each in house["editor"]}
    session.add_all(editors.values())
    session.flush()
    return editors


def _editor(sheet: Mapping[str, Any], photo_key: str, password: str, now: datetime) -> Editor:
    hours = sheet["hours"]
    return Editor(
        email=sheet["email"],
        name=sheet["name"],
        title=sheet["title"],
        role=Role(sheet["role"]),
        language=sheet["language"],
        timezone="Europe/Rome",
        working_hours={str(day): hours["spans"] for day in hours["days"]},
        photo_key=photo_key,
        password=password,
        fs_uniquifier=uuid4().hex,
        created_at=now,
        sign_offs=[SignOff(language=language, text=text) for language, text in sheet["sign_off"].items()],
    )


def bring_customers(session: Session, *, now: datetime) -> dict[str, Customer]:
    """Make everybody of `furniture/customers.toml` known to the house; by their keys."""
    sheets = read("customers")["customers"]
    customers = {
        sheet["key"]: _customer(sheet, now - timedelta(days=40 + 17 * number)) for number, sheet in enumerate(sheets)
    }
    session.add_all(customers.values())
    session.flush()
    return customers


def _customer(sheet: Mapping[str, Any], since: datetime) -> Customer:
    addresses = [sheet["address"], *sheet.get("more", ())]
    sizes = (("shoes", "EU", sheet["shoes"]), ("dress", "IT", sheet["dress"]))
    return Customer(
        name=sheet["name"],
        first_name=sheet["name"].split()[0] if sheet["name"] else "",
        language=sheet["lang"],
        language_guessed=False,
        country=sheet["country"],
        timezone="" if sheet.get("guessed") else sheet["zone"],
        notes=sheet["notes"],
        created_at=since,
        addresses=[
            CustomerAddress(
                address=address, normalised=normalise(address), is_primary=address == addresses[0], created_at=since
            )
            for address in addresses
        ],
        sizes=[CustomerSize(kind=kind, system=system, value=value) for kind, system, value in sizes if value],
    )


def see_clocks(session: Session, customers: Mapping[str, Customer]) -> None:
    """Note what the dates of their mails say of those whose time zone nobody has told us, mail by mail."""
    for sheet in read("customers")["customers"]:
        if not sheet.get("guessed"):
            continue
        customer, zone = customers[sheet["key"]], ZoneInfo(sheet["zone"])
        hers = (Conversation.customer_id == customer.id, Message.direction == Direction.IN)
        written = sa.select(Message.created_at).join(Message.conversation).where(*hers).order_by(Message.id)
        for at in session.scalars(written).all():
            minutes = round((at.astimezone(zone).utcoffset() or timedelta()).total_seconds() / 60)
            writer = find_writer(session, sheet["address"])
            assert writer is not None
            note_writer(session, writer, name="", first_name="", sighting=Sighting(at, minutes))
        session.refresh(customer)


def bring_templates(session: Session, *, by: Editor, now: datetime) -> None:
    """Put the editors' templates on the shelf, as if they had been in use for a while, in the hours people work."""
    chance = Random("On the shelf")  # noqa: S311 it only has to be the same every time
    for number, sheet in enumerate(read("templates")["template"]):
        since = at_her_desk(now - timedelta(days=100 - number), chance)
        last = at_her_desk(now - timedelta(hours=9 * number, minutes=chance.randrange(20, 500)), chance)
        versions = [
            TemplateVersion(
                language=language,
                number=1,
                subject=sheet[language]["subject"],
                body=sheet[language]["body"].strip(),
                uses=uses,
                created_at=since,
                created_by_id=by.id,
            )
            for language, uses in (("en", sheet["uses"] * 3 // 5), ("it", sheet["uses"] - sheet["uses"] * 3 // 5))
        ]
        session.add(
            Template(
                name=sheet["name"],
                when_to_use=sheet["when"],
                created_at=since,
                uses=sheet["uses"],
                last_used_at=last,
                versions=versions,
            )
        )
    session.flush()
