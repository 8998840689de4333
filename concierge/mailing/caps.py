"""How many mails that no person sent may reach one address in a day: the wall at which every loop ends (T26, T27)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

DAY = timedelta(days=1)

# By the purpose of the delivery: what leaves by itself. Behind each follow-up stands a person, and a stricter budget
# (customers.courtesy); letters to staff never leave the house.
AUTOMATIC = frozenset({"offer", "offer_gone", "still_wanted", "wish_confirm", "wish_request", "wish_link"})


def free_from(left: Sequence[datetime], now: datetime, *, most: int) -> datetime:
    """From when, at the earliest `now`, an address may get another; `left` is when those of the last day did."""
    times = sorted(each for each in left if each > now - DAY)
    return now if len(times) < most else max(now, times[-most] + DAY)


def share(
    wanted: Sequence[tuple[int, str]], left: Mapping[str, Sequence[datetime]], now: datetime, *, most: int
) -> dict[int, datetime]:
    """Of mails that are about to leave, (number, address) each, those that have to wait, and until when.

    `left`: when automatic mails left for each address. Those that may leave now count for those behind them.
    """
    gone = {address: list(times) for address, times in left.items()}
    waiting = {}
    for number, address in wanted:
        free_at = free_from(gone.setdefault(address, []), now, most=most)
        if free_at > now:
            waiting[number] = free_at
        else:
            gone[address].append(now)
    return waiting
