"""Where a mail by SMTP comes back to: an address signed for this one sending, so that a report needs no more."""

from concierge import tokens
from concierge.addresses import normalise

_LONGEST_LOCAL = 64  # RFC 5321, 4.5.3.1.1
UNSIGNED = "unsigned"


def return_path(secret: str, sender: str, delivery_id: int, intent: int, *, at: str = "") -> str:
    """The envelope's sender for a mail from `sender`: signed there, or at `at` where the house names an address.

    Just `sender` where the house wants it so (`at` is UNSIGNED), or where a signed one would be too long.
    """
    local, _at, domain = (at or sender).rpartition("@")
    signed = f"{local}+{tokens.return_key(secret, delivery_id, intent)}"
    return sender if at == UNSIGNED or len(signed) > _LONGEST_LOCAL else f"{signed}@{domain}"


def read_return_path(secret: str, address: str) -> tuple[int, int] | None:
    """The number of the delivery that comes back to this address, and of the decision to send it; None if none does."""
    return tokens.read_return_key(secret, address.rpartition("@")[0].partition("+")[2])


def leads_home(secret: str, address: str, *, at: str) -> bool:
    """Whether it is a signed address at `at`, the one the house has for nothing but this."""
    local, _at, domain = normalise(address).rpartition("@")
    same = f"{local.partition('+')[0]}@{domain}" == normalise(at)
    return same and read_return_path(secret, address) is not None
