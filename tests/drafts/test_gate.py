# ruff: noqa: E501
"""The conscience before every send: holes, names, promises, recipients, and a view that has grown old."""

from dataclasses import replace

import pytest

from concierge.addresses import Address
from concierge.drafts import wording
from concierge.drafts.gate import WARNINGS, Facts, Reason, objections

BARBARA = Address("Barbara Rossi", "barbara@example.com")
LAWFUL = Facts(
    seen_message_id=7,
    newest_message_id=7,
    text="Dear Barbara,\n\nthe turquoise pair is back in 36.",
    subject="Re: Turquoise sandals",
    recipient=BARBARA,
    customer_name="Barbara Rossi",
    language="en",
    text_language="en",
    last_recipient="Barbara@example.com",
)


def reasons(facts: Facts) -> list[Reason]:
    return [each.reason for each in objections(facts)]


def test_a_lawful_answer_may_go():
    assert reasons(LAWFUL) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"newest_message_id": 8}, Reason.NEWER_MESSAGE),
        ({"seen_message_id": None}, Reason.NEWER_MESSAGE),
        ({"may_answer": False}, Reason.MAY_NOT_ANSWER),
        ({"not_for_us": True}, Reason.NOT_FOR_US),
        ({"mailbox_active": False}, Reason.MAILBOX_INACTIVE),
        ({"recipient": None}, Reason.NO_RECIPIENT),
        ({"suppressed": True}, Reason.SUPPRESSED),
        ({"has_content": False, "text": ""}, Reason.EMPTY),
        ({"text": "Dear {{ customer.first_name }},"}, Reason.HOLE),
        ({"subject": "Your {{ product.name }}"}, Reason.HOLE),
        ({"unknown_products": ("SOL-1",)}, Reason.UNKNOWN_PRODUCT),
        ({"missing_pictures": True}, Reason.MISSING_PICTURE),
        ({"attachments": 1, "attachments_size": 19 * 1024 * 1024}, Reason.TOO_LARGE),
        ({"last_recipient": "her-husband@example.com"}, Reason.OTHER_RECIPIENT),
        ({"text": "Dear Chloé,\nhow are you?"}, Reason.OTHER_NAME),
        ({"text_language": "it"}, Reason.OTHER_LANGUAGE),
        ({"text": "Dear Barbara,\nplease find attached the lookbook."}, Reason.NO_ATTACHMENT),
    ],
)
def test_each_objection_has_its_reason_and_a_sentence(app, change, reason):
    facts = replace(LAWFUL, **change)
    assert reasons(facts) == [reason]
    with app.test_request_context():
        assert len(objections(facts)[0].sentence()) > 20


@pytest.mark.parametrize("reason", sorted(WARNINGS))
def test_only_warnings_can_be_waved_through(reason):
    changes = {
        Reason.OTHER_RECIPIENT: {"last_recipient": "x@example.com"},
        Reason.OTHER_NAME: {"text": "Ciao Chloé,"},
        Reason.OTHER_LANGUAGE: {"text_language": "it"},
        Reason.NO_ATTACHMENT: {"text": "Te lo allego."},
    }
    facts = replace(LAWFUL, **changes[reason])
    assert reasons(facts) == [reason]
    assert reasons(replace(facts, overridden=frozenset({reason.value}))) == []


def test_a_stop_is_never_waved_through():
    everything = frozenset(each.value for each in Reason)
    facts = replace(LAWFUL, newest_message_id=9, recipient=None, text="Dear ,", overridden=everything)
    assert reasons(facts) == [Reason.NEWER_MESSAGE, Reason.NO_RECIPIENT, Reason.HOLE]


@pytest.mark.parametrize(
    "text",
    [
        "Dear ,\nhow are you", "Dear,\n", "dear Barbara,\n\n{% if x %}", "Cara ,", "Cara,", "Gentile\n\nla", "Hello ,",
        "Ciao ,", "Buongiorno ,", "Dear None,", "Ciao null,", "Hello {{name}}", "}} there", "Dear [name],", "[product SOL 1",
        "It costs XXX euro", "Size ____", "Your [size]", "Ciao [nome]", "Caro –", "Hello Dear ,", "My dear,",
        "Dear <name>, the {size} you want", "Dear {name},", "Dear %name%,", "Dear …,", "Dear Mrs ,", "Dear ___,", "Dear Mrs,",
        "the {size} you want", "Gentile Sig.ra,", "Cara <nome>,", "Dear *|FNAME|*,", "We have {{ size", "The [[size]] is here",
        "Hello <first_name>", "in ${size}", "Gentile Signora ,", "Dear ...,", "La {taglia} che vuole", "Size ___, gone",
    ],
)  # fmt: skip
def test_a_hole_is_found(text):
    assert wording.find_hole(text)


@pytest.mark.parametrize(
    "text",
    [
        "Dear Barbara,", "Hello,", "Hi there!", "Ciao!", "Buongiorno,", "Bonjour !", "Gentile Signora Rossi,", "Cara Barbara,",
        "It would be dear, but lovely", "Oh dear, sold out", "{ a } and [b]", "A size 36/37 {new}", "Care: wash cold", "Carissima,",
        "Caro prezzo, but worth it", "the None collection", "nomen est omen", "XX large",
        "I love it <3", "20% off, 30% there", "Dear Dr. Rossi,", "Gentile Signora,", "Dear Madam,", "Dear Sir or Madam,",
        "a 50%wool 50%silk blend", "Dear Mrs Rossi,", "See <https://solenne.example/size>", "it costs $120", "Cara Signora Rossi,",
    ],
)  # fmt: skip
def test_an_ordinary_sentence_is_no_hole(text):
    assert wording.find_hole(text) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Dear Barbara,\nHow", ("Barbara",)), ("\n  Cara Barbara, come stai", ("Barbara",)), ("Hello Barbara and Paolo!", ("Barbara", "Paolo")),
        ("Dear Ms Rossi,", ("Rossi",)), ("Gentile Sig.ra Rossi,", ("Rossi",)), ("My dear Barbara,", ("Barbara",)),
        ("Dear all,", ()), ("Hello from Paris, the city", ()), ("Buongiorno,", ()), ("Good morning Barbara,", ("Barbara",)),
        ("Gentile cliente,", ()), ("Gentile Cliente,", ()), ("The sandals, Anna", ()), ("Ciao cara Barbara,", ("Barbara",)), ("", ()),
        ("Hi Anne-Marie –", ("Anne-Marie",)), ("Dear Dr. O'Hara,", ("O'Hara",)), ("Hello there Barbara", ()),
    ],
)  # fmt: skip
def test_whom_a_letter_greets(text, names):
    assert wording.greeted(text) == names


@pytest.mark.parametrize(
    ("names", "customer", "hers"),
    [
        (("Barbara",), "Barbara Rossi", True), (("Barb",), "Barbara Rossi", True), (("Rossi",), "Barbara Rossi", True),
        (("Chloe",), "Chloé Martin", True), (("CHLOÉ",), "Chloé Martin", True), (("Anna",), "Barbara Rossi", False),
        (("Barbara", "Paolo"), "Paolo Verdi", True), (("Anna",), "", True), ((), "Barbara", True), (("Ba",), "Barbara", False),
        (("O’Hara",), "Sinéad O'Hara", True),
    ],
)  # fmt: skip
def test_whether_the_greeting_is_hers(names, customer, hers):
    assert wording.names_her(names, customer) is hers


@pytest.mark.parametrize(
    ("text", "promised"),
    [
        ("I attach the lookbook.", True), ("Please find attached our list", True), ("I've attached a photo", True),
        ("See the attachment", True), ("Attached you will find", True), ("In allegato trovi", True), ("Ti allego la foto", True),
        ("la foto allegata", True), ("The photos are attached to this mail", True), ("The strap is attached to the heel", False),
        ("She is so attached to it", False), ("Allegra vi saluta", False), ("nothing of the kind", False),
        ("I’ll attach the care card", True), ("the enclosed space", False),
        ("I've enclosed the list", True), ("I’ve enclosed the list", True), ("Photo attached.", True), ("no attachment needed", False),
        ("without any attachment", False), ("senza allegato", False), ("foto allegata", True), ("the strap attached to the heel", False),
    ],
)  # fmt: skip
def test_whether_an_attachment_is_promised(text, promised):
    assert wording.promises_attachment(text) is promised
