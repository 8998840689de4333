"""How many mails that no person sent may leave in a day, to one address and in one conversation: where loops end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

DAY = timedelta(days=1)

# By the purpose of the delivery: what leaves by itself. Behind each follow-up stands a person, and a stricter budget
# (customers.courtesy); letters to staff never leave the house.
AUTOMATIC = frozenset({"offer", "offer_gone", "still_wanted", "wish_confirm", "wish_request", "wish_link"})


@dataclass(frozen=True, slots=True)
class Caps:
    """So many in a day to one address, in one conversation, and of the whole house; 0: as many as there are."""

    address: int = 0
    conversation: int = 0
    house: int = 0

    def __bool__(self) -> bool:
        return bool(self.address or self.conversation or self.house)


NONE = Caps()


class Wanted(NamedTuple):
    """A mail that is about to leave: its delivery's number, its address, and its conversation, if it is in one."""

    number: int
    address: str
    conversation: int | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """When automatic mails left in the last day, for each address and each conversation."""

    addresses: Mapping[str, Sequence[datetime]] = field(default_factory=dict)
    conversations: Mapping[int, Sequence[datetime]] = field(default_factory=dict)


def free_from(left: Sequence[datetime], now: datetime, *, most: int) -> datetime:
    """From when, at the earliest `now`, another may leave; `left` is when those of the last day did."""
    times = sorted(each for each in left if each > now - DAY)
    return now if not most or len(times) < most else max(now, times[-most] + DAY)


def share(wanted: Sequence[Wanted], left: Left, now: datetime, caps: Caps) -> dict[int, datetime]:
    """Of mails that are about to leave those that have to wait, by their numbers, and until when.

    Those that may leave now count for those behind them.
    """
    by_address = {address: list(times) for address, times in left.addresses.items()}
    by_conversation = {number: list(times) for number, times in left.conversations.items()}
    waiting = {}
    for number, address, conversation in wanted:
        to_her = by_address.setdefault(address, [])
        here = by_conversation.setdefault(conversation, []) if conversation is not None else []
        free_at = max(free_from(to_her, now, most=caps.address), free_from(here, now, most=caps.conversation))
        if free_at > now:
            waiting[number] = free_at
        else:
            to_her.append(now)
            here.append(now)
    return waiting
