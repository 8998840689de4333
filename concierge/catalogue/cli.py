"""`concierge stock import` and `concierge products import`: shown first, applied when one says yes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from concierge import clock, schema
from concierge.blobs import open_store
from concierge.catalogue.bringing import Brought, CatalogueChanged, bring_products
from concierge.catalogue.forms import FAULT_WORDS, PRODUCT_FAULT_WORDS
from concierge.catalogue.imports import apply_import, discard_import, propose_import, wants_a_look
from concierge.catalogue.product_sheets import read_products
from concierge.catalogue.products import ReportedAs
from concierge.catalogue.stock_models import ImportRun
from concierge.config import Config, read_config
from concierge.db import make_sessions
from concierge.options import Group

_ROWS: Final = 40


@click.group(cls=Group)
def stock() -> None:
    """What the shop has."""


@stock.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--location", help="Where the units are, for lines that don't say [online].")
@click.option("--complete", is_flag=True, help="It counts everything there: what it leaves out is sold out.")
@click.option(
    "--as-of", type=click.DateTime(), help="When it was counted, by the house's clock [when the file was written]."
)
@click.option("--yes", is_flag=True, help="Apply without asking; jumps then wait for a merchandiser.")
@click.option("--data", type=click.Path(path_type=Path), help="The data folder [data].")
def import_stock(
    *, file: Path, location: str | None, complete: bool, as_of: datetime | None, yes: bool, data: Path | None
) -> None:
    """Take in a CSV FILE with the columns SKU and Units, and perhaps Location and As of."""
    config = read_config(data=data)
    schema.require_current(config)
    counted = as_of.replace(tzinfo=config.policy.zone) if as_of else datetime.fromtimestamp(file.stat().st_mtime, UTC)
    sessions, store = make_sessions(config), open_store(config)
    with sessions() as session:
        run = propose_import(
            session,
            store,
            file.read_bytes(),
            source="command",
            name=file.name,
            location=location or config.policy.shop_location,
            zone=config.policy.zone,
            as_of=counted,
            is_complete=complete,
            by=None,
            now=clock.now(),
        )
        session.commit()
        _show(run)
        if _is_wanted(run, config, is_unattended=yes):
            apply_import(session, store, run, by=None, now=clock.now(), policy=config.policy, approved=not yes)
            session.commit()
            click.echo("Applied.")
        elif not yes:
            discard_import(session, run, by=None, now=clock.now())
            session.commit()
            click.echo("Nothing was changed.")
    sessions.kw["bind"].dispose()


@click.group(cls=Group)
def products() -> None:
    """What the shop sells."""


@products.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Apply without asking.")
@click.option("--data", type=click.Path(path_type=Path), help="The data folder [data].")
def import_products(*, file: Path, yes: bool, data: Path | None) -> None:
    """Make and change products by a CSV FILE, a line for each SKU, with the columns Code and SKU and what there is
    to say: Name, Description (in a language: Name it), Designer, Category, Price, Currency, Colour, Size, Size system,
    Season, Tags, Link. An empty cell says nothing."""
    config = read_config(data=data)
    schema.require_current(config)
    policy, now = config.policy, clock.now()
    sheet = read_products(file.read_bytes(), language=policy.shop_language, currency=policy.shop_currency)
    sessions = make_sessions(config)
    with sessions() as session:
        shown = bring_products(session, sheet, source="command", now=now, policy=policy)
        session.rollback()
        _show_products(shown)
        if shown.is_news and (yes or click.confirm("Apply?", default=True)):
            if bring_products(session, sheet, source="command", now=now, policy=policy) != shown:
                raise CatalogueChanged
            session.commit()
            click.echo("Applied.")
        else:
            click.echo("Nothing was changed.")
    sessions.kw["bind"].dispose()


def _show_products(brought: Brought) -> None:
    tally, console = brought.tally, Console()
    console.print(
        f"Products: {tally[ReportedAs.ADDED]} new, {tally[ReportedAs.CHANGED]} changed,"
        f" {tally[ReportedAs.SAME]} as they were."
    )
    table = Table("Product", "", "What", box=None)
    news = [each for each in brought.done if each[1] is not ReportedAs.SAME]
    for code, state, changed in news[:_ROWS]:
        table.add_row(Text(code), state.value, Text(", ".join(changed)))
    if table.row_count:
        console.print(table)
    if (more := len(news) - table.row_count) > 0:
        console.print(f"… and {more} more.")
    if count := len(brought.faults):
        whose = "1 fault; its product is" if count == 1 else f"{count} faults; their products are"
        console.print(f"{whose} left as before:", style="yellow")
    for fault in brought.faults[:_ROWS]:
        said = f"  line {fault.line}: {PRODUCT_FAULT_WORDS[fault.fault]}" + (f" ({fault.value})" if fault.value else "")
        console.print(said, style="yellow", markup=False, highlight=False)
    if (more := len(brought.faults) - _ROWS) > 0:
        console.print(f"  … and {more} more faults.", style="yellow")


def _is_wanted(run: ImportRun, config: Config, *, is_unattended: bool) -> bool:
    vanishes = wants_a_look(run, config.policy)
    if is_unattended:
        if vanishes:
            click.echo("It leaves out so much that it may be cut short; it waits for a merchandiser.")
        return not vanishes
    question = "It leaves out a great deal. Apply it all the same?" if vanishes else "Apply?"
    return click.confirm(question, default=not vanishes)


def _show(run: ImportRun) -> None:
    outcome, console = run.outcome, Console()
    console.print(
        f"{outcome['lines']} lines: {outcome['changed']} change something, {outcome['same']} don't,"
        f" {outcome['late']} are older than what we know, {outcome['unknown']} name no product of ours,"
        f" {outcome['missing']} left out, {outcome['wrong']} can't be read."
    )
    table = Table("SKU", "Location", "Before", "After", box=None)
    for sku, location, before, after, _kind in outcome["changes"][:_ROWS]:
        table.add_row(sku, location, str(before), str(after))
    if table.row_count:
        console.print(table)
    if (more := outcome["changed"] + outcome["missing"] - table.row_count) > 0:
        console.print(f"… and {more} more.")
    for fault in outcome["faults"][:_ROWS]:
        words, value = FAULT_WORDS.get(fault["fault"], fault["fault"]), fault["value"]
        said = f"  line {fault['line']}: {words}" + (f" ({value})" if value else "")
        console.print(said, style="yellow", markup=False, highlight=False)
    if (more := outcome["wrong"] - min(_ROWS, len(outcome["faults"]))) > 0:
        console.print(f"  … and {more} more lines that can't be used.", style="yellow")
