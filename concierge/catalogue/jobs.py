"""Takes in the stock files that are put into the watched folder, once nobody writes to them any more."""

import logging
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy.exc import OperationalError

from concierge import clock
from concierge.blobs import open_store
from concierge.catalogue.imports import apply_import, propose_import, wants_a_look
from concierge.catalogue.ledger import Undone, list_undone
from concierge.config import Config
from concierge.db import Sessions
from concierge.errors import ConciergeError
from concierge.setbacks import words_for

log = logging.getLogger(__name__)

# Nobody has written to a file for so long: it is whole.
SETTLED_SECONDS: Final = 5.0
# A file taken in hand by a worker that died is taken up again after this.
_LEASE_SECONDS: Final = 600.0
# Files whose name begins so count everything there is at the locations they name.
COMPLETE: Final = ("full", "complete", "completo")


def read_stock_folder(config: Config, sessions: Sessions) -> int:
    """Take in what lies in the folder; returns how many files were read. Each ends in done/, or in failed/ with why."""
    folder = config.stock_folder
    if folder is None or not folder.is_dir():
        return 0
    _take_up_again(folder)
    return sum(_read_file(config, sessions, path) for path in sorted(folder.iterdir()) if _is_settled(path))


def _is_settled(path: Path) -> bool:
    """Whether it is a file to read that has not been written to for a while."""
    if path.name.startswith(".") or path.suffix.lower() not in {".csv", ".txt", ".tsv"}:
        return False
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return path.is_file() and time.time() - found.st_mtime >= SETTLED_SECONDS


def _read_file(config: Config, sessions: Sessions, path: Path) -> bool:
    """Take one file in hand (moving it is the claim: one worker only succeeds), read it, and put it away."""
    taken = _move(path, path.parent / "reading")
    if taken is None:
        return False
    os.utime(taken, (time.time(), taken.stat().st_mtime))
    try:
        words = _apply(config, sessions, taken)
    except OperationalError:
        _move(taken, path.parent)
        raise
    except Exception as error:
        ours = isinstance(error, ConciergeError | OSError)
        said = (type(error).__doc__ or "").strip() if isinstance(error, ConciergeError) else ""
        words = (str(error) if ours else "") or said or words_for(error)
        log.warning("stock file %s was not taken in: %s", path.name, words, exc_info=not ours)
        failed = _move(taken, path.parent / "failed")
        if failed is not None:
            failed.with_name(failed.name + ".reason.txt").write_text(words + "\n", encoding="utf-8")
        return True
    log.info("stock file %s: %s", path.name, words)
    _move(taken, path.parent / "done")
    return True


def _apply(config: Config, sessions: Sessions, path: Path) -> str:
    """What became of it, in a few words. What may be a file cut short is left for a merchandiser to look at."""
    now = clock.now()
    store = open_store(config)
    with sessions() as session:
        run = propose_import(
            session,
            store,
            path.read_bytes(),
            source="folder",
            name=path.name,
            location=config.policy.shop_location,
            zone=config.policy.zone,
            as_of=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            is_complete=path.name.lower().startswith(COMPLETE),
            by=None,
            now=now,
        )
        session.flush()
        waits = wants_a_look(run, config.policy)
        if not waits:
            apply_import(session, store, run, by=None, now=now, policy=config.policy, approved=False)
        session.commit()
        jumps = list_undone(session, [run]).get(run.id, Undone()).waiting
        words = [f"{run.outcome['changed']} changed", f"{run.outcome['missing']} left out"]
    if jumps:
        words.append(f"of these {jumps} so large that a merchandiser is asked first")
    return ", ".join([*words, "waits for a merchandiser"] if waits else words)


def _take_up_again(folder: Path) -> None:
    for path in (folder / "reading").glob("*"):
        if path.is_file() and time.time() - path.stat().st_atime > _LEASE_SECONDS:
            _move(path, folder)


def _move(path: Path, folder: Path) -> Path | None:
    """Move a file into a folder, beside what has its name there already; None when somebody else was quicker."""
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    number = 1
    while target.exists():
        number += 1
        target = folder / f"{path.stem}-{number}{path.suffix}"
    try:
        path.rename(target)
    except FileNotFoundError:
        return None
    return target
