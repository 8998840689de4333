"""Keeping what browsers report of our pages: counted, and no more kinds of it than anybody reads."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from concierge.operations.models import Breach

MOST_KEPT = 200
KEPT = timedelta(days=30)  # after the last of its kind


def note_breaches(session: Session, found: Iterable[tuple[str, str, str]], *, now: datetime) -> None:
    """Count each (page, directive, blocked); of more than 200 kinds those are kept that were seen last."""
    for kind, times in Counter(found).items():
        if not _count(session, kind, times, now):
            try:
                with session.begin_nested():
                    page, directive, blocked = kind
                    session.add(
                        Breach(page=page, directive=directive, blocked=blocked, count=times, first_at=now, last_at=now)
                    )
            except IntegrityError:  # the same a moment ago, in another thread
                _count(session, kind, times, now)
    newest = sa.select(Breach.id).order_by(Breach.last_at.desc(), Breach.id.desc()).limit(MOST_KEPT)
    session.execute(sa.delete(Breach).where((Breach.last_at < now - KEPT) | Breach.id.not_in(newest)))


def _count(session: Session, kind: tuple[str, str, str], times: int, now: datetime) -> bool:
    page, directive, blocked = kind
    same = (Breach.page == page, Breach.directive == directive, Breach.blocked == blocked)
    counted = sa.update(Breach).where(*same).values(count=Breach.count + times, last_at=now).returning(Breach.id)
    return session.scalar(counted) is not None
