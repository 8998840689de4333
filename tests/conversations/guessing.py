"""Conversation tokens guessed and altered, offered by the customer herself: `python -m tests.conversations.guessing`.

With `--count 100000` it takes some minutes; how many were accepted is printed, and must be none.
"""

import base64
import random
import string
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge import schema, tokens
from concierge.accounts.models import Mailbox
from concierge.accounts.queries import read_house
from concierge.addresses import Address
from concierge.config import read_config
from concierge.conversations.commands import MailIn
from concierge.conversations.models import Conversation
from concierge.conversations.receiving import find_conversation
from concierge.customers.models import Customer
from concierge.customers.queries import Writer
from concierge.db import make_sessions
from tests.conversations.stories import CARE, SECRET, customer, mailbox, receive
from tests.factories import NOW

_LETTERS = string.ascii_lowercase + "234567"
_ANYTHING = _LETTERS + string.ascii_uppercase + "0189=+-_. é\u0430\u200b"


def guess(session: Session, count: int, *, careless: bool = False) -> list[str]:
    """Those of `count` guesses that lead to the conversation they name; all come from the customer's own address.

    `careless`: asked of a reader that believes the number in a key, to see that a hole would be found.
    """
    talks = [receive(session, at=NOW).conversation for _each in range(4)]
    house = read_house(session)
    she, care, accepted = customer(session), mailbox(session), []
    for key in _guesses(talks, count):
        if careless:
            if _believe(key) in {each.id for each in talks}:
                accepted.append(key)
        elif find_conversation(session, _mail(she, care, key), house=house, secret=SECRET).conversation_id is not None:
            accepted.append(key)
    return accepted


def _mail(she: Customer, care: Mailbox, key: str) -> MailIn:
    local, domain = CARE.split("@")
    return MailIn(
        mailbox=care,
        customer=Writer(she.id, she.name, she.language),
        sender=Address(she.name, she.address),
        received_at=NOW,
        recipients=(f"{local}+{key}@{domain}",),
        in_reply_to=(tokens.message_id("0a1b2c", key, domain),),
    )


def _guesses(talks: list[Conversation], count: int) -> Iterator[str]:
    """Keys that are not ours: each a genuine one changed in one of nine ways, or nothing but a guess."""
    chance = random.Random(23)
    genuine = {tokens.reply_key(SECRET, each.id): each.id for each in talks}
    made = 0
    while made < count:
        key = _alter(chance, chance.choice(list(genuine)), list(genuine))
        # Blanks before an address, and dots, are no part of a key.
        if key.lower().strip(" .") not in genuine:
            made += 1
            yield key


def _alter(chance: random.Random, key: str, others: list[str]) -> str:
    return chance.choice(_WAYS)(chance, key, chance.choice(others))


def _another_letter(chance: random.Random, key: str, _other: str) -> str:
    at = chance.randrange(len(key))
    return key[:at] + chance.choice(_ANYTHING) + key[at + 1 :]


def _two_in_each_others_place(chance: random.Random, key: str, _other: str) -> str:
    at = chance.randrange(len(key) - 1)
    return key[:at] + key[at + 1] + key[at] + key[at + 2 :]


def _too_short_or_long(chance: random.Random, key: str, _other: str) -> str:
    at, more = chance.randrange(len(key)), chance.choice(_ANYTHING)
    return chance.choice((key[:at], key[at:], key + more, more + key))


def _anothers_seal(_chance: random.Random, key: str, other: str) -> str:
    return key[:26] + other[26:]


def _another_houses(chance: random.Random, key: str, _other: str) -> str:
    return tokens.reply_key("".join(chance.choices(_ANYTHING, k=32)), tokens.read_reply_key(SECRET, key) or 0)


def _no_seal(chance: random.Random, key: str, _other: str) -> str:
    return _spell(chance.choice((b"", bytes(16), chance.randbytes(16))) + _bytes_of(key)[16:])


def _a_bit_turned(chance: random.Random, key: str, _other: str) -> str:
    raw = bytearray(_bytes_of(key))
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return _spell(bytes(raw))


def _for_another_purpose(_chance: random.Random, key: str, _other: str) -> str:
    return tokens.sign(SECRET, "reply", str(tokens.read_reply_key(SECRET, key)))


def _nothing_but_letters(chance: random.Random, key: str, _other: str) -> str:
    return "".join(chance.choices(_LETTERS, k=chance.choice((len(key), 28, 40))))


_WAYS = (
    _another_letter,
    _two_in_each_others_place,
    _too_short_or_long,
    _anothers_seal,
    _another_houses,
    _no_seal,
    _a_bit_turned,
    _for_another_purpose,
    _nothing_but_letters,
)


def _bytes_of(key: str) -> bytes:
    return base64.b32decode(key.upper() + "=" * (-len(key) % 8))


def _spell(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _believe(key: str) -> int | None:
    try:
        raw = _bytes_of(key)
    except ValueError:
        return None
    return int.from_bytes(raw[16:], "big") if len(raw) > 16 else None


@click.command()
@click.option("--count", default=100_000, show_default=True)
def main(count: int) -> None:
    """Guess in a house of its own; fails if any guess was accepted."""
    with tempfile.TemporaryDirectory() as folder:
        config = read_config(data=Path(folder), secret_key=SECRET)
        schema.migrate(config)
        with make_sessions(config)() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(Conversation)) == 0
            accepted = guess(session, count)
    click.echo(f"{count:,} guessed and altered tokens, {len(accepted)} accepted")
    sys.exit(bool(accepted))


if __name__ == "__main__":
    main()
