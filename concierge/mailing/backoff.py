"""When to try again: capped exponential waits with full jitter, or when the other side says so."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

BASE = timedelta(seconds=30)
CAP = timedelta(minutes=30)
GIVE_UP_AFTER = timedelta(hours=48)  # longer than a provider's worst day, shorter than a customer's patience
_LONGEST_ASKED = timedelta(hours=6)  # nobody may hold our mail for longer than this by one header


def wait(attempts: int, *, chance: float, base: timedelta = BASE, cap: timedelta = CAP) -> timedelta:
    """How long to wait after `attempts` (≥ 1) failures; `chance` in [0, 1) is the jitter.

    Full jitter (AWS Builders' Library, "Timeouts, retries and backoff with jitter"): anywhere between one second and
    the exponential cap, so that after an outage a thousand mails do not come back in step.
    """
    ceiling = min(cap, base * (1 << min(attempts - 1, 20)))
    return max(timedelta(seconds=1), ceiling * chance)


def next_attempt(now: datetime, attempts: int, *, chance: float, retry_after: datetime | None = None) -> datetime:
    """When to try again: not before `retry_after` when the provider named a time, a little scattered behind it."""
    waiting = wait(attempts, chance=chance)
    if retry_after is None:
        return now + waiting
    asked = min(max(retry_after, now), now + _LONGEST_ASKED)
    return asked + min(waiting, timedelta(seconds=30))


def exhausted(first_due: datetime, now: datetime) -> bool:
    """Whether a mail that was due at `first_due` has been tried long enough."""
    return now - first_due >= GIVE_UP_AFTER


def read_retry_after(value: str | None, now: datetime) -> datetime | None:
    """An HTTP Retry-After (RFC 9110, 10.2.3), seconds or a date; None when there is none to be understood."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return now + timedelta(seconds=min(int(text[:9]), 86_400))
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def read_reset(value: str | None) -> datetime | None:
    """SendGrid's X-RateLimit-Reset: unix seconds; None when there is none to be understood."""
    text = (value or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        return None
    return datetime.fromtimestamp(int(text), UTC)
