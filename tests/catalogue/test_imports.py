"""Counts brought as files: the difference that is shown, applied exactly or not at all; by page, command and folder."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.orm import Session

from concierge import clock
from concierge.blobs import BlobStore
from concierge.catalogue import jobs, stock
from concierge.catalogue.imports import (
    WorldChanged,
    apply_import,
    discard_import,
    look_again,
    propose_import,
    wants_a_look,
)
from concierge.catalogue.levels import Report
from concierge.catalogue.purchases import PurchaseReport, report_purchase
from concierge.catalogue.queries import count_available
from concierge.catalogue.sheets import NotASheet
from concierge.catalogue.stock_models import (
    AlreadyDecided,
    ImportRun,
    ImportRunState,
    Restock,
    StockEvent,
    StockEventState,
    StockReport,
)
from concierge.cli import main
from concierge.config import Config, Policy
from concierge.db import Sessions
from tests.catalogue.builders import make_product
from tests.factories import HOUR, MINUTE, NOW

LATER = NOW + HOUR
POLICY = Policy()
FILE = b"sku,units\nCAL-TUR-36,2\nCAL-TUR-37,1\nNOBODY,3\nCAL-TUR-38,many\n"


def propose(session: Session, store: BlobStore, data: bytes = FILE, *, as_of: datetime = LATER, full: bool = False):
    run = propose_import(
        session, store, data, source="page", name="stock.csv", location="online", zone=POLICY.zone, as_of=as_of,
        is_complete=full, by=None, now=LATER,
    )  # fmt: skip
    session.flush()
    return run


def apply(session: Session, store: BlobStore, run: ImportRun, *, approved: bool = True) -> None:
    apply_import(session, store, run, by=None, now=LATER, policy=POLICY, approved=approved)


def on_hand(session: Session) -> list[int]:
    skus = [f"CAL-TUR-{size}" for size in (36, 37, 38)]
    counted = count_available(session, skus)
    return [counted[sku] for sku in skus]


def test_a_count_is_shown_before_it_counts(session: Session, store: BlobStore) -> None:
    make_product(session)
    run = propose(session, store)
    tally = {name: run.outcome[name] for name in ("lines", "changed", "same", "unknown", "missing", "wrong")}
    assert tally == {"lines": 4, "changed": 1, "same": 1, "unknown": 1, "missing": 0, "wrong": 1}
    assert run.outcome["changes"] == [["CAL-TUR-36", "online", 0, 2, "changed"]]
    assert run.outcome["unknown_skus"] == ["NOBODY"]
    assert on_hand(session) == [0, 1, 4]
    apply(session, store, run)
    assert on_hand(session) == [2, 1, 4]
    assert session.scalars(sa.select(StockEvent.import_run_id)).all() == [run.id]
    assert session.scalars(sa.select(Restock.units)).all() == [2]
    with pytest.raises(AlreadyDecided):
        apply(session, store, run)


def test_what_was_shown_is_done_or_nothing_is(session: Session, store: BlobStore) -> None:
    make_product(session)
    run = propose(session, store)
    session.commit()
    changed = Report("shop", "1", "CAL-TUR-36", "online", StockReport.SNAPSHOT, 1, NOW + MINUTE)
    stock.report_stock(session, changed, now=LATER, policy=POLICY)
    session.commit()
    with pytest.raises(WorldChanged):
        apply(session, store, run)
    session.rollback()
    assert on_hand(session) == [1, 1, 4]
    look_again(session, store, run)
    apply(session, store, run)
    assert on_hand(session) == [2, 1, 4]


def test_a_full_count_takes_away_what_it_leaves_out(session: Session, store: BlobStore) -> None:
    make_product(session)
    run = propose(session, store, b"sku,units\nCAL-TUR-37,1\n", full=True)
    assert run.outcome["changes"] == [["CAL-TUR-38", "online", 4, 0, "missing"]]
    assert wants_a_look(run, POLICY)
    apply(session, store, run)
    assert on_hand(session) == [0, 1, 0]


def test_a_full_count_of_one_place_says_nothing_of_another(session: Session, store: BlobStore) -> None:
    make_product(session)
    run = propose(session, store, b"sku,units,location\nCAL-TUR-37,1,Milano\n", full=True)
    assert run.outcome["missing"] == 0


def test_an_old_file_changes_nothing(session: Session, store: BlobStore) -> None:
    make_product(session)
    run = propose(session, store, as_of=NOW - HOUR)
    assert (run.outcome["late"], run.outcome["changed"]) == (2, 0)
    apply(session, store, run)
    assert on_hand(session) == [0, 1, 4]


def test_units_that_moved_after_the_count_stay_moved(session: Session, store: BlobStore) -> None:
    make_product(session)
    moved = Report("shop", "1", "CAL-TUR-36", "online", StockReport.DELTA, 3, LATER)
    stock.report_stock(session, moved, now=LATER, policy=POLICY)
    run = propose(session, store, as_of=NOW + MINUTE)
    assert run.outcome["changes"] == [["CAL-TUR-36", "online", 3, 5, "changed"]]
    apply(session, store, run)
    assert on_hand(session) == [5, 1, 4]


def test_a_count_that_changes_nothing_still_settles_what_was_sold(session: Session, store: BlobStore) -> None:
    make_product(session)
    report_purchase(session, PurchaseReport("shop", "S-1", "CAL-TUR-38", NOW + MINUTE), now=LATER)
    assert on_hand(session) == [0, 1, 3]
    apply(session, store, propose(session, store, b"sku,units\nCAL-TUR-38,4\n"))
    assert on_hand(session) == [0, 1, 4]


def test_what_nobody_looked_at_waits_where_it_jumps(session: Session, store: BlobStore) -> None:
    make_product(session)
    apply(session, store, propose(session, store, b"sku,units\nCAL-TUR-36,999\n"), approved=False)
    event = session.scalars(sa.select(StockEvent)).one()
    assert (event.state, on_hand(session)[0]) == (StockEventState.WAITING, 0)


def test_a_discarded_count_is_gone(session: Session, store: BlobStore) -> None:
    make_product(session)
    run = propose(session, store)
    discard_import(session, run, by=None, now=LATER)
    assert run.state is ImportRunState.DISCARDED
    for verb in (lambda: apply(session, store, run), lambda: look_again(session, store, run)):
        with pytest.raises(AlreadyDecided):
            verb()


@pytest.fixture
def folder(config: Config, session: Session, tmp_path: Path) -> Path:
    make_product(session)
    session.commit()
    config.stock_folder = tmp_path / "stock"
    config.stock_folder.mkdir()
    return config.stock_folder


def put(folder: Path, name: str, data: bytes, *, age: timedelta = MINUTE) -> Path:
    path = folder / name
    path.write_bytes(data)
    written = (clock.now() - age).timestamp()
    os.utime(path, (written, written))
    return path


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_in_the_folder_is_taken_in_once_it_is_whole(
    folder: Path, config: Config, session: Session, sessions: Sessions
) -> None:
    put(folder, "half.csv", FILE[:20], age=timedelta(0))
    put(folder, "stock.csv", FILE)
    put(folder, "picture.jpg", b"")
    assert jobs.read_stock_folder(config, sessions) == 1
    assert left(folder) == ["done/stock.csv", "half.csv", "picture.jpg"]
    assert on_hand(session)[0] == 2
    session.rollback()
    put(folder, "stock.csv", FILE)
    jobs.read_stock_folder(config, sessions)
    assert left(folder) == ["done/stock-2.csv", "done/stock.csv", "half.csv", "picture.jpg"]


def test_a_file_that_cant_be_read_lies_beside_its_reason(folder: Path, config: Config, sessions: Sessions) -> None:
    put(folder, "notes.csv", b"to do: count the sandals")
    assert jobs.read_stock_folder(config, sessions) == 1
    assert left(folder) == ["failed/notes.csv", "failed/notes.csv.reason.txt"]
    assert (folder / "failed/notes.csv.reason.txt").read_text() == f"{NotASheet.__doc__}\n"


def test_a_jump_in_a_file_of_the_folder_is_said_to_wait(
    folder: Path, config: Config, sessions: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    put(folder, "stock.csv", b"sku,units\nCAL-TUR-36,2\nCAL-TUR-37,999\n")
    with caplog.at_level("INFO", logger="concierge.catalogue.jobs"):
        assert jobs.read_stock_folder(config, sessions) == 1
    assert "2 changed, 0 left out, of these 1 so large that a merchandiser is asked first" in caplog.text


def test_a_full_count_cut_short_waits_for_somebody(
    folder: Path, config: Config, session: Session, sessions: Sessions
) -> None:
    put(folder, "full-stock.csv", b"sku,units\nCAL-TUR-37,1\n")
    jobs.read_stock_folder(config, sessions)
    assert session.scalars(sa.select(ImportRun.state)).all() == [ImportRunState.PROPOSED]
    assert on_hand(session) == [0, 1, 4]


def test_the_file_of_a_worker_that_died_is_taken_up_again(
    folder: Path, config: Config, session: Session, sessions: Sessions
) -> None:
    (folder / "reading").mkdir()
    put(folder / "reading", "stock.csv", FILE, age=HOUR)
    assert jobs.read_stock_folder(config, sessions) == 1
    assert left(folder) == ["done/stock.csv"]


def test_the_command_shows_and_asks(config: Config, session: Session, tmp_path: Path, monkeypatch) -> None:
    make_product(session)
    session.commit()
    monkeypatch.setenv("CONCIERGE_DATABASE_URL", config.database_url)
    file = put(tmp_path, "stock.csv", FILE)
    command = ["stock", "import", str(file), "--data", str(config.data)]
    file.write_bytes(file.read_bytes() + b"CAL-TUR-37,1.000\n")
    no = CliRunner().invoke(main, command, input="n\n")
    assert "a thousand, or one with three decimals?" in " ".join(no.output.split()) and "ambiguous" not in no.output
    assert "1 change something" in no.output
    assert "Nothing was changed." in no.output
    assert on_hand(session)[0] == 0
    session.rollback()
    assert "Applied." in CliRunner().invoke(main, [*command, "--yes"]).output
    assert on_hand(session)[0] == 2


def test_what_stands_in_a_line_nobody_can_read_is_not_sold_out(session: Session, store: BlobStore) -> None:
    make_product(session)
    run = propose(session, store, b"sku,units\nCAL-TUR-36,2\nCAL-TUR-38,1.000\n", full=True)
    assert [change[0] for change in run.outcome["changes"] if change[4] == "missing"] == ["CAL-TUR-37"]
    assert [fault["fault"] for fault in run.outcome["faults"]] == ["ambiguous"]
