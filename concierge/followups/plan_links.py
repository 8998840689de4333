"""The signed link in mails of plans that nobody wrote in person: no more of them, please."""

from typing import Protocol

from concierge import tokens

DECLINE = "decline-plans"


class House(Protocol):
    """What signs a link, and where it leads."""

    @property
    def secret(self) -> str: ...

    @property
    def base_url(self) -> str: ...


def decline_link(house: House, customer_id: int) -> str:
    """No more such mails: one click by POST (RFC 8058), a page with a button by GET; it never grows old."""
    return f"{house.base_url}/no-more/{tokens.sign(house.secret, DECLINE, str(customer_id))}"
