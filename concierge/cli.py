"""The `concierge` command: runs the house or a part of it, and does what is done by hand."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from concierge import blobs, clock, lifeline, logs, schema, staffing, starting
from concierge.api.cli import api_key
from concierge.catalogue.cli import products, stock
from concierge.config import Config, read_config
from concierge.db import make_sessions
from concierge.demo import house
from concierge.demo.cli import demo_command
from concierge.errors import ConciergeError
from concierge.inbound.sources.files import import_command
from concierge.lines import Queue
from concierge.options import Group
from concierge.welcome import welcome

_PORT = click.IntRange(1, 65535)


class Sentences(Group):
    """A group whose commands end with our errors' sentences instead of tracebacks."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours is printed as its sentence, with exit code 1."""
        try:
            return super().invoke(ctx)
        except ConciergeError as error:
            raise click.ClickException(str(error) or error.sentence()) from error


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="concierge")
def main() -> None:
    """The email assistant of a fashion house. Settings: CONCIERGE_… variables, or a file .env; see .env.example."""
    logs.set_up()


@main.command()
@click.option("--host", help="Where the pages are served [127.0.0.1].")
@click.option("--port", type=_PORT, help="The pages' port [8000].")
@click.option("--smtp-port", type=_PORT, help="The mail door's port [2525].")
@click.option("--lmtp-port", type=_PORT, help="A port for LMTP, beside the mail door's [none].")
@click.option("--data", type=click.Path(path_type=Path), help="The folder everything is kept in [data].")
@click.option("--demo/--no-demo", default=None, help="Furnish the demo house on the first start [yes].")
def run(**options: Any) -> None:
    """Run the whole house: pages, worker and mail door, until Ctrl-C."""
    from concierge.running import House

    config = read_config(**options)
    # Calm on the screen: the parts of the house speak up only when something is wrong.
    logs.set_up(config.log, level=logging.WARNING)
    starting.require_place(config)
    starting.require_database(config)
    clock.follow(config.clock_file)
    _furnish(config)
    with _session(config) as session:
        greeting = welcome(session, config)
    House(config).run(lambda: click.echo(greeting))
    click.echo("Closed. Everything is kept.")
    lifeline.leave()


@main.command()
def web() -> None:
    """Serve the pages only."""
    from concierge.serving import serve_pages

    serve_pages(_ready_config())


@main.command()
@click.option("--queue", "queues", multiple=True, type=click.Choice([each.value for each in Queue]),
              help="With a broker: do this kind of work only; may be repeated [all].")  # fmt: skip
@click.option("--processes", type=click.IntRange(1, 256), help="With a broker: in so many processes [one a core].")
def worker(queues: tuple[str, ...], processes: int | None) -> None:
    """Run the worker only: files mail, sends what is due; with CONCIERGE_BROKER_URL, what the clock hands out."""
    config = _ready_config()
    if not config.broker_url.get_secret_value():
        if queues or processes:
            raise click.UsageError("--queue and --processes are for many machines; set CONCIERGE_BROKER_URL.")
        from concierge.worker import work

        return work(config)
    from concierge.cluster import do_tasks

    raise SystemExit(do_tasks(config, queues=queues, processes=processes))


@main.command(name="clock")
def clock_command() -> None:
    """Run the clock of many machines only: hands out what is due to the workers (needs CONCIERGE_BROKER_URL)."""
    from concierge.cluster import keep_clock

    keep_clock(_ready_config())


@main.command()
def door() -> None:
    """Keep the mail door open only: takes mail by SMTP, and by LMTP if configured."""
    from concierge.inbound.sources.smtp import run_door

    run_door(_ready_config())


@main.command()
def migrate() -> None:
    """Bring the database to this program's version."""
    config = read_config()
    starting.require_database(config)
    schema.migrate(config)
    click.echo("The database is up to date.")


@main.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Try everything configured, and say what works and how to mend what does not."""
    from concierge.checking import check_all

    findings = []
    for finding in check_all(read_config()):
        mark = click.style("works" if finding.works else "FAILS", fg="green" if finding.works else "red")
        click.echo(f"{mark}  {finding.name:<10} {finding.words}")
        findings.append(finding)
    context.exit(0 if all(finding.works for finding in findings) else 1)


@main.command()
@click.argument("to", type=click.Path(path_type=Path))
def backup(to: Path) -> None:
    """Copy the house, database and files, into the new folder TO, and count the copy."""
    from concierge.backups import back_up

    manifest = back_up(read_config(), to, now=clock.now())
    click.echo(f"{to} holds {manifest.words}, counted. Keep it as safe as the house itself: it holds its keys.")


@main.command()
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Only read the backup through, and say whether it is whole.")
def restore(source: Path, check: bool) -> None:
    """Put a backup into an empty place, and count it. It sends nothing until an admin opens its outbox."""
    from concierge.backups import check_backup
    from concierge.restoring import restore as put_back

    if check:
        return click.echo(f"Whole: {check_backup(source).words}.")
    manifest = put_back(read_config(), source, now=clock.now())
    click.echo(f"Restored and counted: {manifest.words}.")
    click.echo("No mail leaves until an admin says so, on the page Mail out.")
    return None


@main.group()
def outbox() -> None:
    """The outbox as a whole."""


@outbox.command()
def shut() -> None:
    """Let no mail leave until an admin opens it on the page Mail out: for a copy of a house, before it is started."""
    from concierge.restoring import shut_house

    shut_house(read_config(), now=clock.now())
    click.echo("No mail leaves until an admin says so, on the page Mail out.")


main.add_command(import_command)
main.add_command(staffing.editor)
main.add_command(staffing.mailbox)
main.add_command(products)
main.add_command(stock)
main.add_command(api_key)
main.add_command(demo_command)


def _ready_config() -> Config:
    """The configuration of a part that runs by itself, and its log set up as that says."""
    config = starting.ready_config()
    logs.set_up(config.log)
    return config


def _furnish(config: Config) -> None:
    """Bring the database to this program's version; fill an empty house with the demo, if that is wanted."""
    schema.migrate(config)
    with _session(config) as session:
        is_empty = house.is_empty(session)
        if config.demo and (is_empty or house.is_furnished(session)):
            if is_empty:
                click.echo("Furnishing the demo house …")
            house.furnish(
                session, blobs.open_store(config), now=clock.now(), shop=f"{config.base_url}/shop/", config=config
            )
            session.commit()


@contextmanager
def _session(config: Config) -> Iterator[Session]:
    """A session whose connections are gone afterwards: the parts of the house are forked from this process."""
    sessions = make_sessions(config)
    with sessions() as session:
        yield session
    sessions.kw["bind"].dispose()
