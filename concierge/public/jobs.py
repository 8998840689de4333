"""What the customers' side does by itself: it forgets requests nobody confirmed."""

from datetime import timedelta

from sqlalchemy.orm import Session

from concierge import clock
from concierge.config import Config
from concierge.db import Sessions, reading
from concierge.setbacks import resting
from concierge.wishes import requests
from concierge.working import work_each


def forget_requests(config: Config, sessions: Sessions) -> int:
    """Delete requests for wishes that are older than the house keeps them; how many."""
    job, kept, now = "public.forget_requests", timedelta(days=config.policy.wish_request_kept_days), clock.now()

    def forget(session: Session, request_id: int) -> bool:
        return requests.forget_requests(session, kept=kept, now=now, only=request_id) > 0

    with reading(sessions) as session:
        old = requests.list_old(session, kept=kept, now=now, but=resting(job, now))
    return work_each(sessions, job, old, forget)
