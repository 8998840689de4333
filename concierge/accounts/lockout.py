"""When a sign-in has to wait: too many failed tries by the same caller for the same person.

A caller is a browser that signed in before (it shows a signed cookie) or else a network. So a stranger who guesses
Nadia's password locks himself out, and never Nadia at her own desk (OWASP's device cookies).
"""

import hashlib
import hmac
from datetime import datetime, timedelta

from concierge.addresses import normalise

WINDOW = timedelta(minutes=15)
TRIES_FOR_ONE = 5
TRIES_FOR_ALL = 40


def caller_key(secret: str, *, email: str, caller: str) -> str:
    """Who is trying whom, as a keyed hash that tells nothing to those who read the table."""
    message = f"{normalise(email)}|{caller}".encode()
    return hmac.digest(secret.encode(), b"concierge:sign-in:" + message, hashlib.sha256).hex()


def must_wait(failures: int, *, limit: int) -> bool:
    """Whether `failures` within the window are too many."""
    return failures >= limit


def window_start(now: datetime) -> datetime:
    """Failures older than this are forgotten."""
    return now - WINDOW
