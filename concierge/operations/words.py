"""What the operations page calls jobs, queues and faults."""

from collections.abc import Callable
from datetime import timedelta

from flask_babel import format_timedelta
from flask_babel import gettext as _

from concierge.operations.state import Fault, Kind


def job_words(job: str) -> str:
    """What a job of the timetable does; its own name for one that has no words yet."""
    words: dict[str, Callable[[], str]] = {
        "drafts.release_due": lambda: _("Lets answers leave"),
        "mailing.deliver_answers": lambda: _("Hands mail to the provider"),
        "mailing.deliver_letters": lambda: _("Hands letters by the thousand to the provider"),
        "mailing.settle_orphans": lambda: _("Notes mail whose fate nobody knows"),
        "mailing.keep_mark": lambda: _("Notes how far the house has come"),
        "mailing.read_reports": lambda: _("Reads what the provider reports"),
        "inbound.file_received": lambda: _("Files what came in"),
        "inbound.release_stale": lambda: _("Takes up mail another copy left lying"),
        "conversations.wake_due": lambda: _("Wakes snoozed conversations"),
        "conversations.return_failed": lambda: _("Returns answers that did not arrive"),
        "public.forget_requests": lambda: _("Forgets requests nobody confirmed"),
        "catalogue.read_stock_folder": lambda: _("Reads the stock folder"),
        "wishes.match_purchases": lambda: _("Finds the wish of each purchase"),
        "wishes.settle_mail": lambda: _("Stops and starts the clock of held pieces"),
        "wishes.lapse_due": lambda: _("Ends holds that are over"),
        "wishes.free_missing": lambda: _("Ends offers whose piece is gone"),
        "wishes.open_waves": lambda: _("Offers what is back"),
        "wishes.release.release_due": lambda: _("Lets offers leave"),
        "wishes.reconsider_skipped": lambda: _("Thinks again of those passed over"),
        "wishes.ask_due": lambda: _("Asks whether wishes are still wanted"),
        "wishes.expire_due": lambda: _("Ends wishes that are too old"),
        "wishes.check_invariants": lambda: _("Checks that everything adds up"),
        "followups.release_due": lambda: _("Lets follow-ups leave"),
        "followups.reckon_anew": lambda: _("Reckons follow-ups anew"),
        "followups.await_deliveries": lambda: _("Reckons follow-ups whose order has arrived"),
        "followups.begin_plans": lambda: _("Begins plans for what has happened"),
        "followups.carry_plans": lambda: _("Goes on with plans, or ends them"),
        "reports.count_demand": lambda: _("Counts the wishes"),
        "reports.rank_anew": lambda: _("Ranks the waiting anew"),
        "heartbeat.forget_copies": lambda: _("Forgets copies that are gone"),
    }
    name, _arrow, queue = job.partition(" → ")
    name, _hash, plan = name.partition(" #")
    said = words[name]() if name in words else name
    said = _("%(job)s: plan %(number)s", job=said, number=plan) if plan else said
    return _("Hands out: %(job)s", job=said) if queue else said


def queue_words(queue: str) -> str:
    """What waits."""
    return {
        "mail": _("Mail to file"),
        "answers": _("Answers to let go"),
        "follow-ups": _("Follow-ups to let go"),
        "offers": _("Offers to let go"),
        "deliveries": _("Mail to hand over"),
        "letters": _("Letters by the thousand to hand over"),
    }.get(queue, queue)


def fault_words(fault: Fault) -> str:
    """What is wrong, for a colleague who has customers to answer."""
    span = span_words(fault.seconds)
    if fault.kind is Kind.NO_WORKER:
        return _("The worker is not running: nothing is filed, and nothing leaves. Nothing is lost.")
    if fault.kind is Kind.SILENT:
        return _(
            "The worker has been silent for %(span)s: nothing is filed, and nothing leaves. Nothing is lost.", span=span
        )
    if fault.kind is Kind.STUCK:
        return _("The worker is stuck: “%(job)s” has been going on for %(span)s.", job=job_words(fault.what), span=span)
    if fault.kind is Kind.SHUT:
        return _("The house was restored from a copy: no mail leaves until an admin says so, on the page Mail out.")
    if fault.kind is Kind.PROVIDER:
        return _("Mail can’t be handed over: the provider has been out of reach for %(span)s.", span=span)
    if fault.kind is Kind.MAILBOX:
        return _(
            "%(mailbox)s has not been readable for %(span)s: what is written there waits there. Nothing is lost.",
            mailbox=fault.what,
            span=span,
        )
    if fault.what in ("answers", "deliveries", "letters"):
        return _("Mail is not leaving: the oldest has waited for %(span)s. Nothing is lost.", span=span)
    return _("“%(queue)s”: the oldest has waited for %(span)s.", queue=queue_words(fault.what), span=span)


def span_words(seconds: float) -> str:
    """A span, in the reader's language: "40 seconds", "3 hours"."""
    return str(format_timedelta(timedelta(seconds=round(seconds)), threshold=2))
