"""The commands `concierge editor` and `concierge mailbox`: what a house needs before anybody can sign in."""

import click

from concierge import clock
from concierge.accounts import commands, queries
from concierge.accounts.models import EditorNotFound, Role
from concierge.accounts.passwords import SHORTEST, hash_password
from concierge.addresses import parse_one
from concierge.config import LANGUAGES
from concierge.db import make_sessions
from concierge.options import Group
from concierge.starting import ready_config


def _address(_context: click.Context, _option: click.Parameter, text: str) -> str:
    if (address := parse_one(text)) is None:
        raise click.BadParameter(f"{text} is not an address, e.g. nadia@maison.example")
    return address.address


def _long_enough(_context: click.Context, _option: click.Parameter, password: str) -> str:
    if len(password) < SHORTEST:
        raise click.BadParameter(f"a password has {SHORTEST} characters or more")
    return password


@click.group(cls=Group)
def editor() -> None:
    """Staff accounts."""


@editor.command("add")
@click.argument("name")
@click.argument("email", callback=_address)
@click.option("--title", default="", help="What she is, e.g. Fashion Editor.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.EDITOR.value, show_default=True)
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.password_option(callback=_long_enough, help="Asked for when not given.")
def add_editor(*, name: str, email: str, title: str, role: str, language: str, password: str) -> None:
    """Add NAME who signs in with EMAIL."""
    with make_sessions(ready_config())() as session:
        commands.add_editor(
            session,
            email=email,
            name=name,
            title=title,
            role=Role(role),
            language=language,
            password_hash=hash_password(password),
            by=None,
            now=clock.now(),
        )
        session.commit()
    click.echo(f"{name} can sign in now.")


@editor.command("list")
def list_editors() -> None:
    """Everybody on the staff."""
    with make_sessions(ready_config())() as session:
        for each in queries.list_editors(session):
            click.echo(f"{each.name} <{each.email}>, {each.role.value}{'' if each.active else ', inactive'}")


@editor.command("password")
@click.argument("email")
@click.password_option(callback=_long_enough, help="Asked for when not given.")
def set_password(email: str, password: str) -> None:
    """Give the editor who signs in with EMAIL a new password; her open sessions end."""
    with make_sessions(ready_config())() as session:
        if (found := queries.find_editor_by_email(session, email)) is None:
            raise EditorNotFound
        commands.set_password(session, found, hash_password(password), by=None, now=clock.now())
        session.commit()
    click.echo("The new password holds from now on.")


@click.group(cls=Group)
def mailbox() -> None:
    """The house's addresses that customers write to."""


@mailbox.command("add")
@click.argument("address", callback=_address)
@click.option("--brand", required=True, help="The name customers know, e.g. Maison Solenne.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
def add_mailbox(address: str, brand: str, language: str) -> None:
    """Open ADDRESS, so that mail to it is taken in."""
    with make_sessions(ready_config())() as session:
        commands.add_mailbox(session, address=address, brand=brand, language=language, by=None, now=clock.now())
        session.commit()
    click.echo(f"Mail to {address} is taken in from now on.")


@mailbox.command("list")
def list_mailboxes() -> None:
    """All mailboxes."""
    with make_sessions(ready_config())() as session:
        for each in queries.list_mailboxes(session):
            click.echo(f"{each.address}, {each.brand}, {each.language}{'' if each.active else ', closed'}")
