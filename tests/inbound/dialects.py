"""How mail systems report, each in its own way: the report, and what must be understood of it."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.inbound.odd_mails.making import multi, part

OURS = "KEY7.0123456789abcdef0123@maison-solenne.example"
BARBARA = "barbara@example.com"
_DAEMON = "MAILER-DAEMON@mx.example.com (Mail Delivery System)"
_COPY = f"Return-Path: <care@maison-solenne.example>\nMessage-ID: <{OURS}>\nFrom: care@maison-solenne.example\nTo: {BARBARA}\nSubject: Your sandals\n\nDear Barbara"


class Report(NamedTuple):
    """A mail system's report: whom it names with hard or soft and the code, its kind, and the mail it is about."""

    name: str
    raw: bytes
    kind: str
    failed: tuple[tuple[str, bool, str], ...]
    returned: str = OURS


def plain(subject: str, text: str, *lines: str, sender: str = _DAEMON) -> bytes:
    """A report without a machine-readable part."""
    head = [f"From: {sender}", "To: care@maison-solenne.example", f"Subject: {subject}", "Return-Path: <>", *lines]
    return "\r\n".join([*head, "Content-Type: text/plain; charset=utf-8", "", *text.split("\n")]).encode()


def dsn(
    subject: str,
    words: str,
    recipients: str,
    *,
    sender: str = _DAEMON,
    enclosed: str = "message/rfc822",
    copy: str = _COPY,
) -> bytes:
    """A report as RFC 3464 wants it; `recipients` are the groups of its machine-readable part."""
    status = f"Reporting-MTA: dns; mx.example.com\n\n{recipients}"
    pieces = [
        part("text/plain; charset=utf-8", words.replace("\n", "\r\n").encode()),
        part("message/delivery-status", status.replace("\n", "\r\n").encode()),
        *([part(enclosed, copy.replace("\n", "\r\n").encode())] if enclosed else []),
    ]
    head = f"From: {sender}\r\nTo: care@maison-solenne.example\r\nSubject: {subject}\r\nReturn-Path: <>\r\nMIME-Version: 1.0\r\n"
    return head.encode() + multi("report", *pieces, parameters=b"; report-type=delivery-status")


def group(action: str, status: str, diagnostic: str, final: str = BARBARA, original: str = "") -> str:
    """One recipient of a report."""
    first = [f"Original-Recipient: rfc822;{original}"] if original else []
    return "\n".join(
        [
            *first,
            f"Final-Recipient: rfc822; {final}",
            f"Action: {action}",
            f"Status: {status}",
            f"Diagnostic-Code: smtp; {diagnostic}",
        ]
    )


def reports() -> Iterator[Report]:
    """Every dialect."""
    yield from _postfix()
    yield from _microsoft()
    yield from _providers()
    yield from _words_only()
    yield from _others()
    yield from _without_form()


def _without_form() -> Iterator[Report]:
    """Words alone, of which no two systems choose the same; the address is where they put it."""
    later = ("delay", ((BARBARA, False, ""),), "")
    gone = ("bounce", ((BARBARA, True, ""),), "")
    coded = ("bounce", ((BARBARA, True, "5.1.10"),), "")
    told = {
        "postfix, delayed": (
            "Delayed Mail (still being retried)",
            "# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n\nYour message could not be delivered for more than 4 hour(s).\n"
            f"It will be retried until it is 5 day(s) old.\n\n<{BARBARA}>: connect to example.com[192.0.2.1]:25: Connection refused",
            later,
        ),
        "Gmail, delayed": (
            "Delivery Status Notification (Delay)",
            f"There was a temporary problem delivering your message to {BARBARA}. Gmail will retry for 46 more hours.",
            later,
        ),
        "Domino": (
            "DELIVERY FAILURE: User barbara not listed in Domino Directory",
            f"was not delivered to:\n\n  {BARBARA}\n\nbecause:\n\n  User barbara ({BARBARA}) not listed in Domino Directory",
            gone,
        ),
        "Exchange of old": (
            "Undeliverable: Sandals",
            f"did not reach the following recipient(s):\n\n{BARBARA} on Sat, 7 Feb 2026 21:03:15 +0100\n    The recipient name is not recognized",
            gone,
        ),
        "GMX": (
            "Mail delivery failed: returning message to sender",
            f'The following address\nfailed:\n\n"{BARBARA}":\nSMTP error from remote server: reason: 550 mailbox unavailable',
            ("bounce", ((BARBARA, True, "5.0.0"),), ""),
        ),
        "IMail": ("Undeliverable Mail", f"Unknown user: {BARBARA}\n\nOriginal message follows.\n", gone),
        "QQ": ("系统退信", f"无法发送到 {BARBARA}\n\n退信原因\n\n收件人邮箱地址不存在，邮件无法送达。", gone),
        "Outlook in Italian": (
            "Non recapitabile: Sandali",
            f"Impossibile recapitare il messaggio a {BARBARA}.\n\nImpossibile trovare barbara.\n\nCodice: 550 5.1.10",
            coded,
        ),
        "Outlook in French, which names her twice": (
            "Non remis : Sandales",
            f"Échec de remise :\n\n{BARBARA}\nVérifiez l'adresse.\n\nDiagnostic :\n{BARBARA}\n#550 5.1.10 RESOLVER.ADR.RecipNotFound",
            coded,
        ),
        "GroupWise": (
            "Mail System Error - Returned Mail",
            f"was undeliverable to:\n    {BARBARA} (user not found)",
            gone,
        ),
    }
    help_desk = "Your mail could not be delivered. For help write to support@mx.example.com."
    told["only whom to ask"] = ("Undeliverable mail", help_desk, ("bounce", (), ""))
    gone_for_good = ((BARBARA, True, "5.1.1"),)
    unsaid = group("failed", "5.1.1", "550 5.1.1 unknown user").replace("Action: failed\n", "")
    yield Report("no action, but a status", dsn("Returned", "It failed.", unsaid), "bounce", gone_for_good)
    spelt = group("failure", "5.1.1", "550 5.1.1 unknown user")
    yield Report("an action of its own", dsn("Returned", "It failed.", spelt), "bounce", gone_for_good)
    inner = dsn("Returned", "It failed.", group("failed", "5.1.1", "550 5.1.1 unknown user"))
    head = (
        b"From: scanner@mx.example.com\r\nTo: care@maison-solenne.example\r\nSubject: Scanned\r\nMIME-Version: 1.0\r\n"
    )
    wrapped = head + multi(
        "mixed", inner[inner.index(b"Content-Type: ") :], part("text/plain", b"Scanned"), boundary=b"scan"
    )
    yield Report("wrapped by a scanner", wrapped, "bounce", gone_for_good)
    for name, (subject, words, (kind, failed, returned)) in told.items():
        yield Report(name + ", by words", plain(subject, words), kind, failed, returned)


def _postfix() -> Iterator[Report]:
    unknown = "550 5.1.1 <barbara@example.com>: Recipient address rejected: User unknown in virtual mailbox table"
    words = (
        "This is the mail system at host mx.example.com.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n<barbara@example.com>: host mx.example.com said: "
        + unknown
    )
    yield Report(
        "postfix",
        dsn("Undelivered Mail Returned to Sender", words, group("failed", "5.1.1", unknown)),
        "bounce",
        ((BARBARA, True, "5.1.1"),),
    )
    headers_only = dsn(
        "Undelivered Mail Returned to Sender", words, group("failed", "5.1.1", unknown), enclosed="text/rfc822-headers"
    )
    yield Report("postfix, headers only", headers_only, "bounce", ((BARBARA, True, "5.1.1"),))
    host = group("failed", "5.4.4", "", "b@gone.example").replace(
        "Diagnostic-Code: smtp; ",
        "Diagnostic-Code: X-Postfix; Host or domain name not found. Name service error for name=gone.example type=A: Host not found",
    )
    yield Report(
        "postfix, no such domain",
        dsn("Undelivered Mail Returned to Sender", "…", host),
        "bounce",
        (("b@gone.example", True, "5.4.4"),),
    )
    full = group("failed", "5.2.2", "552 5.2.2 Mailbox full")
    yield Report(
        "postfix, full", dsn("Undelivered Mail Returned to Sender", "…", full), "bounce", ((BARBARA, False, "5.2.2"),)
    )
    spam = group("failed", "5.7.1", "550 5.7.1 Message rejected as spam by Content Filtering")
    yield Report(
        "postfix, refused for what it is",
        dsn("Undelivered Mail Returned to Sender", "…", spam),
        "bounce",
        ((BARBARA, False, "5.7.1"),),
    )
    late = (
        group("delayed", "4.4.1", "connect to mx.example.com[192.0.2.1]:25: Connection timed out")
        + "\nWill-Retry-Until: Sun, 17 May 2026 09:00:00 +0000"
    )
    yield Report(
        "postfix, delayed",
        dsn(
            "Delayed Mail (still being retried)",
            "THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.",
            late,
        ),
        "delay",
        ((BARBARA, False, "4.4.1"),),
    )
    expired = group("failed", "4.4.1", "connect to mx.example.com[192.0.2.1]:25: Connection timed out")
    yield Report(
        "postfix, given up",
        dsn("Undelivered Mail Returned to Sender", "…", expired),
        "bounce",
        ((BARBARA, False, "4.4.1"),),
    )
    two = (
        group("failed", "5.1.1", "550 5.1.1 no such user")
        + "\n\n"
        + group("delayed", "4.2.2", "452 4.2.2 over quota", "chloe@example.com")
    )
    yield Report(
        "two of them, each its own way",
        dsn("Undelivered Mail Returned to Sender", "…", two),
        "bounce",
        ((BARBARA, True, "5.1.1"), ("chloe@example.com", False, "4.2.2")),
    )
    forwarded = group("failed", "5.1.1", "550 5.1.1 User unknown", "b.rossi@elsewhere.example", BARBARA)
    yield Report(
        "forwarded by her",
        dsn("Undelivered Mail Returned to Sender", "…", forwarded),
        "bounce",
        (("b.rossi@elsewhere.example", True, "5.1.1"),),
    )
    arrived = group("delivered", "2.0.0", "250 2.0.0 Ok")
    yield Report(
        "it did arrive",
        dsn("Successful Mail Delivery Report", "Your message was successfully delivered.", arrived),
        "automatic",
        (),
        "",
    )
    passed_on = group("relayed", "2.0.0", "250 2.0.0 Ok")
    yield Report("it was passed on", dsn("Delivery Status Notification (Relay)", "…", passed_on), "automatic", (), "")


def _microsoft() -> Iterator[Report]:
    words = "Your message to barbara@example.com couldn't be delivered.\n\nbarbara wasn't found at example.com.\n\ncare  Office 365  barbara\nAction Required  Recipient\nUnknown To address"
    not_found = group(
        "failed",
        "5.1.10",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient barbara@example.com not found by SMTP address lookup",
        original=BARBARA,
    )
    sender = "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>"
    yield Report(
        "microsoft 365",
        dsn("Undeliverable: Your sandals", words, not_found, sender=sender),
        "bounce",
        ((BARBARA, True, "5.1.10"),),
    )
    denied = group(
        "failed", "5.7.133", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required"
    )
    yield Report(
        "microsoft 365, not from outside",
        dsn("Undeliverable: Your sandals", "…", denied, sender=sender),
        "bounce",
        ((BARBARA, False, "5.7.133"),),
    )
    old = "Your message did not reach some or all of the intended recipients.\n\n      Subject:\tYour sandals\n      Sent:\t12/05/2026 11:00\n\nThe following recipient(s) cannot be reached:\n\n      barbara@example.com on 12/05/2026 11:01\n            The e-mail account does not exist at the organization this message was sent to.  Check the e-mail address, or contact the recipient directly to find out the correct address.\n            <mx.example.com #5.1.1>"
    yield Report(
        "exchange of old",
        plain(
            "Undeliverable: Your sandals",
            old,
            f"In-Reply-To: <{OURS}>",
            sender="System Administrator <postmaster@example.com>",
        ),
        "bounce",
        ((BARBARA, True, "5.1.1"),),
    )
    german = dsn(
        "Unzustellbar: Ihre Sandalen",
        "Ihre Nachricht an barbara@example.com konnte nicht zugestellt werden.",
        not_found,
        sender=sender,
    )
    yield Report("microsoft 365, in German", german, "bounce", ((BARBARA, True, "5.1.10"),))


def _providers() -> Iterator[Report]:
    gone = group(
        "failed",
        "5.1.1",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try\n 550-5.1.1 double-checking the recipient's email address",
    )
    words = "** Address not found **\n\nYour message wasn't delivered to barbara@gmail.com because the address couldn't be found, or is unable to receive mail."
    googlemail = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
    yield Report(
        "gmail",
        dsn(
            "Delivery Status Notification (Failure)",
            words,
            gone.replace(BARBARA, "barbara@gmail.com"),
            sender=googlemail,
        ),
        "bounce",
        (("barbara@gmail.com", True, "5.1.1"),),
    )
    old = f"Delivery to the following recipient failed permanently:\n\n     barbara@gmail.com\n\nTechnical details of permanent failure: \nGoogle tried to deliver your message, but it was rejected by the server. The error that the other server returned was:\n550 550 5.1.1 <barbara@gmail.com>: Recipient address rejected: User unknown (state 14)\n\n----- Original message -----\n\nMessage-ID: <{OURS}>\nFrom: care@maison-solenne.example\nTo: chloe@example.com"
    yield Report(
        "gmail of old",
        plain(
            "Delivery Status Notification (Failure)", old, "X-Failed-Recipients: barbara@gmail.com", sender=googlemail
        ),
        "bounce",
        (("barbara@gmail.com", True, "5.1.1"),),
    )
    late = "** Delivery incomplete **\n\nThere was a temporary problem delivering your message to barbara@gmail.com. Gmail will retry for 46 more hours. You'll be notified if the delivery fails permanently."
    waits = group(
        "delayed", "4.4.1", "The recipient server did not accept our requests to connect.", "barbara@gmail.com"
    )
    yield Report(
        "gmail, delayed",
        dsn("Delivery Status Notification (Delay)", late, waits, sender=googlemail),
        "delay",
        (("barbara@gmail.com", False, "4.4.1"),),
    )
    yahoo = f"Sorry, we were unable to deliver your message to the following address.\n\n<barbara@yahoo.com>:\n554: delivery error: dd This user doesn't have a yahoo.com account (barbara@yahoo.com) [0] - mta1234.mail.bf1.yahoo.com\n\n--- Below this line is a copy of the message.\n\n{_COPY}"
    yield Report(
        "yahoo",
        plain("Failure Notice", yahoo, sender="MAILER-DAEMON@yahoo.com"),
        "bounce",
        (("barbara@yahoo.com", True, "5.0.0"),),
    )
    amazon = group("failed", "5.1.1", "550 5.1.1 <barbara@example.com>... User unknown")
    yield Report(
        "amazon ses",
        dsn(
            "Delivery Status Notification (Failure)",
            "An error occurred while trying to deliver the mail to the following recipients:\nbarbara@example.com",
            amazon,
            sender="MAILER-DAEMON@amazonses.com",
        ),
        "bounce",
        ((BARBARA, True, "5.1.1"),),
    )
    blocked = group("failed", "5.0.0", "550 Message was blocked by server; sender's reputation")
    yield Report(
        "amazon ses, blocked",
        dsn("Delivery Status Notification (Failure)", "…", blocked, sender="MAILER-DAEMON@amazonses.com"),
        "bounce",
        ((BARBARA, False, "5.0.0"),),
    )


def _words_only() -> Iterator[Report]:
    qmail = f"Hi. This is the qmail-send program at mx.example.com.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<barbara@example.com>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n{_COPY}"
    yield Report("qmail", plain("failure notice", qmail), "bounce", ((BARBARA, True, "5.1.1"),))
    several = qmail.replace(
        "--- Below",
        "<chloe@example.com>:\n192.0.2.7 failed after I sent the message.\nRemote host said: 552 mailbox is full (#5.2.2)\n\n--- Below",
    )
    yield Report(
        "qmail, two",
        plain("failure notice", several),
        "bounce",
        ((BARBARA, True, "5.1.1"), ("chloe@example.com", False, "5.2.2")),
    )
    exim = f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  barbara@example.com\n    host mx.example.com [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<barbara@example.com>:\n    550 No such user here\n\n------ This is a copy of the message, including all the headers. ------\n\n{_COPY}"
    yield Report(
        "exim",
        plain(
            "Mail delivery failed: returning message to sender",
            exim,
            f"X-Failed-Recipients: {BARBARA}",
            "Auto-Submitted: auto-replied",
        ),
        "bounce",
        ((BARBARA, True, "5.0.0"),),
    )
    exim_late = "This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.example.com.\n\nThe message identifier is:     1abcde-000000-00\n\nThe address to which the message has not yet been delivered is:\n\n  barbara@example.com\n    Delay reason: Connection timed out\n\nNo action is required on your part. Delivery attempts will continue for\nsome time, and this warning may be repeated at intervals if the message\nremains undelivered."
    yield Report(
        "exim, delayed",
        plain(
            "Warning: message 1abcde-000000-00 delayed 24 hours",
            exim_late,
            f"References: <{OURS}>",
            "Auto-Submitted: auto-replied",
        ),
        "delay",
        ((BARBARA, False, ""),),
    )
    sendmail = f"The original message was received at Tue, 12 May 2026 09:00:00 GMT\nfrom localhost [127.0.0.1]\n\n   ----- The following addresses had permanent fatal errors -----\n<barbara@example.com>\n    (reason: 550 5.1.1 <barbara@example.com>... User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to mx.example.com.:\n>>> DATA\n<<< 550 5.1.1 <barbara@example.com>... User unknown\n\n   ----- Original message follows -----\n{_COPY}"
    yield Report(
        "sendmail", plain("Returned mail: see transcript for details", sendmail), "bounce", ((BARBARA, True, "5.1.1"),)
    )


def _others() -> Iterator[Report]:
    empty = plain("Undelivered Mail Returned to Sender", "Your mail could not be delivered.", f"In-Reply-To: <{OURS}>")
    yield Report("names nobody", empty, "bounce", ())
    italian = f"Il tuo messaggio non è stato consegnato.\n\nbarbara@libero.it\n    550 5.1.1 utente sconosciuto\n\n--- messaggio originale ---\n{_COPY}"
    yield Report(
        "in Italian, by words only",
        plain("Mancato recapito", italian, sender="postmaster@libero.it"),
        "bounce",
        (("barbara@libero.it", True, "5.1.1"),),
    )
