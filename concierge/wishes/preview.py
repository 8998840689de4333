"""An offer's mail as it will arrive, before it leaves: written like the real one, with links that lead nowhere."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from concierge.accounts.queries import get_mailbox
from concierge.addresses import Address
from concierge.config import Config
from concierge.drafts.wording import reply_subject
from concierge.mailing.letters import Letter
from concierge.mailing.mail import MailFile
from concierge.wishes.desk import Bundle
from concierge.wishes.drafting import OfferHasLeft
from concierge.wishes.moulds import moulds_of
from concierge.wishes.offer_mail import Links, Reader, new_subject, write


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail that has not left: who writes to whom, and the letter with its pictures."""

    sender: Address
    to: Address
    subject: str
    letter: Letter
    pictures: tuple[MailFile, ...]
    leaves_at: datetime


def show(session: Session, config: Config, bundle: Bundle) -> Shown:
    """The mail of what waits together; raises OfferHasLeft when nothing of it may leave."""
    addressed = bundle.addressed
    if addressed is None:
        raise OfferHasLeft
    form, pictures = moulds_of(config.blobs_url).shown(session, addressed.manner.mould)
    mailbox = get_mailbox(session, addressed.manner.mould.mailbox_id)
    nowhere = f"{config.base_url}/offer/preview"
    subject = (reply_subject(addressed.thread.subject) if addressed.thread else "") or new_subject(form)
    reader = Reader(
        name=addressed.greeting,
        subject=subject,
        offers=tuple(Links(nowhere) for _each in addressed.offers),
        held=addressed.manner.held_words,
        wishes=nowhere,
        unsubscribe=nowhere,
    )
    return Shown(
        sender=Address(form.signature.name, mailbox.address),
        to=addressed.to,
        subject=subject,
        letter=write(form, reader),
        pictures=pictures,
        leaves_at=bundle.leaves_at,
    )
