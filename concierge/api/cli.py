"""`concierge api-key`: keys for callers of the API, made and revoked by hand."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.orm import Session

from concierge import clock, schema
from concierge.api import commands, queries
from concierge.api.models import SCOPES
from concierge.config import read_config
from concierge.db import make_sessions
from concierge.options import Group


@click.group("api-key", cls=Group)
def api_key() -> None:
    """Keys for the API."""


@api_key.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="What it is good for.")
def add_key(name: str, scopes: tuple[str, ...]) -> None:
    """Make a key for NAME and print it; it can't be printed again."""
    with _session() as session:
        _key, text = commands.make_key(session, name=name[:40], scopes=scopes, by=None, now=clock.now())
        session.commit()
    click.echo(text)


@api_key.command("list")
def list_keys() -> None:
    """List the keys."""
    with _session() as session:
        for key in queries.list_keys(session):
            state = "revoked" if key.revoked_at else ", ".join(key.scopes)
            click.echo(f"{key.id:>4}  {key.name:<30} {state}")


@api_key.command("revoke")
@click.argument("number", type=int)
def revoke_key(number: int) -> None:
    """Make key NUMBER open nothing any more."""
    with _session() as session:
        commands.revoke_key(session, queries.get_key(session, number), by=None, now=clock.now())
        session.commit()
    click.echo("It opens nothing any more.")


@contextmanager
def _session() -> Iterator[Session]:
    config = read_config()
    schema.require_current(config)
    sessions = make_sessions(config)
    with sessions() as session:
        yield session
    sessions.kw["bind"].dispose()
