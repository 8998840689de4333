"""Machines that write: replies nobody wrote, newsletters, and mail that came back; and people who look like them."""

from collections.abc import Iterator

from tests.inbound.odd_mails.making import Odd, mail, multi, part, whole

_AUTOMATIC: list[tuple[str, bytes]] = [
    ("auto-submitted", b"Auto-Submitted: auto-replied"),
    ("auto-submitted", b"Auto-Submitted: auto-generated; x=y"),
    ("auto-precedence", b"Precedence: bulk"),
    ("auto-precedence", b"Precedence: auto_reply"),
    ("auto-reply-field", b"X-Autoreply: yes"),
    ("auto-reply-field", b"X-Autorespond: on"),
    ("auto-list", b"List-Unsubscribe: <https://x.example>"),
    ("auto-list", b"List-Id: <news.x.example>"),
    ("auto-null-path", b"Return-Path: <>"),
    ("auto-subject", b"Subject: Automatic reply: Sandals"),
    ("auto-subject", b"Subject: Out of Office"),
    ("auto-subject", b"Subject: Risposta automatica: Sandali"),
    ("auto-subject", b"Subject: =?utf-8?Q?Fuori_ufficio?="),
    ("auto-subject", "Subject: Réponse automatique : sandales".encode()),
    ("auto-subject", b"Subject: Abwesenheitsnotiz"),
    *(
        ("auto-subject", f"Subject: {words}: Sandals".encode())
        for words in ("Respuesta automática", "Resposta automática", "Automatisch antwoord", "Automatyczna odpowiedź")
    ),
    ("auto-subject", "Subject: 自動応答: サンダル".encode()),
    ("auto-subject", "Subject: 自动回复：凉鞋".encode()),
]
_HUMAN: list[tuple[str, bytes]] = [
    ("says no", b"Auto-Submitted: no"),
    ("says no, with a comment", b"Auto-Submitted: no (I am a person)"),
    ("writes about it", b"Subject: Out of office shoes for my sister"),
    ("answers an automatic reply", b"Subject: Re: Automatic reply: Sandals"),
    ("asks for no automatic answer, none", b"X-Auto-Response-Suppress: None"),
    ("writes through a desk or a group that asks for none", b"X-Auto-Response-Suppress: All"),
    ("has an honest return path", b"Return-Path: <barbara@example.com>"),
    ("is urgent", b"Precedence: first-class"),
]


def odd_mails() -> Iterator[Odd]:
    """Mails by who wrote them."""
    for number, (reason, line) in enumerate(_AUTOMATIC):
        kind = "list" if reason == "auto-list" else "automatic"
        yield Odd(f"automatic {number}: {line.decode()[:40]}", mail(line), {"kind": kind, "kind_reason": reason})
    for name, line in _HUMAN:
        yield Odd(f"a person who {name}", mail(line), {"kind": "human"})
    nobody = mail(b"Subject: Your order", sender=b"From: Shop <no-reply@shop.example>")
    yield Odd("automatic: from nobody", nobody, {"kind": "automatic", "kind_reason": "auto-nobody"})
    form = mail(b"Reply-To: barbara@example.com", sender=b"From: Shop <noreply@shop.example>")
    yield Odd("a person through a contact form", form, {"kind": "human"})
    yield from _reports()


def _reports() -> Iterator[Odd]:
    words = part("text/plain", b"Your mail could not be delivered.")
    status = part(
        "message/delivery-status", b"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b\r\nStatus: 5.1.1"
    )
    ours = part("message/rfc822", b"Message-ID: <ours.1@maison-solenne.example>\r\nSubject: Sandals\r\n\r\nDear")
    daemon = b"From: Mail Delivery <MAILER-DAEMON@mx.example>"
    report = multi("report", words, status, ours, parameters=b"; report-type=delivery-status")
    seen = {"kind": "bounce", "kind_reason": "bounce-report", "last_reference": "ours.1@maison-solenne.example"}
    yield Odd(
        "bounce: a report", whole(report, sender=daemon), seen | {"files": ["delivery-status.txt", "Sandals.eml"]}
    )
    headers = part("text/rfc822-headers", b"Message-ID: <ours.2@maison-solenne.example>\r\n")
    short = multi("report", words, status, headers, parameters=b"; report-type=delivery-status")
    yield Odd(
        "bounce: with headers only", whole(short, sender=daemon), {"last_reference": "ours.2@maison-solenne.example"}
    )
    receipt = multi("report", words, parameters=b"; report-type=disposition-notification")
    yield Odd("a reading receipt", whole(receipt), {"kind": "receipt", "kind_reason": "receipt"})
    failed = mail(b"X-Failed-Recipients: a@b.example", sender=daemon)
    yield Odd("bounce: names the recipients", failed, {"kind": "bounce"})
    for subject in (
        b"Undelivered Mail Returned to Sender",
        b"Mancato recapito",
        b"Delivery Status Notification (Failure)",
        b"Onbestelbaar: Sandalen",
        "Não é possível entregar: Sandálias".encode(),
        "Niedostarczone: Sandały".encode(),
        "配信不能: サンダル".encode(),
        "系统退信".encode(),
    ):
        raw = mail(b"Subject: " + subject, sender=daemon)
        yield Odd(f"bounce: {subject.decode()}", raw, {"kind": "bounce", "kind_reason": "bounce-subject"})
    forged = mail(b"Subject: Undelivered sandals? I wait since May")
    yield Odd("a person whose sandals were not delivered", forged, {"kind": "human"})
