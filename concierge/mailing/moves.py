"""Which way a delivery may move; everything else is refused or, when a provider reports it late, ignored."""

from concierge.mailing.models import Delivery, DeliveryState, MoveRefused

_S = DeliveryState

MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    # Claimed by a worker; or found, before anybody was called, to be unlawful, suppressed or called off; or to stand in
    # a restored copy, which cannot know whether it left.
    _S.QUEUED: frozenset({_S.SENDING, _S.WITHHELD, _S.FAILED, _S.UNCERTAIN}),
    # Taken; put off; refused for good; given up; nobody knows. Events may overtake our own record of the handing over.
    _S.SENDING: frozenset(
        {_S.SENT, _S.QUEUED, _S.REJECTED, _S.FAILED, _S.UNCERTAIN, _S.DELIVERED, _S.DEFERRED, _S.BOUNCED}
    ),
    # The provider reports on it; or an editor asked the customer and says what became of it.
    _S.UNCERTAIN: frozenset({_S.SENT, _S.DELIVERED, _S.DEFERRED, _S.BOUNCED, _S.REJECTED, _S.FAILED, _S.QUEUED}),
    # On its way at the provider's: it arrives, waits, comes back, or is dropped by the provider after all.
    _S.SENT: frozenset({_S.DELIVERED, _S.DEFERRED, _S.BOUNCED, _S.REJECTED}),
    _S.DEFERRED: frozenset({_S.DELIVERED, _S.BOUNCED, _S.REJECTED}),
    # Some systems accept a mail and send it back later. Never back to "sent" or "deferred": those events are late.
    _S.DELIVERED: frozenset({_S.BOUNCED}),
    _S.BOUNCED: frozenset(),
    # An editor has it sent again; or a provider that said it had dropped it took it to her system after all, whichever
    # of the two reports comes first.
    _S.REJECTED: frozenset({_S.QUEUED, _S.DELIVERED, _S.BOUNCED}),
    # An editor has it sent again.
    _S.FAILED: frozenset({_S.QUEUED}),
    _S.WITHHELD: frozenset({_S.QUEUED}),
}

# What an editor may have sent again: it did not leave, or nobody knows.
SENT_AGAIN = frozenset({_S.REJECTED, _S.FAILED, _S.UNCERTAIN, _S.WITHHELD})
# Where nothing more is expected to happen by itself.
SETTLED = frozenset({_S.DELIVERED, _S.BOUNCED, _S.REJECTED, _S.FAILED, _S.WITHHELD})


def may_move(old: DeliveryState, new: DeliveryState) -> bool:
    """Whether a delivery may go from `old` to `new`."""
    return new in MOVES[old]


def check_move(delivery: Delivery, new: DeliveryState) -> None:
    """Raise MoveRefused unless `delivery` may go to `new`."""
    if not may_move(delivery.state, new):
        raise MoveRefused(f"{delivery.state} → {new}")
