"""Whatever bytes come, the parser answers, and what it answers can be stored (T09)."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from concierge.inbound.parsed import ParsedMail, Unreadable
from concierge.inbound.parsing import parse_mail
from concierge.inbound.quoting import find_fold
from concierge.inbound.senders import read_addresses
from tests.inbound.odd_mails import ODD_MAILS

SMALL = [odd.raw for odd in ODD_MAILS if 0 < len(odd.raw) < 20_000]
_CALM = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def lawful(answer: ParsedMail | Unreadable) -> bool:
    """Whether an answer can be stored: no NUL, no surrogate, a fold inside the text."""
    if isinstance(answer, Unreadable):
        return answer.reason != "surprise"
    words = [answer.subject, answer.text, answer.html or "", answer.first_name, *answer.references]
    words += [each.filename for each in answer.attachments]
    words += [each.address + each.name for each in (*answer.to, *answer.cc, *answer.reply_to)]
    clean = not any("\0" in each or any("\ud800" <= c <= "\udfff" for c in each) for each in words)
    return clean and (answer.fold_at is None or 0 <= answer.fold_at <= len(answer.text))


@_CALM
@given(st.sampled_from(SMALL), st.data())
def test_a_mail_with_bytes_changed_cut_and_doubled_is_answered_lawfully(raw: bytes, data: st.DataObject):
    mutant = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, max(0, len(mutant) - 1)))
        kind = data.draw(st.sampled_from(("set", "cut", "double", "insert")))
        if kind == "set" and mutant:
            mutant[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del mutant[at : at + data.draw(st.integers(1, 40))]
        elif kind == "double":
            mutant[at:at] = mutant[at : at + data.draw(st.integers(1, 200))]
        else:
            mutant[at:at] = data.draw(
                st.sampled_from((b"\r\n", b"\0", b"=?utf-8?Q?", b"--", b'"', b"(", b"<", b"\xff"))
            )
    assert lawful(parse_mail(bytes(mutant)))


@_CALM
@given(st.binary(max_size=2_000))
def test_any_bytes_are_answered_lawfully(raw: bytes):
    assert lawful(parse_mail(raw))


@_CALM
@given(st.binary(max_size=500))
def test_any_from_line_names_at_most_what_is_an_address(value: bytes):
    for address in read_addresses(value)[0]:
        local, _, domain = address.address.rpartition("@")
        assert local
        assert domain
        assert not set(address.address) & set("<>(),; \t\r\n\0")


@_CALM
@given(st.text(max_size=2_000))
def test_a_fold_is_inside_the_text_and_leaves_something_above(text: str):
    fold = find_fold(text)
    assert fold is None or (0 < fold < len(text) and text[:fold].strip())


def test_three_thousand_splices_of_odd_mails_are_answered_lawfully():
    """Heads of one mail on tails of another: the ways they break are more than anybody thinks of."""
    chance = random.Random(20260512)
    for _ in range(3_000):
        head, tail = chance.choice(SMALL), chance.choice(SMALL)
        spliced = head[: chance.randrange(len(head) + 1)] + tail[chance.randrange(len(tail)) :]
        assert lawful(parse_mail(spliced)), spliced


def test_the_check_itself_sees_what_is_not_lawful():
    """Negative control."""
    mail = parse_mail(SMALL[0])
    assert isinstance(mail, ParsedMail)
    values = {name: getattr(mail, name) for name in ParsedMail.__slots__}
    assert not lawful(ParsedMail(**values | {"text": "a\0b"}))
    assert not lawful(ParsedMail(**values | {"subject": "\ud800"}))
    assert not lawful(ParsedMail(**values | {"fold_at": 10**9}))
    assert not lawful(Unreadable("surprise"))
