"""The codes of reading and filing as sentences people read."""

from collections.abc import Callable

from flask_babel import LazyString, pgettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

# Followed by the address of another of our mailboxes.
ALSO_TO = "also-to"
_ALSO_TO = _l("Also written to %(address)s.")
_SENTENCES: dict[str, LazyString] = {
    # why a mail is in quarantine
    "too-large": _l("It is larger than we take."),
    "empty-mail": _l("It is empty: not a single letter came."),
    "no-header": _l("It has no header, so it is not a mail as we know it."),
    "huge-header": _l("Its header is larger than any honest mail's."),
    "too-complex": _l("It has more parts inside, or deeper nested ones, than a person would send."),
    "too-much-memory": _l("Reading it would take more memory than a mail may use."),
    "too-slow": _l("Reading it takes too long."),
    "crash": _l("Reading it ended the process that reads."),
    "surprise": _l("Something in it surprised us."),
    "no-sender": _l("It does not say who wrote it."),
    "unclear-sender": _l("Its From line can be read in more than one way, so we can't say who wrote it."),
    "several-senders": _l("It claims to be from several people at once."),
    "several-froms": _l("It has several From lines that differ, so we can't say who wrote it."),
    "too-many": _l("Its sender sends very many; it is held back so that the others are seen."),
    "bytes-missing": _l("Its bytes are no longer in the store."),
    "not-filed": _l("It was read, but could not be filed after several tries."),
    # why a mail was not filed, and needs nobody
    "our-own-copy": _l("It is our own copy of a mail we sent, or from one of us."),
    "seen-before": _l("The same mail is here already."),
    "no-mailbox": _l("It is for none of our mailboxes."),
    "no-matter": _l("A mail system's report about no mail of ours."),
    "noted": _l("A mail system's report; it is noted with the mail of ours it is about."),
    "by-hand": _l("Set aside by hand."),
    # why a mail counts as automatic or as a bounce
    "auto-submitted": _l("It says itself that a machine sent it."),
    "auto-precedence": _l("It was sent in bulk."),
    "auto-reply-field": _l("It is an automatic reply."),
    "auto-list": _l("It came through a mailing list or is a newsletter."),
    "auto-suppress": _l("It asks not to be answered automatically."),
    "auto-null-path": _l("It has no return path; a machine sent it."),
    "auto-report": _l("It is a mail system's report, such as a reading receipt."),
    "auto-subject": _l("Its subject is that of an automatic reply."),
    "auto-delivered": _l("A mail system reports that a mail of ours arrived."),
    "auto-words": _l("It says in its own words that a machine sent it."),
    "auto-away": _l("It says that she is away and will answer later; nobody wrote it for us."),
    "auto-nobody": _l("It comes from an address that nobody reads."),
    "bounce-report": _l("A mail system reports that a mail could not be delivered."),
    "bounce-recipients": _l("A mail system names recipients it could not reach."),
    "bounce-subject": _l("Its subject is that of a returned mail."),
    "bounce-sender": _l("It comes from a mail system."),
    "delay": _l("A mail system reports that a mail has not arrived yet; it goes on trying."),
    "receipt": _l("Her program says that a mail of ours was opened, or thrown away unread."),
    # why a mail counts as something else
    "unsubscribes": _l("She wants no more of our mails."),
    "spam": _l("The system that took it in for us thinks it is unwanted."),
    "unsubscribed": _l("She wants no more planned mails; from now on she gets none."),
    "unsubscribed-wishes": _l("She wants no more mails about wishes; from now on she gets none, and her wishes ended."),
    "unsubscribe-unsure": _l("She seems to want no more mails. It answers none of ours, so nothing was changed."),
    # what is odd about a mail that was filed
    "name-is-address": _l("The sender's name looked like another address; we left it out."),
    "no-from": _l("It has no From line; we took the sender of the envelope."),
    "two-subjects": _l("It has two subjects; you see the first."),
    "two-dates": _l("It has two dates; you see the first."),
    "two-message-ids": _l("It has two message ids; we took the first."),
    "doubled-headers": _l("A line that should stand once in its header stands twice."),
    "two-content-types": _l("It says twice what a part is; mail programs may show it differently."),
    "two-encodings": _l("It says twice how a part is encoded; mail programs may show it differently."),
    "header-cut": _l("A line of its header was too long and was cut; the original has it all."),
    "guessed-boundary": _l("It does not say truly how its parts are divided; we went by the lines between them."),
    "no-boundary": _l("Its parts could not be told apart; all of it is shown as text."),
    "not-closed": _l("It seems to break off; the end may be missing."),
    "parts-after-end": _l("More parts follow after its end; they are shown too."),
    "second-text": _l("It holds two texts where mail programs show one; both are shown."),
    "texts-differ": _l("Its plain text says something else than what you see; mail programs may show either."),
    "long-text": _l("Its text is very long and is kept as a file."),
    "empty": _l("There is nothing in it."),
    "encrypted": _l("It is encrypted or sealed; we can't read what is inside."),
    "winmail": _l("Its attachments are packed in a winmail.dat, which only Outlook opens."),
}


def describe(code: str) -> str:
    """Return the sentence for a *code*; the code itself when it is none of ours."""
    name, _blank, address = code.partition(" ")
    if name == ALSO_TO:
        return str(_ALSO_TO) % {"address": address}
    sentence = _SENTENCES.get(code)
    return code if sentence is None else str(sentence)


def codes() -> frozenset[str]:
    """Return every code that has a sentence."""
    return frozenset(_SENTENCES)


def fate_words(fate: str) -> str:
    """What became of a mail, as the head of a column; *fate* is one of `tallying.Fate`."""
    words: dict[str, Callable[[], str]] = {
        "waiting": lambda: pgettext("mails", "Waiting"),
        "filed": lambda: pgettext("mails", "Filed"),
        "automatic": lambda: pgettext("mails", "Automatic"),
        "duplicate": lambda: pgettext("mails", "Here already"),
        "aside": lambda: pgettext("mails", "Set aside"),
        "quarantine": lambda: _("Quarantine"),
        "held-back": lambda: _("Held back"),
        "astray": lambda: pgettext("mails", "Unaccounted for"),
    }
    return words[fate]() if fate in words else fate


def source_words(source: str) -> str:
    """An entrance, by the name its mails carry."""
    words: dict[str, Callable[[], str]] = {
        "smtp": lambda: _("Mail door (SMTP)"),
        "lmtp": lambda: _("Mail door (LMTP)"),
        "webhook": lambda: _("SendGrid Inbound Parse"),
        "imap": lambda: _("Mailboxes (IMAP)"),
        "import": lambda: pgettext("mails", "Imported"),
        "post office": lambda: _("Post office"),
    }
    return words[source]() if source in words else source
