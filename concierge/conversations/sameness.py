"""Whether a stranger is a customer of ours at another address of hers: a rule that says yes only when it is sure."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from enum import StrEnum

from concierge.addresses import Address, spellings
from concierge.conversations.likenesses import Likeness


class Proof(StrEnum):
    """What makes it sure."""

    ANSWERS = "answers"
    NAMED = "named"
    ACCOUNT = "account"  # one account in the shop, under one full name
    MAILBOX = "mailbox"  # one address, in two spellings


def how_sure(
    sender: Address,
    names: Collection[str],
    *,
    answers_ours: bool,
    told_us: Iterable[str],
    doubts: Iterable[Likeness],
    authentic: bool | None,
) -> Proof | None:
    """What proves that it is she who writes under her full name; None where nothing does.

    `names` are those she wrote under; `answers_ours`: the mail names a letter of ours to her by its Message-ID;
    `told_us`: her own words in her mails, where she may have named this address. One that looks like hers, or is not
    from where it says (`authentic`), is not her.
    """
    if authentic is False or any(each.is_grave for each in doubts):
        return None
    name = _same(sender.name)
    if " " not in name or name not in map(_same, names):
        return None
    if answers_ours:
        return Proof.ANSWERS
    return Proof.NAMED if any(_names(words, sender.address) for words in told_us) else None


def are_one_buyer(one: str, other: str) -> bool:
    """Whether two names that bought with one account in the shop are one person's: a whole family may share it."""
    return " " in _same(one) and _same(one) == _same(other)


def _same(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _names(words: str, address: str) -> bool:
    written = "|".join(re.escape(each.casefold()) for each in sorted(spellings(address)))
    alone = rf"(?<![\w.+-])(?:{written})(?![\w-]|\.\w)"
    return re.search(alone, words.casefold()) is not None
