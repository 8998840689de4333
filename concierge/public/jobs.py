"""What the customers' side does by itself: it forgets requests nobody confirmed."""

from datetime import timedelta

from concierge import clock
from concierge.config import Config
from concierge.db import Sessions, reading
from concierge.wishes import requests


def forget_requests(config: Config, sessions: Sessions) -> int:
    """Delete requests for wishes that are older than the house keeps them; how many."""
    kept, now = timedelta(days=config.policy.wish_request_kept_days), clock.now()
    with reading(sessions) as session:
        if not requests.is_any_old(session, kept=kept, now=now):
            return 0
    with sessions() as session:
        gone = requests.forget_requests(session, kept=kept, now=now)
        session.commit()
    return gone
