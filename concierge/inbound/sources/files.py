"""`concierge import PATH…`: mails from .eml files, mbox files, Maildirs and folders; may be stopped and repeated."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from concierge import clock, schema
from concierge.accounts.queries import find_mailbox
from concierge.blobs import BlobStore, open_store
from concierge.config import Config, read_config
from concierge.db import Sessions, make_sessions
from concierge.inbound import queries
from concierge.inbound.commands import accept_mail
from concierge.options import Command

_AT_ONCE = 25


@dataclass(frozen=True, slots=True)
class FoundMail:
    """One mail in a file: where, and its bytes, or why it can't be taken."""

    place: str
    raw: bytes = b""
    fault: str = ""


def find_files(paths: tuple[Path, ...]) -> list[Path]:
    """Return every file to be read below *paths*, each once, in order; of a Maildir those in cur and new."""
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(each for each in path.rglob("*") if _may_hold_mail(each)) if path.is_dir() else [path]
        found |= dict.fromkeys(each.resolve() for each in inside)
    return list(found)


def _may_hold_mail(path: Path) -> bool:
    """Whether a file found in a folder is one of those we read; what is named by itself is always tried."""
    if not path.is_file() or path.name.startswith(".") or path.name == "maildirfolder":
        return False
    if path.parent.name == "tmp" and (path.parent.parent / "cur").is_dir():
        return False  # a Maildir's half-written mail
    if path.suffix.lower() in {".eml", ".mbox", ".mbx"} or path.parent.name in {"cur", "new"}:
        return True
    try:
        with path.open("rb") as file:
            return file.read(5) == b"From "
    except OSError:
        return True  # to be named among those that can't be read


def read_mails(path: Path, *, most_bytes: int) -> Iterator[FoundMail]:
    """Yield the mails in one file: those of an mbox, else the file itself."""
    try:
        with path.open("rb") as file:
            is_mbox = file.read(5) == b"From "
        if is_mbox:
            yield from _split_mbox(path, most_bytes)
        elif path.stat().st_size > most_bytes:
            yield FoundMail(str(path), fault="too large")
        elif not (raw := path.read_bytes()).strip():
            yield FoundMail(str(path), fault="empty")
        else:
            yield FoundMail(str(path), raw)
    except OSError as error:
        yield FoundMail(str(path), fault=error.strerror or "not readable")


def _split_mbox(path: Path, most_bytes: int) -> Iterator[FoundMail]:
    """Each mail begins with a "From " line at the start or after an empty line; ">From " inside was "From "."""
    lines: list[bytes] = []
    size, number, after_gap = 0, 0, True
    with path.open("rb") as file:
        for line in _long_lines(file):
            if after_gap and line.startswith(b"From "):
                if number:
                    yield _mbox_mail(path, number, lines, size, most_bytes)
                lines, size, number = [], 0, number + 1
            else:
                size += len(line)
                if size <= most_bytes:
                    lines.append(line[1:] if line.lstrip(b">").startswith(b"From ") and line[:1] == b">" else line)
            after_gap = line in (b"\n", b"\r\n")
    yield _mbox_mail(path, number, lines, size, most_bytes)


def _long_lines(file: object) -> Iterator[bytes]:
    """Lines of at most a megabyte, so that a file without line ends does not fill the memory."""
    while line := file.readline(1024 * 1024):  # type: ignore[attr-defined]
        yield line


def _mbox_mail(path: Path, number: int, lines: list[bytes], size: int, most_bytes: int) -> FoundMail:
    place = f"{path}, mail {number}"
    if size > most_bytes:
        return FoundMail(place, fault="too large")
    raw = b"".join(lines)
    # The empty line before the next "From " belongs to the mbox, not to the mail.
    for gap in (b"\r\n", b"\n"):
        raw = raw.removesuffix(gap) if raw.endswith(gap + gap) else raw
    return FoundMail(place, raw) if raw.strip() else FoundMail(place, fault="empty")


@dataclass(frozen=True)
class Importer:
    """Takes mails into the house; each once, by its bytes."""

    sessions: Sessions
    store: BlobStore
    recipients: tuple[str, ...]

    def take(self, mails: list[FoundMail]) -> Counter[str]:
        """Take a handful in one transaction; returns how many were taken, and how many were here already."""
        outcome: Counter[str] = Counter()
        seen: set[str] = set()
        with self.sessions() as session:
            for mail in mails:
                key = hashlib.sha256(mail.raw).hexdigest()  # what blobs are kept under
                if key in seen or queries.is_here(session, key):
                    outcome["here"] += 1
                    continue
                seen.add(key)
                accept_mail(
                    session,
                    self.store,
                    mail.raw,
                    source="import",
                    envelope_from=None,
                    recipients=self.recipients,
                    now=clock.now(),
                )
                outcome["taken"] += 1
            session.commit()
        return outcome


@click.command("import", cls=Command)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--mailbox", help="File all of it in this mailbox, whomever it was addressed to.")
@click.option("--data", type=click.Path(path_type=Path), help="The data folder [data].")
def import_command(paths: tuple[Path, ...], mailbox: str | None, data: Path | None) -> None:
    """Take in mails from .eml files, mbox files, Maildirs and folders of these.

    May be stopped at any time and started again: what is here already is not taken twice.
    """
    config = read_config(data=data)
    schema.require_current(config)
    sessions = make_sessions(config)
    importer = Importer(sessions, open_store(config), _recipients(sessions, mailbox))
    console = Console()
    outcome, faults = _import_all(importer, find_files(paths), config, console)
    console.print(f"{outcome['taken']} taken, {outcome['here']} here already, {len(faults)} not readable.")
    if outcome["taken"]:
        console.print("The page “Mail in” says what became of each: filed, set aside, or in quarantine.")
    for fault in faults[:50]:
        console.print(f"  {fault.place}: {fault.fault}", style="yellow", markup=False, highlight=False)
    sessions.kw["bind"].dispose()


def _recipients(sessions: Sessions, mailbox: str | None) -> tuple[str, ...]:
    if mailbox is None:
        return ()
    with sessions() as session:
        found = find_mailbox(session, mailbox)
    if found is None:
        raise click.BadParameter(f"there is no mailbox {mailbox}", param_hint="--mailbox")
    return (found.address,)


def _import_all(
    importer: Importer, files: list[Path], config: Config, console: Console
) -> tuple[Counter[str], list[FoundMail]]:
    outcome: Counter[str] = Counter()
    faults: list[FoundMail] = []
    waiting: list[FoundMail] = []
    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TextColumn("files"), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        for path in progress.track(files):
            for mail in read_mails(path, most_bytes=config.max_mail_bytes):
                if mail.fault:
                    faults.append(mail)
                    continue
                waiting.append(mail)
                if len(waiting) >= _AT_ONCE:
                    outcome += importer.take(waiting)
                    waiting = []
        outcome += importer.take(waiting)
    return outcome, faults
