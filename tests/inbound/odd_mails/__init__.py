"""Odd mails, all made here by code, each with what must be seen of it."""

from tests.inbound.odd_mails import bodies, bombs, careless, charsets, headers, kinds, senders, structures
from tests.inbound.odd_mails.making import Odd

ODD_MAILS: tuple[Odd, ...] = (
    *charsets.odd_mails(),
    *headers.odd_mails(),
    *senders.odd_mails(),
    *structures.odd_mails(),
    *bodies.odd_mails(),
    *kinds.odd_mails(),
    *careless.odd_mails(),
    *bombs.odd_mails(),
)
