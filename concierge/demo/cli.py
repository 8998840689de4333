"""`concierge demo`: furnishes the demo house by hand, or makes it anew."""

import click

from concierge import blobs, clock, schema
from concierge.config import read_config
from concierge.db import make_sessions
from concierge.demo import days, house
from concierge.demo.goods import read
from concierge.options import Command


@click.command("demo", cls=Command)
@click.option("--reset", is_flag=True, help="Throw everything in the demo house away and make it anew.")
@click.option("--yes", is_flag=True, help="Don’t ask before throwing away.")
def demo_command(reset: bool, yes: bool) -> None:
    """Furnish the demo house: a fictional maison with its products, people and a month of mail."""
    config = read_config()
    if not config.demo:
        raise click.ClickException(
            "This house is not for trying things out: it is open to others, or its mail leaves for the world, and "
            "the demo's accounts have a password everybody knows. If you mean it, set CONCIERGE_DEMO=true."
        )
    schema.migrate(config)
    clock.follow(config.clock_file)
    store = blobs.open_store(config)
    with make_sessions(config)() as session:
        if reset:
            if not yes and house.is_furnished(session):
                click.confirm("Everything in the demo house will be thrown away and made anew. Go on?", abort=True)
            house.empty(session, store, config.outbox)
            days.set_right()
        made = house.furnish(session, store, now=clock.now(), shop=f"{config.base_url}/shop/", config=config)
        session.commit()
    click.echo(_welcome() if made else "The demo house is furnished already; --reset makes it anew.")


def _welcome() -> str:
    sheets = read("house")
    lines = (f"  {each['email']:<34} {each['title']}" for each in sheets["editor"])
    return "\n".join(
        ("The demo house is furnished. Sign in as", *lines, f"each with the password {sheets['password']}")
    )
