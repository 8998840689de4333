"""Lets mails leave in the transaction that makes their offers, where there is nothing to wait for."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from concierge.config import Config
from concierge.wishes import leaving
from concierge.wishes.addressing import Addressed, Circumstances, address
from concierge.wishes.leaving import Leaving, Wisher
from concierge.wishes.moulds import MouldKey, moulds_of
from concierge.wishes.queueing import Left, queue_letters
from concierge.wishes.release import circumstances


class Gate:
    """Where a round's mails leave at once; whoever can't go through has an offer like any other, and `release_due`.

    Nobody goes through who has another wish that may be offered now or has not left yet, for that is one mail; nor
    who may not be written to; nor whose letter has no sheet: those are `missing`, to be made after the commit.
    """

    def __init__(self, config: Config) -> None:
        """`config` is the house's."""
        self._config = config
        self.missing: set[MouldKey] = set()
        self._around: Circumstances | None = None
        self._alone: Collection[int] = ()

    def open(self, session: Session, wishers: Mapping[int, Wisher], policy_id: int, *, now: datetime) -> None:
        """Ask what is true of these people, in the transaction that will write to them; locks their conversations."""
        people = list(wishers.values())
        self._around = circumstances(session, self._config, people, {policy_id}, leaving.lock_threads, now=now)
        customers = {each.customer_id for each in people}
        self._alone = customers - leaving.list_in_company(session, list(wishers), customers)

    def let_go(self, session: Session, offers: Sequence[Leaving]) -> dict[int, Left]:
        """Queue the mails of those of these offers that can leave now; what is to be noted of each, by its number."""
        assert self._around is not None
        alone = [(offer,) for offer in offers if offer.customer_id in self._alone]
        going = [each for one in alone for each in address(one, self._around) if isinstance(each, Addressed)]
        moulds = moulds_of(self._config.blobs_url)
        found = {manner: moulds.find(manner.mould) for manner in {each.manner for each in going}}
        self.missing.update(manner.mould for manner, mould in found.items() if mould is None)
        letters = [(each, mould) for each in going if (mould := found[each.manner]) is not None]
        left = queue_letters(session, self._config, letters, now=self._around.now)
        return {each.offer_id: each for each in left}
