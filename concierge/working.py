"""How a job works its rows: each in a transaction of its own, and one that fails holds up none of the others.

With many machines a run is about a share of the rows: the clock's looks only note which are due, and a task works
those it was given (`handing.py`). A job need not know; one that claims its rows by itself asks `given`.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar, cast

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concierge import clock, closing, setbacks
from concierge.db import Sessions, reading

log = logging.getLogger(__name__)

# How long one look may take; what is left is looked at next time.
SECONDS = 5.0
Item = TypeVar("Item")


@dataclass
class Share:
    """Which of its job's rows a run is about: those it was given; None: it only looks, and notes which are due."""

    rows: frozenset[int] | None = None
    due: list[int] = field(default_factory=list)


_SHARE: ContextVar[Share | None] = ContextVar("share", default=None)


@contextmanager
def sharing(rows: Collection[int] | None) -> Iterator[Share]:
    """Run a job in this block for these rows alone; None: for none, which are due is noted in `due`."""
    share = Share(None if rows is None else frozenset(rows))
    token = _SHARE.set(share)
    try:
        yield share
    finally:
        _SHARE.reset(token)


def given(find: Callable[[], Collection[int]]) -> Collection[int] | None:
    """The rows this run is to work, none while it only looks; None: whatever is due. `find` says which are due."""
    if (share := _SHARE.get()) is None:
        return None
    if share.rows is None:
        share.due += find()
    return share.rows or ()


def work_each(sessions: Sessions, job: str, items: Iterable[Item], act: Callable[[Session, Item], object]) -> int:
    """Act on each in a transaction of its own, for a few seconds at most; how many were done.

    An item is a row's number, or a tuple that begins with it. `act` returns False where there was nothing to do. Raises
    OperationalError: a database that is busy or away is no row's fault.
    """

    def do(item: Item) -> bool:
        with sessions() as session:
            done = act(session, item) is not False
            session.commit()
        return done

    return try_each(sessions, job, items, do)


def try_each(sessions: Sessions, job: str, items: Iterable[Item], do: Callable[[Item], object]) -> int:
    """The same for a `do` that opens and commits its own transactions; it may return a number of things done."""
    done, latest = 0, time.monotonic() + SECONDS
    failed: set[int] | None = None
    for item in _ours(items):
        if time.monotonic() > latest or closing.TOLD.is_set():
            break
        if failed is None:
            with reading(sessions) as session:
                failed = setbacks.list_failed(session, job)
        row_id = _number(item)
        try:
            done += cast("int", do(item))
        except OperationalError:
            raise
        except Exception as error:
            note_setback(sessions, job, row_id, error)
            continue
        if row_id in failed:
            with sessions() as session:
                setbacks.forget(session, job, row_id)
                session.commit()
    return done


def note_setback(sessions: Sessions, job: str, row_id: int, error: Exception) -> None:
    """Write down that the job failed at this row."""
    log.error("%s failed at row %d", job, row_id, exc_info=error, extra={"row": row_id})
    with sessions() as session:
        setbacks.note(session, job, row_id, error, now=clock.now())
        session.commit()


def _ours(items: Iterable[Item]) -> Iterable[Item]:
    rows = given(lambda: [_number(item) for item in items])
    return items if rows is None else [item for item in items if _number(item) in rows]


def _number(item: object) -> int:
    return cast("int", item[0] if isinstance(item, tuple) else item)
