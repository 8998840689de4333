"""Builders with lawful defaults, and the people of every story."""

from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import uuid4

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.accounts.models import Editor, Mailbox, Role, SignOff
from concierge.accounts.passwords import hash_password
from concierge.addresses import normalise
from concierge.customers.models import Customer, CustomerAddress

NOW = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PASSWORD = "turquoise-sandals"


@cache
def password_hash() -> str:
    """The hash of everybody's password; made when first asked for, which is after hashes were made cheap."""
    return hash_password(PASSWORD)


def make_editor(session: Session, name: str = "Nadia Ferrant", *, role: Role = Role.EDITOR, **values: object) -> Editor:
    """An editor with sign-offs in both languages; Nadia unless told otherwise."""
    first = name.split(maxsplit=1)[0]
    editor = Editor(
        **{
            "email": f"{first.lower()}@maison-solenne.example",
            "name": name,
            "title": "Fashion Editor",
            "role": role,
            "password": password_hash(),
            "fs_uniquifier": uuid4().hex,
            "working_hours": {},
            "created_at": NOW,
            "sign_offs": [
                SignOff(language="en", text=f"Warmly,\n{first}"),
                SignOff(language="it", text=f"Un caro saluto,\n{first}"),
            ],
        }
        | values
    )
    session.add(editor)
    session.flush()
    return editor


def make_mailbox(session: Session, address: str = "care@maison-solenne.example", **values: object) -> Mailbox:
    """The house's English mailbox unless told otherwise."""
    mailbox = Mailbox(**{"address": address, "brand": "Maison Solenne", "language": "en", "created_at": NOW} | values)
    session.add(mailbox)
    session.flush()
    return mailbox


def make_customer(session: Session, name: str = "Barbara Rossi", address: str = "", **values: object) -> Customer:
    """A customer with one address; Barbara unless told otherwise."""
    address = address or f"{name.split(maxsplit=1)[0].lower()}@example.com"
    customer = Customer(
        **{
            "name": name,
            "first_name": name.split(maxsplit=1)[0],
            "language": "en",
            "created_at": NOW,
            "addresses": [
                CustomerAddress(address=address, normalised=normalise(address), is_primary=True, created_at=NOW)
            ],
        }
        | values
    )
    session.add(customer)
    session.flush()
    return customer


def sign_in(client: FlaskClient, editor: Editor, password: str = PASSWORD) -> None:
    """Sign `editor` in; the editor must be committed."""
    response = client.post("/sign-in", data={"email": editor.email, "password": password})
    assert response.status_code == 302, response.get_data(as_text=True)
