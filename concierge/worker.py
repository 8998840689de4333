"""The timetable: everything the house does by itself, one line a job; all truth is in our tables, none of it here.

A job runs when something it works on was stored (`on`), when its next row is due (`due`), and anyway `every` so many
seconds: should a nudge be lost, its row is found then. `by_clock` are those that one copy of the worker is enough for.
One that is quiet for longer than it may be counts as stuck: some wait for a provider, or for the database (`quiet`).
With many machines a job is a task: the clock hands it to its `queue`, so many rows at a time (`chunk`), or all of it.
"""

from collections.abc import Sequence

from concierge import heartbeat
from concierge.catalogue import jobs as catalogue
from concierge.config import Config
from concierge.conversations import jobs as conversations
from concierge.drafts import jobs as drafts
from concierge.followups import jobs as followups
from concierge.inbound import jobs as inbound
from concierge.inbound.sources.mailboxes import MailboxReading
from concierge.lines import Line, Queue
from concierge.mailing import jobs as mailing
from concierge.nudges import Topic
from concierge.public import jobs as public
from concierge.reports import jobs as reports
from concierge.timekeeping import Companion, keep_time
from concierge.wishes import jobs as wishes
from concierge.wishes import release as offers

MAIL, MESSAGE, ANSWER, DELIVERY, OUTCOME = Topic.MAIL, Topic.MESSAGE, Topic.ANSWER, Topic.DELIVERY, Topic.OUTCOME
STOCK, PURCHASE, WISH, OFFER, POLICY = Topic.STOCK, Topic.PURCHASE, Topic.WISH, Topic.OFFER, Topic.POLICY
FOLLOW_UP = Topic.FOLLOW_UP

ANSWERS, FOLLOWED, INBOX, SHOP = Queue.ANSWERS, Queue.FOLLOW_UPS, Queue.MAIL, Queue.STOCK
LETTERS, HOUSE = Queue.LETTERS, Queue.HOUSE

TIMETABLE: tuple[Line, ...] = (
    Line(drafts.release_due, every=10, on=(ANSWER, MESSAGE), due=drafts.next_due, queue=ANSWERS, chunk=5),
    Line(mailing.deliver_answers, every=10, on=(DELIVERY,), due=mailing.next_answer, quiet=45, queue=ANSWERS, chunk=25),
    Line(mailing.deliver_letters, every=10, on=(DELIVERY,), due=mailing.next_letter, quiet=45, queue=LETTERS, chunk=25),
    Line(mailing.settle_orphans, every=30, by_clock=True, queue=HOUSE, chunk=50),
    Line(mailing.keep_mark, every=60, queue=HOUSE),
    Line(mailing.read_reports, every=5, by_clock=True, queue=HOUSE, chunk=20),
    Line(inbound.file_received, every=10, on=(MAIL,), queue=INBOX, chunk=10),
    Line(inbound.release_stale, every=15, by_clock=True, queue=INBOX),
    Line(conversations.wake_due, every=10, by_clock=True, queue=HOUSE, chunk=50),
    Line(conversations.return_failed, every=10, on=(OUTCOME,), queue=ANSWERS, chunk=50),
    Line(public.forget_requests, every=3600, by_clock=True, queue=HOUSE, chunk=100),
    Line(catalogue.read_stock_folder, every=5),
    Line(wishes.match_purchases, every=10, on=(PURCHASE,), queue=SHOP, chunk=50),
    Line(wishes.settle_mail, every=5, on=(OUTCOME,), queue=SHOP, chunk=50),
    Line(wishes.lapse_due, every=10, on=(OFFER,), due=wishes.next_lapse, queue=SHOP, chunk=50),
    Line(wishes.free_missing, every=10, on=(STOCK, PURCHASE), queue=SHOP, chunk=10),
    Line(wishes.open_waves, every=5, on=(STOCK, PURCHASE, WISH, OFFER, POLICY), limit=300, queue=SHOP, chunk=1),
    Line(offers.release_due, every=10, on=(OFFER,), due=offers.next_due, queue=SHOP, chunk=500),
    Line(wishes.reconsider_skipped, every=60, by_clock=True, limit=300, queue=SHOP, chunk=5),
    Line(wishes.ask_due, every=60, by_clock=True, queue=HOUSE, chunk=50),
    Line(wishes.expire_due, every=60, by_clock=True, queue=HOUSE, chunk=50),
    Line(wishes.check_invariants, every=60, by_clock=True, quiet=60, queue=HOUSE),
    Line(followups.release_due, every=10, on=(FOLLOW_UP,), due=followups.next_due, queue=FOLLOWED, chunk=20),
    Line(followups.reckon_anew, every=60, by_clock=True, queue=HOUSE),
    Line(followups.await_deliveries, every=60, by_clock=True, queue=HOUSE),
    Line(followups.begin_plans, every=30, by_clock=True, queue=HOUSE),
    Line(followups.carry_plans, every=10, on=(FOLLOW_UP,), queue=FOLLOWED, chunk=50),
    Line(reports.count_demand, every=5, by_clock=True, limit=600, quiet=300, queue=HOUSE),
    Line(reports.rank_anew, every=10, on=(POLICY,), by_clock=True, queue=HOUSE),
    Line(heartbeat.forget_copies, every=3600, by_clock=True),
)


def work(config: Config, timetable: Sequence[Line] = TIMETABLE) -> None:
    """Keep to the timetable until SIGTERM or SIGINT; then finish what is in hand, within half a minute."""
    keep_time(config, timetable, mailing.provider_state, beside(config))


def beside(config: Config) -> tuple[Companion, ...]:
    """What the worker, or of many machines the clock, does all the time: it reads mailboxes over IMAP."""
    return (MailboxReading(config),)
